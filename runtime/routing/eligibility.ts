import type { NodeView } from '../nodes/node';
import type { BlockRef } from '../rpc/block-ref';
import {
  isServing,
  judge,
  LAGGING_RANK,
  LAST_RESORT_RANK,
  rankOf,
  type RouteRequest,
  type RoutingRules,
  type ServingVerdict,
  type Verdict,
} from './verdict';

/** Why no node can be chosen; each asks something else of the caller. */
export type NoCandidate =
  /** The healthy nodes that could serve have as many requests in flight as they may. */
  | { readonly kind: 'busy' }
  /** Nobody (left) has the block. `best` is the newest block of those who could answer otherwise. */
  | { readonly kind: 'no-block'; readonly best: BlockRef | undefined }
  /** Everybody who could serve was tried already. */
  | { readonly kind: 'tried' }
  /** All who are left asked not to be called; the first may be again in `retryAfterMs` (at least 1). */
  | { readonly kind: 'resting'; readonly retryAfterMs: number }
  /** No node knows the method. */
  | { readonly kind: 'no-method' }
  /** There is no node, or all are of another chain. */
  | { readonly kind: 'no-node' };

/**
 * Puts into `out` the nodes that should share a request now, and answers how they serve; undefined (and nothing in
 * `out`) if there are none.
 *
 * In this order the first group that has anybody is taken, and of it the lowest tier:
 *
 *     1  healthy                     (for history also lagging); of these, those who keep the state asked for
 *     2  lagging nodes that have the block, of these those with the highest head
 *     3  down or ejected nodes, those with the highest head: better a doubtful node than none
 *     4  nodes that said the state asked for is gone
 *
 * Nodes of another chain, resting nodes, tried ones and full ones are in no group. A healthy node that is only full
 * keeps groups 3 and 4 shut: it will be free sooner than a broken one is well.
 */
export function findCandidates(
  nodes: readonly NodeView[],
  request: RouteRequest,
  rules: RoutingRules,
  now: number,
  out: NodeView[],
): ServingVerdict | undefined {
  out.length = 0;
  let best: ServingVerdict | undefined;
  let bestRank = Infinity;
  let sawFull = false;
  for (const node of nodes) {
    const verdict = judge(node, request, rules, now);
    if (verdict === 'full') sawFull = true;
    if (!isServing(verdict)) continue;
    const rank = rankOf(verdict);
    const order = rank === bestRank ? compareWithin(rank, node, out[0]) : rank - bestRank;
    if (order > 0) continue;
    if (order < 0) {
      out.length = 0;
      best = verdict;
      bestRank = rank;
    }
    out.push(node);
  }
  if (!sawFull || bestRank < LAST_RESORT_RANK) return best;
  out.length = 0;
  return undefined;
}

/** Less than 0 if the node goes before those of its rank chosen so far, 0 if it joins them. */
function compareWithin(rank: number, node: NodeView, chosen: NodeView | undefined): number {
  if (chosen === undefined) return -1;
  const byHead = rank >= LAGGING_RANK ? headNumber(chosen) - headNumber(node) : 0;
  return byHead === 0 ? node.tier - chosen.tier : byHead;
}

function headNumber(node: NodeView): number {
  return node.head?.number ?? -1;
}

/** Says why `findCandidates` found nobody. What may change soonest, or leads to an answer, is named first. */
export function whyNone(
  nodes: readonly NodeView[],
  request: RouteRequest,
  rules: RoutingRules,
  now: number,
): NoCandidate {
  const judged = nodes.map((node) => ({ node, verdict: judge(node, request, rules, now) }));
  for (const verdict of REFUSAL_ORDER) {
    const these = judged.filter((entry) => entry.verdict === verdict).map(({ node }) => node);
    if (these.length > 0) return REFUSALS[verdict](these, now);
  }
  return { kind: 'no-node' };
}

type Refusing = Exclude<Verdict, ServingVerdict | 'wrong-chain'>;

const REFUSAL_ORDER: readonly Refusing[] = [
  'full',
  'no-block',
  'tried',
  'resting',
  'unhealthy-full',
  'unhealthy-no-block',
  'lacks-method',
];

const REFUSALS: Record<Refusing, (nodes: readonly NodeView[], now: number) => NoCandidate> = {
  full: () => ({ kind: 'busy' }),
  'no-block': noBlock,
  tried: () => ({ kind: 'tried' }),
  resting: (nodes, now) => ({
    kind: 'resting',
    retryAfterMs: Math.max(1, Math.ceil(Math.min(...nodes.map(({ restingUntil }) => restingUntil)) - now)),
  }),
  'unhealthy-full': () => ({ kind: 'busy' }),
  'unhealthy-no-block': noBlock,
  'lacks-method': () => ({ kind: 'no-method' }),
};

function noBlock(nodes: readonly NodeView[]): NoCandidate {
  let best: BlockRef | undefined;
  for (const { head } of nodes) if (head !== undefined && head.number > (best?.number ?? -1)) best = head;
  return { kind: 'no-block', best };
}
