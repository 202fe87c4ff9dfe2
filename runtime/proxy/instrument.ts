import type { FilterKind } from '../filters/record';
import type { PollHow } from '../filters/step';
import type { SharedLimits, WithoutRedis } from '../limits/rate-limiter';
import type { RegistryHooks } from '../nodes/registry';
import type { RedisPurpose, SharedRedisEvents } from '../redis/shared-redis';
import type { RefusalCode } from '../rpc/errors';
import { isKnownMethod } from '../rpc/methods';
import type { Outcome } from '../rpc/outcome';
import { forgetSeries } from '../telemetry/forget';
import type { Logger } from '../telemetry/logger';
import type { Metrics } from '../telemetry/metrics';
import type { Tallies, Tally } from '../telemetry/tally';
import type { NodeStats } from './chain/node-stats';
import type { HeadFeedEvents } from './head/head-feeds';
import type { CacheLookup } from './pipeline';

/** What a chain tells of itself. */
export interface ChainEvents extends Required<RegistryHooks>, HeadFeedEvents {
  readonly onHandled: (method: string, outcome: Outcome, ms: number) => void;
  readonly onAttempt: (node: string) => void;
  readonly onFailure: (node: string, code: string, message: string) => void;
  readonly onCache: (what: CacheLookup) => void;
  /** An answer that could have been kept was, or was not. */
  readonly onKept: (kept: boolean) => void;
  readonly onReorg: () => void;
  readonly onFilterPoll: (kind: FilterKind, how: PollHow) => void;
  /** A filter lost the node that kept it. */
  readonly onFilterLost: (kind: FilterKind) => void;
  /** The node is none of the chain's any more; nothing more is told of it. */
  readonly onRemoved: (node: string) => void;
  readonly onError: (error: unknown) => void;
  /** The chain is closed. */
  readonly onClosed: () => void;
}

/** Connects what a chain tells to metrics, to the log, and to the tallies of the status page. */
export function instrument(chain: string, metrics: Metrics, log: Logger, stats: NodeStats): ChainEvents {
  const tallies = metrics.tallies.scope();
  const handled = new HandledCounters(chain, metrics, tallies);
  const attempts = new Map<string, Tally>();
  const polls = bound((what: `${FilterKind} ${PollHow}`) => {
    const [kind = '', how = ''] = what.split(' ');
    return tallies.of(metrics.filterPolls, { chain, kind, how });
  });
  const lookups = {
    hit: tallies.of(metrics.cache, { chain, result: 'hit' }),
    hit_redis: tallies.of(metrics.cache, { chain, result: 'hit_redis' }),
    miss: tallies.of(metrics.cache, { chain, result: 'miss' }),
    shared: tallies.of(metrics.cache, { chain, result: 'shared' }),
    uncached: tallies.of(metrics.cache, { chain, result: 'uncached' }),
  };
  const refusedByCache = tallies.of(metrics.cacheRefused, { chain });
  return {
    onHandled: (method, outcome, ms) => handled.count(method, outcome, ms),
    onAttempt: (node) => {
      let tally = attempts.get(node);
      if (tally === undefined) attempts.set(node, (tally = tallies.of(metrics.nodeAttempts, { chain, node })));
      tally.add();
      stats.attempted(node);
    },
    onFailure: (node, code, message) => {
      metrics.nodeErrors.inc({ chain, node, code });
      stats.failed(node, code, message);
      log.debug({ chain, node, code, reason: message }, 'attempt failed');
    },
    onProbe: (node) => metrics.nodeProbes.inc({ chain, node }),
    onCache: (what) => lookups[what].add(),
    onKept: (kept) => {
      if (!kept) refusedByCache.add();
    },
    onTransition: ({ node, from, to, reason }) => {
      const level = to === 'up' ? 'info' : 'warn';
      log[level]({ chain, node, from, reason }, `node ${to}`);
    },
    onEject: ({ node, reason }) => {
      metrics.nodeEjections.inc({ chain, node });
      log.warn({ chain, node, reason }, 'node ejected');
    },
    onReturn: ({ node }) => log.info({ chain, node }, 'node back'),
    onRest: ({ node, untilMs }) => {
      metrics.nodeRests.inc({ chain, node });
      log.warn({ chain, node, until: new Date(untilMs).toISOString() }, 'node asked for a pause');
    },
    onSocketOpen: ({ node }) => log.info({ chain, node }, 'node socket open'),
    onSocketLost: ({ node, code, reason }) => log.warn({ chain, node, code, reason }, 'node socket lost'),
    onFilterPoll: (kind, how) => polls(`${kind} ${how}`).add(),
    onFilterLost: (kind) => metrics.filtersLost.inc({ chain, kind }),
    onReorg: () => {
      metrics.chainReorgs.inc({ chain });
      log.info({ chain }, 'chain reorganised');
    },
    onError: (error) => {
      metrics.exceptions.inc();
      log.error({ chain, err: error }, 'a request met a defect');
    },
    onRemoved: (node) => {
      tallies.drop(attempts.get(node));
      attempts.delete(node);
      stats.forget(node);
      void forgetSeries(metrics.registry, { chain, node });
    },
    onClosed: () => tallies.close(),
  };
}

/** Connects what Redis does to metrics and to the log. */
export function instrumentRedis(metrics: Metrics, log: Logger): SharedRedisEvents {
  const timers = bound((purpose: RedisPurpose) => metrics.redisSeconds.labels({ purpose }));
  return {
    onUp: () => log.info('Redis answers'),
    onDown: ({ code, message }) => log.warn({ code, reason: message }, 'Redis does not answer'),
    onAnswer: (purpose, ms) => timers(purpose).observe(ms / 1000),
    onFailure: (purpose, code) => metrics.redisFailures.inc({ purpose, code }),
    onTrouble: (purpose, { code, message }) => log.warn({ purpose, code, reason: message }, 'Redis does not help'),
    onTroubleOver: (purpose) => log.info({ purpose }, 'Redis helps again'),
  };
}

/** Counts the calls whose limits were decided without Redis, by how. */
export function instrumentLimits({ tallies, limitsAlone }: Metrics): SharedLimits['onWithout'] {
  const counters = bound((how: WithoutRedis) => tallies.of(limitsAlone, { how }));
  return (how, calls) => counters(how).add(calls);
}

/** Makes each child once: looking labels up costs more than the rest of the counting. */
function bound<T, K extends string = string>(make: (key: K) => T): (key: K) => T {
  const made = new Map<K, T>();
  return (key) => {
    let child = made.get(key);
    if (child === undefined) made.set(key, (child = make(key)));
    return child;
  };
}

type Label = 'result' | 'error' | Lowercase<RefusalCode>;

/** Counts requests by method and outcome. */
class HandledCounters {
  private readonly counters;
  private readonly timers;

  constructor(chain: string, metrics: Metrics, tallies: Tallies) {
    // One map for each method, so that no key has to be put together.
    this.counters = bound((method) =>
      bound((outcome: string) => tallies.of(metrics.requests, { chain, method, outcome })),
    );
    this.timers = bound((method) => metrics.requestSeconds.labels({ chain, method }));
  }

  count(method: string, outcome: Outcome, ms: number): void {
    // Names are the callers' to invent, labels are not.
    const name = isKnownMethod(method) ? method : 'other';
    this.counters(name)(toLabel(outcome)).add();
    this.timers(name).observe(ms / 1000);
  }
}

function toLabel(outcome: Outcome): Label {
  switch (outcome.kind) {
    case 'result':
    case 'stream':
      return 'result';
    case 'error':
      return 'error';
    case 'refused':
      return outcome.refused.reason.toLowerCase() as Lowercase<RefusalCode>;
  }
}
