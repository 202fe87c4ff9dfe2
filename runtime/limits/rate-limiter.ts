import type { LimitsConfig } from '../config/schema';
import type { StageRedis } from '../redis/shared-redis';
import { KnownClients } from './client-buckets';
import type { Decision, LimitedClient } from './decision';
import { compileLimitPolicy } from './limit-policy';
import { MemoryLimiter } from './memory-limiter';
import { RedisLimiter, type WithoutRedis } from './redis-limiter';

export interface RateLimiter {
  /** Whether anything is limited. */
  readonly isOn: boolean;
  /**
   * Decides a request, or the items of a batch, in one atomic step: each item in order, each as if it came alone. An
   * item is charged to the client's total and to its method's bucket, or to neither.
   *
   * @returns one decision per method, in order; undefined where nothing is limited. A promise only while Redis is asked
   */
  take(
    client: LimitedClient,
    methods: readonly string[],
  ): readonly Decision[] | Promise<readonly Decision[]> | undefined;
  /** The limits from now on. What clients have used of a total or of a method's limit stays used. */
  apply(config: LimitsConfig): void;
}

export type { WithoutRedis };

/** Where limits are shared between processes, and who is told of what is not. */
export interface SharedLimits {
  readonly redis: StageRedis;
  /** Calls were decided without Redis although there is one, and how. */
  readonly onWithout: (how: WithoutRedis, calls: number) => void;
}

/**
 * The limiter of this process. Limits are shared while a Redis is configured, which may change at any time.
 *
 * @param now milliseconds of any clock; one that is set back locks nobody out
 */
export function createRateLimiter(config: LimitsConfig, now: () => number, shared?: SharedLimits): RateLimiter {
  const clients = new KnownClients(now);
  clients.apply(compileLimitPolicy(config));
  const inProcess = new MemoryLimiter(clients);
  const inRedis = shared && new RedisLimiter(clients, shared.redis, config, shared.onWithout);
  return {
    get isOn() {
      return clients.areLimited;
    },
    take: (client, methods) => (inRedis?.isShared ? inRedis : inProcess).take(client, methods),
    apply: (next) => {
      clients.apply(compileLimitPolicy(next));
      inRedis?.apply(next);
    },
  };
}
