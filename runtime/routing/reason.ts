import type { NodeView } from '../nodes/node';
import type { RouteRequest, Verdict } from './verdict';

/** The verdict in words, with its numbers, for people who ask why a node was or was not chosen. */
export function toReason(verdict: Verdict, node: NodeView, request: RouteRequest, now: number): string {
  return REASONS[verdict](node, request, now);
}

type Reason = (node: NodeView, request: RouteRequest, now: number) => string;

const REASONS: Record<Verdict, Reason> = {
  healthy: () => 'healthy',
  'state-unsure': (_node, request) => `healthy, may have pruned the state of block ${blockOf(request)}`,
  lagging: (node) => healthText(node),
  unhealthy: (node) => healthText(node),
  'unhealthy-state-unsure': (node, request) =>
    `${healthText(node)}, may have pruned the state of block ${blockOf(request)}`,
  'state-gone': (node, request) => goneText(node, request),
  'unhealthy-state-gone': (node, request) => `${healthText(node)}, ${goneText(node, request)}`,
  'wrong-chain': (node) => healthText(node),
  'lacks-method': (_node, { method }) => `does not know ${method}`,
  resting: (node, _request, now) => `asked to rest for another ${Math.ceil(node.restingUntil - now)} ms`,
  tried: () => 'was tried already',
  'no-block': (node, request) => missingText(node, request),
  full: (node) => fullText(node),
  'unhealthy-no-block': (node, request) => `${healthText(node)}, ${missingText(node, request)}`,
  'unhealthy-full': (node) => `${healthText(node)}, ${fullText(node)}`,
};

function healthText({ health, ejected }: NodeView): string {
  if (health.state === 'down') return `down: ${health.reason}`;
  if (ejected !== undefined) return `ejected: ${ejected}`;
  return health.state === 'lagging' ? `lagging by ${health.behind}: ${health.reason}` : 'healthy';
}

function missingText({ head }: NodeView, request: RouteRequest): string {
  const wanted = blockOf(request);
  if (head === undefined) return `has shown no block yet, needs ${wanted}`;
  return head.number === Number(wanted)
    ? `has another block ${wanted} than the chain`
    : `is at block ${head.number}, needs ${wanted}`;
}

function goneText(node: NodeView, request: RouteRequest): string {
  return `has no state before block ${node.oldestState}, needs ${blockOf(request)}`;
}

function fullText({ inFlight, maxInFlight }: NodeView): string {
  return `full: ${inFlight} of ${maxInFlight} requests in flight`;
}

function blockOf({ need }: RouteRequest): string {
  return need.kind === 'none' ? 'none' : String(need.number);
}
