import type { BlockRef } from '../rpc/block-ref';
import type { Relation } from './block-ring';

/** The newest block a live node shows. */
export interface Claim {
  readonly node: string;
  readonly block: BlockRef;
  readonly relation: Relation;
}

export interface Situation {
  readonly head: BlockRef | undefined;
  /** No node of ours has reached the head yet: other processes told of it. */
  readonly heard: boolean;
  /** The node that needs nobody's word because no other exists. */
  readonly alone: string | undefined;
  /** Blocks by which one node may raise the head on its own. */
  readonly allowance: number;
  readonly maxLagBlocks: number;
  readonly blockTimeMs: number;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export interface HeadDecision {
  /** The new head; undefined leaves it. */
  readonly adopt: BlockRef | undefined;
  /** The node whose claim is above the head and is not believed of one alone; all others are at or below a second. */
  readonly refused: string | undefined;
}

/**
 * What the head becomes, given what the live nodes show. Upwards it follows a block that a second node has reached, or
 * that one node may vouch for; sideways and down only when no live node has the head any more.
 */
export function decideHead(claims: readonly Claim[], situation: Situation): HeadDecision {
  const sorted = claims.toSorted(byHeight(claims));
  const { head } = situation;
  if (head === undefined) return { adopt: firstHead(sorted, situation), refused: undefined };

  const [top, second] = sorted;
  const confirmed = top === undefined || top.block.number <= Math.max(head.number, second?.block.number ?? -1);
  const refused = confirmed || mayRaiseAlone(top, head, situation) ? undefined : top;
  const voters = refused === undefined ? sorted : sorted.slice(1);
  const higher = voters.find(
    (claim) => claim.block.number > head.number && !isOutvoted(claim, voters, head, situation),
  );
  return { adopt: higher?.block ?? replacement(voters, head, situation), refused: refused?.node };
}

/** The very first: what two nodes have reached, or the word of the only one. */
function firstHead(sorted: readonly Claim[], { alone }: Situation): BlockRef | undefined {
  const [highest, second] = sorted;
  if (highest === undefined) return undefined;
  if (second === undefined) return highest.node === alone ? highest.block : undefined;
  return highest.block.number === second.block.number ? highest.block : second.block;
}

function mayRaiseAlone(claim: Claim, head: BlockRef, situation: Situation): boolean {
  if (claim.node === situation.alone) return true;
  return claim.block.number - head.number <= situation.allowance || fitsTheClock(claim.block, head, situation);
}

/** A block of this minute is believed over a head of minutes ago … */
const FRESH_MS = 60_000;
const STALE_MS = 180_000;
/** … if the chain can have made the blocks between them: at most so many times faster than it is known to be. */
const FASTER = 10;

/**
 * The others may all be nodes that are still syncing. Then theirs is the old block by its own timestamp, and the one
 * node that has caught up shows a block of now.
 */
function fitsTheClock(block: BlockRef, head: BlockRef, { now, blockTimeMs }: Situation): boolean {
  if (Math.abs(now - block.timestamp * 1000) > FRESH_MS || now - head.timestamp * 1000 < STALE_MS) return false;
  const msBetween = (block.timestamp - head.timestamp) * 1000;
  return msBetween / (block.number - head.number) >= blockTimeMs / FASTER;
}

/**
 * A fork that is a block or two longer waits until more nodes are on it than have the head: otherwise a head shared by
 * most would follow a node on a branch of its own back and forth.
 */
function isOutvoted(claim: Claim, claims: readonly Claim[], head: BlockRef, situation: Situation): boolean {
  if (claim.relation !== 'fork' || claim.block.number - head.number > situation.maxLagBlocks) return false;
  const theirs = claims.filter((other) => other.relation === 'fork').length;
  return claims.filter((other) => supports(other, head, situation)).length >= theirs;
}

/** A head nobody has any more gives way: to a block as high at once, to a lower one only if all contradict it. */
function replacement(voters: readonly Claim[], head: BlockRef, situation: Situation): BlockRef | undefined {
  if (voters.some((claim) => supports(claim, head, situation))) return undefined;
  const contradicting = voters.filter((claim) => claim.relation === 'fork');
  const best = contradicting[0]?.block;
  if (best === undefined) return undefined;
  return best.number >= head.number || contradicting.length === voters.length ? best : undefined;
}

/** Of a head that was only heard of nobody can be asked to have it yet. */
function supports({ block, relation }: Claim, head: BlockRef, { heard }: Situation): boolean {
  return relation !== 'fork' && (heard || block.number >= head.number);
}

const NEARNESS: Record<Relation, number> = { ours: 0, unknown: 1, fork: 2 };

/** Highest first; of equal height our branch first, then the block most nodes show. */
function byHeight(claims: readonly Claim[]): (a: Claim, b: Claim) => number {
  const shown = new Map<string, number>();
  for (const { block } of claims) shown.set(block.hash, (shown.get(block.hash) ?? 0) + 1);
  return (a, b) =>
    b.block.number - a.block.number ||
    NEARNESS[a.relation] - NEARNESS[b.relation] ||
    (shown.get(b.block.hash) ?? 0) - (shown.get(a.block.hash) ?? 0);
}
