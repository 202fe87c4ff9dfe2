import type { ProxyPorts } from './proxy-process';

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
}

/** What runs where, and what to try next. */
export function summary({ port, adminPort }: ProxyPorts, { chainId, nodes, more }: Served): string {
  const url = `http://127.0.0.1:${port}`;
  const admin = `http://127.0.0.1:${adminPort}`;
  const lines = [
    '',
    `eth-rpc-balancer serves chain ${chainId}`,
    '',
    `JSON-RPC       ${url}`,
    `Status         ${admin}/status.json`,
    `Metrics        ${admin}/metrics`,
    '',
    'Nodes behind it',
    ...nodes.map(({ name, description }) => `  ${name}  ${description}`),
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
