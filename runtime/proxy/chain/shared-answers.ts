import { RedisCache } from '../../cache/redis-cache';
import type { CacheConfig } from '../../config/schema';
import type { SharedRedis } from '../../redis/shared-redis';
import type { PipelineStages } from '../pipeline';
import type { ChainNodes } from './chain-nodes';

/** Undefined where nothing is to be kept in Redis. */
export function createSharedCache(
  { redisTtlMs, redisTimeoutMs }: CacheConfig,
  redis: SharedRedis,
  nodes: ChainNodes,
): RedisCache | undefined {
  if (redisTtlMs === 0) return undefined;
  const identity = (): string | undefined => nodes.identity;
  return new RedisCache({ redis: redis.for('cache'), identity, ttlMs: redisTtlMs, timeoutMs: redisTimeoutMs });
}

/**
 * An answer that names a block this process does not believe yet, or one of another branch, is not taken from others:
 * who saw it would read an older state afterwards.
 */
export function createRecall(shared: RedisCache | undefined, nodes: ChainNodes): PipelineStages['recall'] {
  if (shared === undefined) return () => undefined;
  return (keeping, { row }) => {
    if (!keeping.shared || !shared.usable) return undefined;
    const found = shared.get(keeping.key);
    if (row.namesBlock !== true) return found;
    return found.then((answer) =>
      answer !== undefined && nodes.knows(Buffer.from(answer.text, 'latin1')) ? answer : undefined,
    );
  };
}
