import type { ToldBlock } from '../../runtime/chain/trail';
import type { LogFilter } from '../../runtime/filters/record';
import { hashOf } from '../chain/blocks';

/** A log as a node writes it; `index` is its place in the block. */
export function logText(number: number, index: number, branch = 'a'): string {
  const members = { blockNumber: `0x${number.toString(16)}`, blockHash: hashOf(number, branch), data: `"${index}"` };
  return JSON.stringify({ ...members, logIndex: `0x${index.toString(16)}`, removed: false });
}

/** A block with so many logs. */
export function told(number: number, logs = 0, branch = 'a'): ToldBlock {
  const texts = Array.from({ length: logs }, (_, index) => logText(number, index, branch));
  return { number, hash: hashOf(number, branch), logs: texts };
}

/** A filter that was told these blocks, all of them up to the last. */
export function logFilter(number: number, mark: string, blocks: readonly ToldBlock[]): LogFilter {
  const trail = { upTo: blocks.at(-1)?.number ?? 0, blocks };
  return { kind: 'logs', revision: { number, mark }, criteria: { address: `0x${'ab'.repeat(20)}` }, trail };
}
