import type { BlockRef } from '../rpc/block-ref';

/** Blocks a node may gain between two probes before it is asked again who it is; one that is syncing gains more. */
const MOST_AT_ONCE = 64;

/**
 * Whether a node that showed `last` may show `block` next, on the same branch, as far as the two blocks tell: between
 * them may be others that nobody saw. What does not continue is a reorg, or another chain behind the same address.
 */
export function continues(last: BlockRef, block: BlockRef): boolean {
  const gained = block.number - last.number;
  if (gained === 0) return block.hash === last.hash;
  if (gained === 1) return block.parentHash === last.hash;
  return gained > 0 && gained <= MOST_AT_ONCE;
}
