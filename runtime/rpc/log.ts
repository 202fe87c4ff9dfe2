import { parseQuantity } from './block-param';
import { toHash } from './hash';
import { listItems } from './list-items';

/** A log as a node told it (https://ethereum.github.io/execution-apis/, Log). */
export interface Log {
  readonly number: number;
  /** Of its block; lower case. */
  readonly hash: string;
  /** Its place in the block; with the block's hash it names the log. */
  readonly index: string;
  /** As the node told them. */
  readonly address: unknown;
  readonly topics: unknown;
  /** The node takes it back, as its block is of a branch that was given up. */
  readonly removed: boolean;
  /** As the node wrote it. */
  readonly text: string;
}

/** @returns undefined where the bytes are no list of mined logs */
export function parseLogs(bytes: Buffer): Log[] | undefined {
  const logs: Log[] = [];
  for (const text of listItems(bytes) ?? [NO_LOG]) {
    const log = parseLog(text);
    if (log === undefined) return undefined;
    logs.push(log);
  }
  return logs;
}

/** @param text JSON */
export function parseLog(text: string): Log | undefined {
  const value = JSON.parse(text) as Partial<Record<string, unknown>> | null;
  const { blockNumber, blockHash, logIndex, address, topics, removed } = value ?? {};
  const number = typeof blockNumber === 'string' ? parseQuantity(blockNumber) : undefined;
  const hash = toHash(blockHash);
  if (number === undefined || hash === undefined || typeof logIndex !== 'string') return undefined;
  return { number, hash, index: logIndex.toLowerCase(), address, topics, removed: removed === true, text };
}

const NO_LOG = 'null';

/** The same log, taken back. */
export function toRemoved(text: string): string {
  return JSON.stringify({ ...(JSON.parse(text) as object), removed: true });
}
