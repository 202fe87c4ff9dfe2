import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FiltersConfig } from '../config/schema';
import { Filters } from '../filters/filters';
import { MemoryStore } from '../filters/memory-store';
import { Quota } from '../filters/quota';
import { RedisStore } from '../filters/redis-store';
import type { RequestContext } from '../front/exchange';
import type { SharedRedis } from '../redis/shared-redis';
import { ownRequest } from '../rpc/own-request';
import { now } from '../util/clock';
import type { ChainFilterNodes } from './filter-nodes';
import type { ChainEvents } from './instrument';
import type { Pipeline } from './pipeline';

export interface ChainFiltersOptions {
  readonly config: FiltersConfig;
  readonly chainId: number;
  readonly redis: SharedRedis;
  readonly nodes: ChainFilterNodes;
  readonly wasOurs: (hash: string) => boolean;
  readonly pipeline: Pick<Pipeline, 'ask'>;
  readonly events: Pick<ChainEvents, 'onFilterPoll' | 'onFilterLost' | 'onError'>;
}

/** The filters of one chain: what they need of the other stages is handed to them here. */
export function createChainFilters(options: ChainFiltersOptions): Filters<RequestContext> {
  const { config, chainId, redis, nodes, wasOurs, pipeline, events } = options;
  const store = new RedisStore({
    redis: redis.for('filters'),
    chainId,
    copies: new MemoryStore({ ...config, now }),
    ttlMs: config.ttlMs,
    timeoutMs: config.redisTimeoutMs,
    now,
    sleep,
  });
  const bringBack = (): void => void store.bringBack().catch(events.onError);
  redis.onBack(bringBack);
  return new Filters({
    store,
    close: () => redis.offBack(bringBack),
    quota: new Quota({ ...config, now }),
    sticky: config.mode === 'sticky',
    nodes,
    maxBlocks: config.maxLogBlocks,
    wasOurs,
    send: (context) => (method, params) => pipeline.ask(ownRequest(method, params), context),
    randomHex: (bytes) => randomBytes(bytes).toString('hex'),
    onPoll: events.onFilterPoll,
    onLost: events.onFilterLost,
  });
}
