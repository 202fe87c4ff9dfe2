import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FiltersConfig } from '../../config/schema';
import { Filters } from '../../filters/filters';
import { MemoryStore } from '../../filters/memory-store';
import { Quota } from '../../filters/quota';
import { RedisStore } from '../../filters/redis-store';
import type { RequestContext } from '../../front/exchange';
import type { SharedRedis } from '../../redis/shared-redis';
import type { RpcRequest } from '../../rpc/message';
import type { Outcome } from '../../rpc/outcome';
import { ownRequest } from '../../rpc/own-request';
import { now } from '../../util/clock';
import type { ChainEvents } from '../instrument';
import type { ChainFilterNodes } from './filter-nodes';

export interface ChainFiltersOptions {
  readonly chainId: number;
  readonly redis: SharedRedis;
  readonly nodes: ChainFilterNodes;
  readonly wasOurs: (hash: string) => boolean;
  /** Sends a question of our own the way of requests. */
  readonly ask: (request: RpcRequest, context: RequestContext) => Promise<Outcome>;
  readonly events: Pick<ChainEvents, 'onFilterPoll' | 'onFilterLost' | 'onError'>;
}

/** The filters of one chain: what they need of the other stages is handed to them here. Reloads change their rules only. */
export class ChainFilters {
  private readonly filters: Filters<RequestContext>;
  private readonly copies: MemoryStore;
  private readonly quota: Quota;
  private readonly settings: { config: FiltersConfig };

  constructor(config: FiltersConfig, options: ChainFiltersOptions) {
    const { chainId, redis, nodes, wasOurs, ask, events } = options;
    const settings = (this.settings = { config });
    this.copies = new MemoryStore(config, now);
    this.quota = new Quota(config, now);
    const store = new RedisStore({
      redis: redis.for('filters'),
      chainId,
      copies: this.copies,
      get ttlMs() {
        return settings.config.ttlMs;
      },
      get timeoutMs() {
        return settings.config.redisTimeoutMs;
      },
      now,
      sleep,
    });
    const bringBack = (): void => void store.bringBack().catch(events.onError);
    redis.onBack('filters', bringBack);
    this.filters = new Filters({
      store,
      close: () => redis.offBack('filters', bringBack),
      quota: this.quota,
      get sticky() {
        return settings.config.mode === 'sticky';
      },
      nodes,
      get maxBlocks() {
        return settings.config.maxLogBlocks;
      },
      wasOurs,
      send: (context) => (method, params) => ask(ownRequest(method, params), context),
      randomHex: (bytes) => randomBytes(bytes).toString('hex'),
      onPoll: events.onFilterPoll,
      onLost: events.onFilterLost,
    });
  }

  /** Filters this process knows of, about. */
  get open(): number {
    return this.filters.open;
  }

  handle(request: RpcRequest, context: RequestContext): Promise<Outcome> {
    return this.filters.handle(request, context);
  }

  /** Other rules; the filters there are live on by them. */
  apply(config: FiltersConfig): void {
    const { ttlMs, maxFilters } = this.settings.config;
    this.settings.config = config;
    if (config.ttlMs !== ttlMs || config.maxFilters !== maxFilters) this.copies.apply(config);
    this.quota.apply(config);
  }

  close(): void {
    this.filters.close();
  }
}
