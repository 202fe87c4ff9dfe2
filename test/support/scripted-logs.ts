import type { LogJson } from './filter-sequence';
import { text, toNumber } from './scripted-block-ref';
import { hashOf, toQuantity, type ScriptedChain } from './scripted-chain';
import { failed, ok, type RpcOutcome } from './scripted-outcome';

/** Who logs, where nothing else is scripted. */
export const LOGGER = `0x${'10'.repeat(20)}`;

/** The logs of a block follow from its hash, as many as the chain's `logsPerBlock`. */
export function logsOf(chain: ScriptedChain, number: number): LogJson[] {
  const blockHash = chain.hash(number);
  return Array.from({ length: chain.logsPerBlock }, (_, index) => ({
    address: LOGGER,
    topics: [word(index)],
    data: word(number * 1000 + index),
    blockHash,
    blockNumber: toQuantity(number),
    transactionHash: hashOf(`transaction ${index} of ${blockHash}`),
    transactionIndex: toQuantity(index),
    logIndex: toQuantity(index),
    removed: false,
  }));
}

/** What eth_getLogs answers. The address is minded, topics are not. */
export function logsOfRange(chain: ScriptedChain, criteria: unknown): RpcOutcome {
  const { address, blockHash, fromBlock = 'latest', toBlock = 'latest' } = toCriteria(criteria);
  if (address !== undefined && ![address].flat().some((one) => text(one).toLowerCase() === LOGGER)) return ok([]);
  const from = blockHash === undefined ? toNumber(chain, fromBlock) : chain.numberOf(text(blockHash));
  const to = blockHash === undefined ? toNumber(chain, toBlock) : from;
  if (from === undefined || to === undefined) return failed(-32000, 'unknown block');
  const logs: LogJson[] = [];
  for (let number = from; number <= Math.min(to, chain.head); number++) logs.push(...logsOf(chain, number));
  return ok(logs);
}

interface Criteria {
  readonly address?: unknown;
  readonly blockHash?: unknown;
  readonly fromBlock?: unknown;
  readonly toBlock?: unknown;
}

function toCriteria(value: unknown): Criteria {
  return typeof value === 'object' && value !== null ? value : {};
}

function word(value: number): string {
  return `0x${value.toString(16).padStart(64, '0')}`;
}
