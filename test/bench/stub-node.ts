import { toQuantity } from '../../runtime/rpc/block-param';

const HASH = `0x${'ab'.repeat(32)}`;
const RESULT = `0x${'0'.repeat(63)}1`;

/**
 * A node that costs next to nothing, so that what stands before it is measured and not the node: HAProxy itself, which
 * answers from its configuration and puts the request's id into the answer.
 */
export function stubConfig(port: number): string {
  const block = `{"number":"${toQuantity(100)}","hash":"${HASH}","parentHash":"${HASH}","timestamp":"0x6553f100"}`;
  const answer = (result: string): string => quoted(`{"jsonrpc":"2.0","id":%[var(txn.id)],"result":${result}}`);
  const item = (id: number): string => `{"jsonrpc":"2.0","id":${id},"result":true}`;
  const batch = quoted(`[${Array.from({ length: 20 }, (_, id) => item(id)).join(',')}]`);
  const reply = (text: string, condition: string): string =>
    `  http-request return status 200 content-type application/json lf-string ${text} ${condition}`;
  const method = (name: string): string => `if { var(txn.method) -m str ${name} }`;
  return `${GLOBAL}
frontend stub
  bind 127.0.0.1:${port}
  option http-buffer-request
${reply(batch, 'if { path /batch }')}
  http-request set-var(txn.id) req.body,json_query('$.id','int')
  http-request set-var(txn.method) req.body,json_query('$.method')
${reply(answer(block), method('eth_getBlockByNumber'))}
${reply(answer('"0x1"'), method('eth_chainId'))}
${reply(answer('false'), method('eth_syncing'))}
${reply(answer(`{"hash":"${HASH}"}`), method('eth_getTransactionByHash'))}
${reply(answer(`"${RESULT}"`), '')}
`;
}

/** One thread, no logs, connections kept: what a peer would be configured as to be fast. */
export const GLOBAL = `global
  nbthread 1
  maxconn 4000
  tune.bufsize 32768
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout http-keep-alive 60s
  http-reuse always
`;

/** HAProxy's own quoting: a log-format string in single quotes. */
function quoted(text: string): string {
  return `'${text}'`;
}
