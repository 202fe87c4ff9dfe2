/**
 * Which requests HAProxy's pool may send twice. It cannot read JSON, so it looks for the text of methods: all that
 * stand in the body must be among these. They are the reads of runtime/rpc/methods.ts, where a test finds them, and
 * `eth_sendRawTransaction`, which its hash identifies. What is in no list runs once: a wrong guess could pay twice.
 */
export const QUICK_METHODS: readonly string[] = [
  'eth_accounts',
  'eth_blobBaseFee',
  'eth_blockNumber',
  'eth_call',
  'eth_chainId',
  'eth_coinbase',
  'eth_createAccessList',
  'eth_estimateGas',
  'eth_feeHistory',
  'eth_gasPrice',
  'eth_getBalance',
  'eth_getBlockByHash',
  'eth_getBlockByNumber',
  'eth_getBlockTransactionCountByHash',
  'eth_getBlockTransactionCountByNumber',
  'eth_getCode',
  'eth_getHeaderByHash',
  'eth_getHeaderByNumber',
  'eth_getProof',
  'eth_getRawTransactionByHash',
  'eth_getStorageAt',
  'eth_getTransactionByBlockHashAndIndex',
  'eth_getTransactionByBlockNumberAndIndex',
  'eth_getTransactionByHash',
  'eth_getTransactionCount',
  'eth_getTransactionReceipt',
  'eth_getUncleByBlockHashAndIndex',
  'eth_getUncleByBlockNumberAndIndex',
  'eth_getUncleCountByBlockHash',
  'eth_getUncleCountByBlockNumber',
  'eth_hashrate',
  'eth_maxPriorityFeePerGas',
  'eth_mining',
  'eth_protocolVersion',
  'eth_sendRawTransaction',
  'eth_syncing',
  'net_listening',
  'net_peerCount',
  'net_version',
  'rpc_modules',
  'web3_clientVersion',
  'web3_sha3',
];

/** Safe too, but a node may rightly take up to the deadline for them. */
export const SLOW_METHODS: readonly string[] = ['eth_getBlockReceipts', 'eth_getLogs', 'eth_simulateV1'];

/** Finds any method at all. All of these are for PCRE, upper and lower case alike: some nodes read `"Method"` too. */
export const ANY_METHOD = String.raw`"method"\s*:\s*"`;

/** Finds a method that is one of these; `prefix*` stands for all that begin so. */
export function methodAmong(methods: readonly string[]): string {
  return `${ANY_METHOD}(?:${alternatives(methods)})"`;
}

/** Finds a method that is none of these. */
export function methodBeyond(methods: readonly string[]): string {
  return `${ANY_METHOD}(?!(?:${alternatives(methods)})")`;
}

/** Names are letters, digits and `_`, which mean themselves. */
function alternatives(methods: readonly string[]): string {
  return methods.map((method) => method.replace(/\*$/, '[A-Za-z0-9_]*')).join('|');
}
