import type { NodeView } from '../nodes/node';

/** Round trips below this count as this: between two fast nodes the difference is noise. */
const LATENCY_FLOOR_MS = 20;
/** Latencies that differ more than this many times decide a tie. */
const LATENCY_RATIO = 2;

/**
 * The power of two choices: of two nodes sampled by weight, the one with the lower load, (in flight + 1) / weight. At
 * equal load, and between two idle nodes, a node more than twice as slow loses; otherwise the first sampled wins, so
 * that ties are broken at random and idle traffic spreads by weight.
 *
 * @param random uniform in [0, 1)
 * @returns undefined only for no nodes
 */
export function pickTwoChoices(nodes: readonly NodeView[], random: () => number): NodeView | undefined {
  if (nodes.length < 2) return nodes[0];
  const total = totalWeight(nodes);
  const first = sample(nodes, random() * total, undefined);
  if (first === undefined) return undefined;
  const second = sample(nodes, random() * (total - first.weight), first);
  return second === undefined || isBetter(first, second) ? first : second;
}

function totalWeight(nodes: readonly NodeView[]): number {
  let total = 0;
  for (const node of nodes) total += node.weight;
  return total;
}

/** The node that covers `point` when the others lie side by side, each as wide as its weight. */
function sample(nodes: readonly NodeView[], point: number, without: NodeView | undefined): NodeView | undefined {
  let left = point;
  let last: NodeView | undefined;
  for (const node of nodes) {
    if (node === without) continue;
    last = node;
    left -= node.weight;
    if (left < 0) return node;
  }
  // Sums of fractions may fall short of the total by a hair: the point was at the very end.
  return last;
}

/** Whether `first` keeps its place against `second`. */
function isBetter(first: NodeView, second: NodeView): boolean {
  if (first.inFlight > 0 || second.inFlight > 0) {
    // Loads are compared without dividing: a/b < c/d is a*d < c*b.
    const firstLoad = (first.inFlight + 1) * second.weight;
    const secondLoad = (second.inFlight + 1) * first.weight;
    if (firstLoad !== secondLoad) return firstLoad < secondLoad;
  }
  return !isMuchSlower(first, second);
}

function isMuchSlower(node: NodeView, other: NodeView): boolean {
  if (node.latencyMs === undefined || other.latencyMs === undefined) return false;
  return node.latencyMs > LATENCY_RATIO * Math.max(LATENCY_FLOOR_MS, other.latencyMs);
}
