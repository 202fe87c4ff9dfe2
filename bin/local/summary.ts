/** Where the proxy ended up. */
export interface ProxyPorts {
  readonly port: number;
  readonly adminPort: number;
}

/** Where HAProxy and the weighter ended up. */
export interface HaproxyPorts {
  readonly pool: number;
  readonly stats: number;
  /** Its address, or its path. */
  readonly socket: string;
  readonly weighter: number;
}

export interface Served {
  readonly chainId: number;
  readonly nodes: readonly ServedNode[];
  /** What the chain is for and what to try with it, line by line. */
  readonly more: readonly string[];
}

export interface ServedNode {
  readonly name: string;
  readonly url: string;
  /** After its name; the URL itself may hold a key. */
  readonly description: string;
  /** Where HAProxy serves it; undefined where the proxy dials it itself. */
  readonly localPort?: number;
}

/** What runs where, and what to try next. */
export function summary(
  { port, adminPort }: ProxyPorts,
  { chainId, nodes, more }: Served,
  haproxy?: HaproxyPorts,
): string {
  const url = at(port);
  const admin = at(adminPort);
  const lines = [
    '',
    `eth-rpc-balancer serves chain ${chainId}`,
    '',
    `JSON-RPC       ${url}`,
    `Status         ${admin}/status.json`,
    `Metrics        ${admin}/metrics`,
    '',
    ...(haproxy === undefined ? [] : describeHaproxy(haproxy)),
    'Nodes behind it',
    ...nodes.map(({ name, description, localPort }) => {
      const via = localPort === undefined ? '' : `  behind HAProxy's ${at(localPort)}`;
      return `  ${name}  ${description}${via}`;
    }),
    '',
    `Try it:        curl -s ${url} -d '{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber"}'`,
    '',
    ...more,
    '',
    'Ctrl-C stops everything. Below is what happens to the nodes.',
    '',
  ];
  return `${lines.map((line) => (line === '' ? '' : `  ${line}`)).join('\n')}\n`;
}

export function describeHaproxy({ pool, stats, socket, weighter }: HaproxyPorts): string[] {
  return [
    `Pool           ${at(pool)}  (HAProxy: the same nodes, weighted, without limits)`,
    `Statistics     ${at(stats)}`,
    `Admin socket   ${socket}`,
    `Weighter       ${at(weighter)}/metrics`,
    '',
  ];
}

function at(port: number): string {
  return `http://127.0.0.1:${port}`;
}
