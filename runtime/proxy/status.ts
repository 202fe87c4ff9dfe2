import type { ChainStatus, NodeStatus, RedisStatus } from '../admin/status';
import type { NodeView } from '../nodes/node';
import type { SharedRedis } from '../redis/shared-redis';
import type { Chain } from './chain/chain';
import type { NodeStats } from './chain/node-stats';
import type { WatchedChain } from './head/chain-watch';

export interface ChainParts {
  readonly name: string;
  readonly chainId: number;
  readonly balancing: string;
  readonly paths: readonly string[];
  readonly chain: Chain;
  readonly stats: NodeStats;
}

/** One chain as people see it. @param now epoch milliseconds */
export function chainStatus({ name, chainId, balancing, paths, chain, stats }: ChainParts, now: number): ChainStatus {
  const { tracker, registry } = chain.nodes;
  const { head } = tracker;
  const recent = registry.nodes.reduce((sum, node) => sum + stats.recent(node.name), 0);
  return {
    name,
    chainId,
    paths,
    balancing,
    head: head && { number: head.number, hash: head.hash, time: toTime(head.timestamp) },
    blockTimeMs: Math.round(tracker.blockTimeMs),
    inFlight: registry.nodes.reduce((sum, node) => sum + node.inFlight, 0),
    nodes: registry.nodes.map((node) => nodeStatus(node, head?.number, stats, recent, now)),
  };
}

/** The last moment there is a text for (ECMA-262, 21.4.1.1). */
const LAST_MS = 8.64e15;

/** A block may name any second it likes; one that no text can tell must not take the whole page with it. */
function toTime(seconds: number): string {
  return new Date(Math.min(seconds * 1000, LAST_MS)).toISOString();
}

/** One chain as the log knows it. */
export function watchedChain({ name, chain: { nodes } }: ChainParts): WatchedChain {
  const { tracker, registry } = nodes;
  const isServed = registry.nodes.some(({ health }) => health.state === 'up');
  return { name, isServed, head: tracker.head?.number, blockTimeMs: tracker.blockTimeMs };
}

export function redisStatus({ configured, usable, problem, troubles }: SharedRedis): RedisStatus | undefined {
  return configured ? { up: usable, code: problem?.code, reason: problem?.message, troubles } : undefined;
}

function nodeStatus(
  node: NodeView,
  head: number | undefined,
  stats: NodeStats,
  recentOfAll: number,
  now: number,
): NodeStatus {
  const { name, health, latencyMs, inFlight, weight, tier, ejected } = node;
  return {
    name,
    health: health.state,
    reason: reasonOf(node, now),
    since: new Date(node.healthSince).toISOString(),
    head: node.head?.number,
    lag: head === undefined || node.head === undefined ? undefined : Math.max(0, head - node.head.number),
    latencyMs: latencyMs === undefined ? undefined : Math.round(latencyMs * 100) / 100,
    inFlight,
    weight,
    tier,
    ejected,
    restingForMs: Math.max(0, Math.ceil(node.restingUntil - now)),
    share: recentOfAll === 0 ? 0 : Math.round((stats.recent(name) / recentOfAll) * 1000) / 1000,
    attempts: stats.attempts(name),
    errors: stats.errors(name),
    lastError: stats.lastError(name),
  };
}

/** Why it is not up, or takes no traffic although it is. */
function reasonOf({ health, ejected, restingUntil }: NodeView, now: number): string | undefined {
  if (health.state !== 'up') return health.reason;
  if (ejected !== undefined) return ejected;
  return restingUntil > now ? 'asked for a pause' : undefined;
}
