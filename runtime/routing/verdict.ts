import type { NodeView } from '../nodes/node';
import type { BlockNeed } from '../rpc/block-need';

/** What routing must know of a request. */
export interface RouteRequest {
  readonly need: BlockNeed;
  readonly method: string;
  /** Nodes that were tried for this request already; they are not chosen again. */
  readonly exclude: readonly NodeView[];
}

/** How nodes are judged; the predicates are handed in by those who know. */
export interface RoutingRules {
  /** Full nodes keep the state of this many newest blocks. */
  readonly recentStateBlocks: number;
  /** The node has answered lately that it does not know the method. */
  readonly lacksMethod?: (node: NodeView, method: string) => boolean;
  /** Whether the node's block at the pinned height is ours; asked only of nodes whose head has that height. */
  readonly onBranch?: (node: NodeView, number: number) => boolean;
}

/** How a node may serve a request. */
export type ServingVerdict =
  | 'healthy'
  /** Healthy, and has the block, but may have pruned its state. */
  | 'state-unsure'
  /** Has the block, but is behind the chain's head. */
  | 'lagging'
  /** Down or ejected. */
  | 'unhealthy'
  | 'unhealthy-state-unsure'
  /** Healthy, but has said that it no longer has this state. */
  | 'state-gone'
  | 'unhealthy-state-gone';

/** Why a node may not. */
export type BarredVerdict =
  'wrong-chain' | 'lacks-method' | 'resting' | 'tried' | 'no-block' | 'full' | 'unhealthy-no-block' | 'unhealthy-full';

export type Verdict = ServingVerdict | BarredVerdict;

/** The order nodes are used in: of all nodes that may serve, only those of the lowest number do. */
const RANK: Record<Verdict, number> = {
  healthy: 0,
  'state-unsure': 1,
  lagging: 2,
  unhealthy: 3,
  'unhealthy-state-unsure': 4,
  'state-gone': 5,
  'unhealthy-state-gone': 6,
  'wrong-chain': Infinity,
  'lacks-method': Infinity,
  resting: Infinity,
  tried: Infinity,
  'no-block': Infinity,
  full: Infinity,
  'unhealthy-no-block': Infinity,
  'unhealthy-full': Infinity,
};

/** From here on nodes differ in how well they serve: a higher head is better. */
export const LAGGING_RANK = RANK.lagging;
/** From here on a node serves only because nobody better is left. */
export const LAST_RESORT_RANK = RANK.unhealthy;

/** Infinity for a node that may not serve. */
export function rankOf(verdict: Verdict): number {
  return RANK[verdict];
}

export function isServing(verdict: Verdict): verdict is ServingVerdict {
  return RANK[verdict] < Infinity;
}

type StateKept = 'kept' | 'unsure' | 'gone';

const HEALTHY: Record<StateKept, ServingVerdict> = { kept: 'healthy', unsure: 'state-unsure', gone: 'state-gone' };
const UNHEALTHY: Record<StateKept, ServingVerdict> = {
  kept: 'unhealthy',
  unsure: 'unhealthy-state-unsure',
  gone: 'unhealthy-state-gone',
};

/**
 * Whether and how a node may serve a request at this moment. A lagging node counts as healthy for history it has.
 *
 * @param now epoch milliseconds
 */
export function judge(node: NodeView, request: RouteRequest, rules: RoutingRules, now: number): Verdict {
  const { health } = node;
  const { need } = request;
  if (health.state === 'down' && health.wrongChain) return 'wrong-chain';
  if (rules.lacksMethod?.(node, request.method) === true) return 'lacks-method';
  if (node.restingUntil > now) return 'resting';
  if (isIn(request.exclude, node)) return 'tried';
  const healthy = health.state !== 'down' && node.ejected === undefined;
  if (!hasBlock(node, need, rules)) return healthy ? 'no-block' : 'unhealthy-no-block';
  if (node.maxInFlight > 0 && node.inFlight >= node.maxInFlight) return healthy ? 'full' : 'unhealthy-full';
  const state = keepsState(node, need, rules);
  if (!healthy) return UNHEALTHY[state];
  const atHead = need.kind === 'none' || need.kind === 'head';
  return atHead && health.state === 'lagging' ? 'lagging' : HEALTHY[state];
}

/** By name: a reload may have put a new object in the place of a node. */
function isIn(tried: readonly NodeView[], node: NodeView): boolean {
  for (const { name } of tried) if (name === node.name) return true;
  return false;
}

function hasBlock(node: NodeView, need: BlockNeed, rules: RoutingRules): boolean {
  if (need.kind === 'none') return true;
  const { head } = node;
  if (head === undefined || head.number < need.number) return false;
  return rules.onBranch?.(node, need.number) ?? true;
}

function keepsState(node: NodeView, need: BlockNeed, rules: RoutingRules): StateKept {
  if (need.kind !== 'state') return 'kept';
  if (node.oldestState > need.number) return 'gone';
  const isRecent = node.head !== undefined && node.head.number - need.number < rules.recentStateBlocks;
  return node.archive || isRecent ? 'kept' : 'unsure';
}
