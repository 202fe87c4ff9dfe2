import { parseQuantity } from '../rpc/block-param';
import type { BlockRef } from '../rpc/block-ref';

/** What one probe of a node found. */
export type ProbeResult =
  /** It answered, on the right chain. `syncing` is undefined when it was not asked, or would not tell. */
  | {
      readonly kind: 'block';
      readonly block: BlockRef;
      /** Round trip of the block's request in milliseconds. */
      readonly latencyMs: number;
      readonly syncing: boolean | undefined;
      /** Number of the newest block that is final; undefined when it was not asked, or the node would not tell. */
      readonly finalized: number | undefined;
    }
  /** `code` is that of the error `send` rejected with, `BAD_ANSWER`, or `TIMEOUT`. */
  | { readonly kind: 'failure'; readonly code: string }
  | { readonly kind: 'wrong-chain'; readonly expected: number; readonly actual: number };

/** An answer that is not what was asked for; the message names the field. */
export class ProbeError extends Error {
  readonly code = 'BAD_ANSWER';
  override readonly name = 'ProbeError';
}

/** Asks one node; resolves with the result of the JSON-RPC answer and rejects with an error that has a `code`. */
export type Ask = (method: string, params: readonly unknown[]) => Promise<unknown>;

export interface ProbeTask {
  readonly ask: Ask;
  /** Whether to ask for the chain and for syncing, not for the block alone. */
  readonly whole: boolean;
  /** The chain the node must be on; called when its answer is in, with that answer. */
  readonly expect: (actual: number) => number;
  /** Milliseconds of any clock that does not step backwards. */
  readonly now: () => number;
}

/** One probe. The chain id is looked at before the block, which does not count when it is wrong. Never rejects. */
export async function probe(task: ProbeTask): Promise<ProbeResult> {
  try {
    return task.whole ? await probeWhole(task) : await probeBlock(task);
  } catch (error) {
    return { kind: 'failure', code: codeOf(error) };
  }
}

async function probeWhole(task: ProbeTask): Promise<ProbeResult> {
  // At once, because a dead node should cost one time-out and not three.
  const answers = Promise.all([
    task.ask('eth_chainId', []),
    askSyncing(task.ask),
    askFinalized(task.ask),
    probeBlock(task),
  ]);
  const [chainId, syncing, finalized, result] = await answers;
  const actual = parseChainId(chainId);
  const expected = task.expect(actual);
  return actual === expected ? { ...result, syncing, finalized } : { kind: 'wrong-chain', expected, actual };
}

async function probeBlock({ ask, now }: ProbeTask): Promise<ProbeResult & { kind: 'block' }> {
  const startedAt = now();
  const answer = await ask('eth_getBlockByNumber', ['latest', false]);
  return {
    kind: 'block',
    block: parseBlock(answer),
    latencyMs: now() - startedAt,
    syncing: undefined,
    finalized: undefined,
  };
}

/** A node that does not know the method, or does not answer it as specified, is judged by its blocks alone. */
async function askSyncing(ask: Ask): Promise<boolean | undefined> {
  try {
    const answer = await ask('eth_syncing', []);
    if (typeof answer === 'boolean') return answer;
    return typeof answer === 'object' && answer !== null ? true : undefined;
  } catch {
    return undefined;
  }
}

/** Chains without finality, and nodes without the tag, are no failure. */
async function askFinalized(ask: Ask): Promise<number | undefined> {
  try {
    return parseBlock(await ask('eth_getBlockByNumber', ['finalized', false])).number;
  } catch {
    return undefined;
  }
}

/**
 * @param answer the result of `eth_chainId` (EIP-695)
 * @throws ProbeError
 */
export function parseChainId(answer: unknown): number {
  const id = typeof answer === 'string' ? parseQuantity(answer) : undefined;
  if (id === undefined) throw new ProbeError('eth_chainId gave no quantity');
  return id;
}

const HASH = /^0x[0-9a-fA-F]{64}$/;

/**
 * The four fields every node has of a block (https://ethereum.github.io/execution-apis/, Block), strictly.
 *
 * @throws ProbeError
 */
export function parseBlock(answer: unknown): BlockRef {
  if (typeof answer !== 'object' || answer === null) {
    throw new ProbeError('eth_getBlockByNumber gave no block');
  }
  return {
    number: quantityIn(answer, 'number'),
    hash: hashIn(answer, 'hash'),
    parentHash: hashIn(answer, 'parentHash'),
    timestamp: quantityIn(answer, 'timestamp'),
  };
}

function quantityIn(block: object, field: string): number {
  const value: unknown = Reflect.get(block, field);
  const quantity = typeof value === 'string' ? parseQuantity(value) : undefined;
  if (quantity === undefined) throw new ProbeError(`the block's ${field} is no quantity`);
  return quantity;
}

function hashIn(block: object, field: string): string {
  const value: unknown = Reflect.get(block, field);
  if (typeof value !== 'string' || !HASH.test(value)) {
    throw new ProbeError(`the block's ${field} is no hash`);
  }
  return value.toLowerCase();
}

function codeOf(error: unknown): string {
  const code: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'code') : undefined;
  return typeof code === 'string' || typeof code === 'number' ? String(code) : 'UNKNOWN';
}
