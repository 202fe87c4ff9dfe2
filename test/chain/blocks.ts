import type { BlockRef } from '../../runtime/rpc/block-ref';

/** Test blocks count from this time on, one each 12 s. */
export const GENESIS_MS = 1_700_000_000_000;

/** A hash that shows what it is of: `0xb000…0100` is block 100 of branch b. */
export function hashOf(number: number, branch = 'a'): string {
  return `0x${branch}${String(number).padStart(63, '0')}`;
}

/** Block `number` of the main branch, a. */
export function block(number: number): BlockRef {
  return of(number, 'a', 'a');
}

/** Block `number` of a branch that leaves a after block `leaves`. */
export function forked(number: number, branch: 'b' | 'c', leaves: number): BlockRef {
  return of(number, branch, number === leaves + 1 ? 'a' : branch);
}

function of(number: number, branch: string, parent: string): BlockRef {
  return {
    number,
    hash: hashOf(number, branch),
    parentHash: hashOf(number - 1, parent),
    timestamp: GENESIS_MS / 1000 + 12 * number,
  };
}
