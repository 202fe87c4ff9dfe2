import { randomBytes } from 'node:crypto';
import type { FiltersConfig } from '../config/schema';
import { Filters } from '../filters/filters';
import { MemoryStore } from '../filters/memory-store';
import { Quota } from '../filters/quota';
import type { RequestContext } from '../front/exchange';
import { ownRequest } from '../rpc/own-request';
import { now } from '../util/clock';
import type { ChainEvents } from './instrument';
import type { Pipeline } from './pipeline';

export interface ChainFiltersOptions {
  readonly config: FiltersConfig;
  readonly pipeline: Pick<Pipeline, 'ask'>;
  readonly events: Pick<ChainEvents, 'onFilterPoll'>;
}

/** The filters of one chain: what they need of the other stages is handed to them here. */
export function createChainFilters({ config, pipeline, events }: ChainFiltersOptions): Filters<RequestContext> {
  return new Filters({
    store: new MemoryStore({ ...config, now }),
    quota: new Quota({ ...config, now }),
    maxBlocks: config.maxLogBlocks,
    send: (context) => (method, params) => pipeline.ask(ownRequest(method, params), context),
    randomHex: (bytes) => randomBytes(bytes).toString('hex'),
    onPoll: events.onFilterPoll,
  });
}
