/**
 * The facts about each method that balancing depends on, one row a method. Sources: the execution-apis
 * specification (https://ethereum.github.io/execution-apis/), geth's `internal/ethapi` and `eth/filters` for what a
 * left-out block means, EIP-1898 for block objects.
 */
export interface MethodRow {
  /**
   * `read` may be asked again of another node; `raw-transaction` may too, because the transaction's hash identifies
   * it; `once` is repeated only when provably nothing was sent.
   */
  readonly repeat: 'read' | 'raw-transaction' | 'once';
  /** Which time-out one attempt gets: `light` and `call` by configuration, `heavy` up to the deadline. */
  readonly effort: 'light' | 'call' | 'heavy';
  /** Where the block stands, if the method reads at one. */
  readonly block?: BlockPosition;
  /** What `null` says: `unseen` may be a node that is behind (one more is asked), `fault` is the node's fault. */
  readonly nullMeans?: 'unseen' | 'fault';
  /** Answered by us, not by a node. */
  readonly local?: 'block-number' | 'no-accounts' | 'no-notifications' | 'no-filters';
}

export interface BlockPosition {
  /** Index in params; for `logs` the index of the filter object. */
  readonly index: number;
  /** What the block is read for: `state` is pruned by full nodes, `block` data is not. */
  readonly reads: 'state' | 'block' | 'logs';
  /** What leaving it out means: latest, or something only the node knows. */
  readonly omitted: 'latest' | 'unpinned';
}

const state = (index: number): BlockPosition => ({ index, reads: 'state', omitted: 'latest' });
const blockAt = (index: number): BlockPosition => ({ index, reads: 'block', omitted: 'latest' });

const light: MethodRow = { repeat: 'read', effort: 'light' };
const byHash: MethodRow = { repeat: 'read', effort: 'light', nullMeans: 'unseen' };
const filter: MethodRow = { repeat: 'once', effort: 'light', local: 'no-filters' };
const socketOnly: MethodRow = { repeat: 'once', effort: 'light', local: 'no-notifications' };
const stateRead = (index: number): MethodRow => ({ repeat: 'read', effort: 'light', block: state(index) });
const blockRead = (nullMeans?: 'fault'): MethodRow =>
  nullMeans === undefined
    ? { repeat: 'read', effort: 'light', block: blockAt(0) }
    : { repeat: 'read', effort: 'light', block: blockAt(0), nullMeans };

const METHODS: ReadonlyMap<string, MethodRow> = new Map<string, MethodRow>([
  // The client and the chain.
  ['eth_blockNumber', { ...light, local: 'block-number' }],
  ['eth_accounts', { ...light, local: 'no-accounts' }],
  ['eth_chainId', light],
  ['eth_syncing', light],
  ['eth_protocolVersion', light],
  ['eth_coinbase', light],
  ['eth_mining', light],
  ['eth_hashrate', light],
  ['net_version', light],
  ['net_listening', light],
  ['net_peerCount', light],
  ['web3_clientVersion', light],
  ['web3_sha3', light],
  ['rpc_modules', light],
  // Fees.
  ['eth_gasPrice', light],
  ['eth_maxPriorityFeePerGas', light],
  ['eth_blobBaseFee', light],
  ['eth_feeHistory', { ...light, block: blockAt(1) }],
  // State at a block.
  ['eth_getBalance', stateRead(1)],
  ['eth_getCode', stateRead(1)],
  ['eth_getTransactionCount', stateRead(1)],
  ['eth_getStorageAt', stateRead(2)],
  ['eth_getProof', { ...stateRead(2), effort: 'call' }],
  ['eth_call', { repeat: 'read', effort: 'call', block: state(1) }],
  ['eth_createAccessList', { repeat: 'read', effort: 'call', block: { ...state(1), omitted: 'unpinned' } }],
  // geth estimates on latest, others on pending, when no block is given: that stays with the node.
  ['eth_estimateGas', { repeat: 'read', effort: 'call', block: { ...state(1), omitted: 'unpinned' } }],
  ['eth_simulateV1', { repeat: 'read', effort: 'heavy', block: state(1) }],
  // Blocks.
  ['eth_getBlockByNumber', blockRead('fault')],
  ['eth_getHeaderByNumber', blockRead('fault')],
  ['eth_getBlockReceipts', { ...blockRead('fault'), effort: 'heavy' }],
  ['eth_getBlockTransactionCountByNumber', blockRead('fault')],
  ['eth_getUncleCountByBlockNumber', blockRead('fault')],
  ['eth_getTransactionByBlockNumberAndIndex', blockRead()],
  ['eth_getUncleByBlockNumberAndIndex', blockRead()],
  ['eth_getBlockByHash', byHash],
  ['eth_getHeaderByHash', byHash],
  ['eth_getBlockTransactionCountByHash', byHash],
  ['eth_getUncleCountByBlockHash', byHash],
  ['eth_getTransactionByBlockHashAndIndex', light],
  ['eth_getUncleByBlockHashAndIndex', light],
  // Transactions and logs.
  ['eth_getTransactionByHash', byHash],
  ['eth_getRawTransactionByHash', byHash],
  ['eth_getTransactionReceipt', byHash],
  ['eth_getLogs', { repeat: 'read', effort: 'heavy', block: { index: 0, reads: 'logs', omitted: 'latest' } }],
  ['eth_sendRawTransaction', { repeat: 'raw-transaction', effort: 'call' }],
  // State kept by one node, or a connection kept open: not served over plain HTTP.
  ['eth_newFilter', filter],
  ['eth_newBlockFilter', filter],
  ['eth_newPendingTransactionFilter', filter],
  ['eth_getFilterChanges', filter],
  ['eth_getFilterLogs', filter],
  ['eth_uninstallFilter', filter],
  ['eth_subscribe', socketOnly],
  ['eth_unsubscribe', socketOnly],
]);

const UNKNOWN: MethodRow = { repeat: 'once', effort: 'heavy' };
const EXTRA_READ: MethodRow = { repeat: 'read', effort: 'heavy' };

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
