import type { ProxyPorts } from './proxy-process';

/** A development node that was started here. */
export interface Endpoint {
  readonly name: string;
  readonly url: string;
  readonly pid: number;
}

/** What runs where, and what to try next. */
export function summary(
  { port, adminPort }: ProxyPorts,
  chainId: number,
  started: readonly Endpoint[],
  nodes: readonly { readonly name: string; readonly url: string }[],
): string {
  const url = `http://127.0.0.1:${port}`;
  const admin = `http://127.0.0.1:${adminPort}`;
  const rows = nodes.map(({ name, url: address }) => {
    const pid = started.find((endpoint) => endpoint.name === name)?.pid;
    return `    ${name}  ${pid === undefined ? new URL(address).host : `${address}  pid ${pid}`}`;
  });
  const [first] = started;
  const breakIt = first
    ? `
  Break it:      kill -STOP ${first.pid}   (freeze ${first.name}; kill -CONT ${first.pid} to heal it)
                 kill -9 ${first.pid}      (kill it: reads go on)
`
    : '';
  return `
  eth-rpc-balancer serves chain ${chainId}

  JSON-RPC       ${url}
  Status         ${admin}/status.json
  Metrics        ${admin}/metrics

  Nodes behind it
${rows.join('\n')}

  Try it:        curl -s ${url} -d '{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber"}'
${breakIt}
  Ctrl-C stops everything.

`;
}
