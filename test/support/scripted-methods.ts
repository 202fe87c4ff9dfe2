import { keccak256, toUtf8Bytes } from 'ethers';
import { text, toNumber } from './scripted-block-ref';
import { toQuantity, type ScriptedChain } from './scripted-chain';
import type { ScriptedFilters } from './scripted-filters';
import { logsOfRange } from './scripted-logs';
import { failed, ok, type RpcOutcome } from './scripted-outcome';

/** What the methods may look at and change. */
export interface ScriptedState {
  readonly chain: ScriptedChain;
  readonly chainId: number;
  /** Transactions seen, by hash; one map given to several nodes is a network that gossips at once. */
  readonly pool: Map<string, PooledTransaction>;
  readonly filters: ScriptedFilters;
}

export interface PooledTransaction {
  readonly hash: string;
  readonly input: string;
}

/**
 * What a scripted node answers when nothing was scripted. State reads echo the address or data they were asked
 * about, so that an answer which belongs to another request is seen at once; they refuse blocks the node does not
 * have with geth's words.
 */
export function callMethod(state: ScriptedState, method: string, params: unknown): RpcOutcome {
  const row = Object.hasOwn(METHODS, method) ? METHODS[method] : undefined;
  if (row === undefined) return failed(-32601, `the method ${method} does not exist/is not available`);
  return row(state, Array.isArray(params) ? params : []);
}

type Params = readonly unknown[];
type Method = (state: ScriptedState, params: Params) => RpcOutcome;

const METHODS: Readonly<Record<string, Method>> = {
  eth_chainId: ({ chainId }) => ok(toQuantity(chainId)),
  net_version: ({ chainId }) => ok(String(chainId)),
  web3_clientVersion: () => ok('ScriptedNode/1'),
  eth_syncing: () => ok(false),
  eth_blockNumber: ({ chain }) => ok(toQuantity(chain.head)),
  eth_gasPrice: () => ok('0x3b9aca00'),
  eth_maxPriorityFeePerGas: () => ok('0x3b9aca00'),
  eth_estimateGas: () => ok('0x5208'),
  eth_getLogs: ({ chain }, [criteria]) => logsOfRange(chain, criteria),
  eth_newFilter: ({ filters }, [criteria]) => filters.newFilter(criteria),
  eth_newBlockFilter: ({ filters }) => filters.newBlockFilter(),
  eth_newPendingTransactionFilter: ({ filters }) => filters.newPendingFilter(),
  eth_getFilterChanges: ({ filters }, [id]) => filters.changes(id),
  eth_getFilterLogs: ({ filters }, [id]) => filters.logs(id),
  eth_uninstallFilter: ({ filters }, [id]) => filters.uninstall(id),
  eth_getBlockByNumber: ({ chain }, [ref]) => ok(chain.block(toNumber(chain, ref) ?? -1)),
  eth_getBlockByHash: ({ chain }, [hash]) => ok(chain.block(chain.numberOf(text(hash)) ?? -1)),
  eth_getBalance: stateRead(1, ([address]) => toQuantity(BigInt(toAddress(address)))),
  eth_getTransactionCount: stateRead(1, ([address]) => toQuantity(BigInt(toAddress(address)))),
  eth_getCode: stateRead(1, ([address]) => toAddress(address)),
  eth_getStorageAt: stateRead(2, ([address]) => `0x${toAddress(address).slice(2).padStart(64, '0')}`),
  eth_call: stateRead(1, ([call]) => callData(call)),
  eth_sendRawTransaction: sendRawTransaction,
  eth_sendTransaction: sendTransaction,
  eth_getTransactionByHash: ({ pool }, [hash]) => ok(toTransaction(pool.get(text(hash)))),
  eth_getTransactionReceipt: () => ok(null),
};

function sendRawTransaction({ pool }: ScriptedState, [raw]: Params): RpcOutcome {
  if (!/^0x([0-9a-f]{2})+$/i.test(text(raw))) return failed(-32602, 'invalid argument 0: not hex bytes');
  const hash = keccak256(text(raw));
  if (pool.has(hash)) return failed(-32000, 'already known');
  pool.set(hash, { hash, input: text(raw) });
  return ok(hash);
}

/** A real node signs with a fresh nonce; here the hash follows from the params, and each arrival stays in the log. */
function sendTransaction({ pool }: ScriptedState, params: Params): RpcOutcome {
  const hash = keccak256(toUtf8Bytes(JSON.stringify(params)));
  pool.set(hash, { hash, input: callData(params[0]) });
  return ok(hash);
}

function toTransaction(pooled: PooledTransaction | undefined): unknown {
  return pooled === undefined ? null : { ...pooled, blockHash: null, blockNumber: null, transactionIndex: null };
}

/** A method whose param at `blockIndex` names the block it reads at (omitted means latest). */
function stateRead(blockIndex: number, echo: (params: Params) => string): Method {
  return ({ chain }, params) => {
    const number = toNumber(chain, params[blockIndex] ?? 'latest');
    if (number === undefined || number > chain.head) return failed(-32000, 'header not found');
    try {
      return ok(echo(params));
    } catch (error) {
      return failed(-32602, `invalid argument 0: ${String(error)}`);
    }
  };
}

function toAddress(value: unknown): string {
  if (!/^0x[0-9a-f]{40}$/i.test(text(value))) throw new Error('not an address');
  return text(value).toLowerCase();
}

function callData(call: unknown): string {
  if (typeof call !== 'object' || call === null) return '0x';
  const { data, input } = call as { data?: unknown; input?: unknown };
  return text(input ?? data ?? '0x');
}
