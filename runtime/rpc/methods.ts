/**
 * The facts about each method that balancing depends on, one row a method; docs/methods.md is made from them.
 * Sources: the execution-apis specification (https://ethereum.github.io/execution-apis/), geth's `internal/ethapi` and
 * `eth/filters` for what a left-out block means, EIP-1898 for block objects, EIP-695 for the chain id.
 */
export interface MethodRow {
  /**
   * `read` may be asked again of another node; `raw-transaction` may too, because the transaction's hash identifies
   * it; `once` is repeated only when provably nothing was sent.
   */
  readonly repeat: 'read' | 'raw-transaction' | 'once';
  /** Which time-out one attempt gets: `light` and `call` by configuration, `heavy` up to the deadline. */
  readonly effort: 'light' | 'call' | 'heavy';
  readonly cache: CacheClass;
  /** Where the block stands, if the method reads at one. */
  readonly block?: BlockPosition;
  /** What `null` says: `unseen` may be a node that is behind (one more is asked), `fault` is the node's fault. */
  readonly nullMeans?: 'unseen' | 'fault';
  /** The answer may name a block that is newer than the head, as the caller need not name it by its number. */
  readonly namesBlock?: true;
  /** Where the facts of this row are from. */
  readonly source: keyof typeof METHOD_SOURCES;
  /** Answered by us, not by a node. */
  readonly local?: 'block-number' | 'no-accounts' | 'no-notifications' | 'filter';
}

export const METHOD_SOURCES = {
  'execution-apis': 'https://ethereum.github.io/execution-apis/',
  'EIP-695': 'https://eips.ethereum.org/EIPS/eip-695',
  'EIP-1474': 'https://eips.ethereum.org/EIPS/eip-1474',
  'EIP-1898': 'https://eips.ethereum.org/EIPS/eip-1898',
  geth: 'https://geth.ethereum.org/docs/interacting-with-geth/rpc',
} as const;

/**
 * How long an answer holds: `constant` for ever, `object` for ever as its block's or transaction's hash names it,
 * `mined` once its block is final, `block` at the block it was read at, `short` for a second, `never` not at all.
 */
export type CacheClass = 'constant' | 'object' | 'mined' | 'block' | 'short' | 'never';

export interface BlockPosition {
  /** Index in params; for `logs` the index of the filter object. */
  readonly index: number;
  /** What the block is read for: `state` is pruned by full nodes, `block` data is not. */
  readonly reads: 'state' | 'block' | 'logs';
  /** What leaving it out means: latest, or something only the node knows. */
  readonly omitted: 'latest' | 'unpinned';
  /** `eip1898` takes `{blockHash}` too, which names one block whatever branch a node is on. */
  readonly takes: 'number' | 'eip1898';
}

const light: MethodRow = { repeat: 'read', effort: 'light', cache: 'never', source: 'execution-apis' };
const older: MethodRow = { ...light, source: 'EIP-1474' };
const constant: MethodRow = { ...light, cache: 'constant' };
const short: MethodRow = { ...light, cache: 'short' };
const filter: MethodRow = { ...light, repeat: 'once', local: 'filter' };
const socketOnly: MethodRow = { ...light, repeat: 'once', local: 'no-notifications', source: 'geth' };

const stateAt = (index: number): MethodRow => ({
  ...light,
  cache: 'block',
  source: 'EIP-1898',
  block: { index, reads: 'state', omitted: 'latest', takes: 'eip1898' },
});
const blockAt = (index: number): MethodRow => ({
  ...light,
  cache: 'block',
  block: { index, reads: 'block', omitted: 'latest', takes: 'number' },
});
const blockOrFault: MethodRow = { ...blockAt(0), nullMeans: 'fault' };
const object: MethodRow = { ...light, cache: 'object', nullMeans: 'unseen' };
const block: MethodRow = { ...object, namesBlock: true };
const mined: MethodRow = { ...light, cache: 'mined', nullMeans: 'unseen', namesBlock: true };

const METHODS: ReadonlyMap<string, MethodRow> = new Map<string, MethodRow>([
  // The client and the chain.
  ['eth_blockNumber', { ...light, local: 'block-number' }],
  ['eth_accounts', { ...light, local: 'no-accounts' }],
  ['eth_chainId', { ...constant, source: 'EIP-695' }],
  ['net_version', constant],
  ['eth_syncing', light],
  ['eth_protocolVersion', older],
  ['eth_coinbase', older],
  ['eth_mining', older],
  ['eth_hashrate', older],
  ['net_listening', older],
  ['net_peerCount', older],
  ['web3_clientVersion', older],
  ['web3_sha3', { ...constant, source: 'EIP-1474' }],
  ['rpc_modules', { ...light, source: 'geth' }],
  // Fees.
  ['eth_gasPrice', short],
  ['eth_maxPriorityFeePerGas', short],
  ['eth_blobBaseFee', short],
  ['eth_feeHistory', blockAt(1)],
  // State at a block.
  ['eth_getBalance', stateAt(1)],
  ['eth_getCode', stateAt(1)],
  ['eth_getTransactionCount', stateAt(1)],
  ['eth_getStorageAt', stateAt(2)],
  ['eth_getProof', { ...stateAt(2), effort: 'call' }],
  ['eth_call', { ...stateAt(1), effort: 'call' }],
  // Clients differ on what these read when no block is given (latest or pending): that stays with the node.
  ['eth_createAccessList', { ...unpinned(1), effort: 'call' }],
  ['eth_estimateGas', { ...unpinned(1), effort: 'call' }],
  [
    'eth_simulateV1',
    {
      ...light,
      effort: 'heavy',
      cache: 'block',
      block: { index: 1, reads: 'state', omitted: 'latest', takes: 'number' },
    },
  ],
  // Blocks.
  ['eth_getBlockByNumber', blockOrFault],
  ['eth_getHeaderByNumber', { ...blockOrFault, source: 'geth' }],
  ['eth_getBlockReceipts', { ...blockOrFault, effort: 'heavy', namesBlock: true }],
  ['eth_getBlockTransactionCountByNumber', blockOrFault],
  ['eth_getUncleCountByBlockNumber', blockOrFault],
  ['eth_getTransactionByBlockNumberAndIndex', blockAt(0)],
  ['eth_getUncleByBlockNumberAndIndex', { ...blockAt(0), source: 'EIP-1474' }],
  ['eth_getBlockByHash', block],
  ['eth_getHeaderByHash', { ...block, source: 'geth' }],
  ['eth_getBlockTransactionCountByHash', object],
  ['eth_getUncleCountByBlockHash', object],
  ['eth_getTransactionByBlockHashAndIndex', { ...light, cache: 'object', namesBlock: true }],
  ['eth_getUncleByBlockHashAndIndex', { ...older, cache: 'object' }],
  // Transactions and logs.
  ['eth_getTransactionByHash', mined],
  ['eth_getRawTransactionByHash', { ...object, cache: 'never', source: 'geth' }],
  ['eth_getTransactionReceipt', mined],
  [
    'eth_getLogs',
    {
      ...light,
      effort: 'heavy',
      cache: 'block',
      namesBlock: true,
      block: { index: 0, reads: 'logs', omitted: 'latest', takes: 'number' },
    },
  ],
  ['eth_sendRawTransaction', { ...light, repeat: 'raw-transaction', effort: 'call' }],
  // Filters are kept here, whichever node their changes come from.
  ['eth_newFilter', filter],
  ['eth_newBlockFilter', filter],
  ['eth_newPendingTransactionFilter', filter],
  ['eth_getFilterChanges', filter],
  ['eth_getFilterLogs', filter],
  ['eth_uninstallFilter', filter],
  // A connection kept open: not served over plain HTTP.
  ['eth_subscribe', socketOnly],
  ['eth_unsubscribe', socketOnly],
]);

function unpinned(index: number): MethodRow {
  return { ...light, cache: 'block', block: { index, reads: 'state', omitted: 'unpinned', takes: 'number' } };
}

const UNKNOWN: MethodRow = { ...light, repeat: 'once', effort: 'heavy' };
const EXTRA_READ: MethodRow = { ...light, effort: 'heavy' };

/** All rows, for the page that is made from them. */
export function methodRows(): Iterable<readonly [string, MethodRow]> {
  return METHODS;
}

/** True for methods with a row of their own, which makes them safe as metric labels. */
export function isKnownMethod(method: string): boolean {
  return METHODS.has(method);
}

/**
 * The row of a method. What is not in the table runs at most once, as nothing is known of it, unless the
 * configuration calls it a read.
 */
export function methodRow(method: string, isExtraRead: (method: string) => boolean): MethodRow {
  return METHODS.get(method) ?? (isExtraRead(method) ? EXTRA_READ : UNKNOWN);
}
