import type { RefusalCode } from '../rpc/errors';
import { isKnownMethod } from '../rpc/methods';
import type { Outcome } from '../rpc/outcome';
import type { RegistryHooks } from '../nodes/registry';
import type { Logger } from '../telemetry/logger';
import type { Metrics } from '../telemetry/metrics';
import type { NodeStats } from './node-stats';

/** What a chain tells of itself. */
export interface ChainEvents extends Required<RegistryHooks> {
  readonly onHandled: (method: string, outcome: Outcome, ms: number) => void;
  readonly onAttempt: (node: string) => void;
  readonly onFailure: (node: string, code: string, message: string) => void;
  /** A question of our own was sent to the node. */
  readonly onProbe: (node: string) => void;
  readonly onCache: (what: 'hit' | 'miss' | 'shared' | 'uncached') => void;
  /** An answer that could have been kept was, or was not. */
  readonly onKept: (kept: boolean) => void;
  readonly onReorg: () => void;
  readonly onError: (error: unknown) => void;
}

/** Connects what a chain tells to metrics, to the log, and to the tallies of the status page. */
export function instrument(chain: string, metrics: Metrics, log: Logger, stats: NodeStats): ChainEvents {
  const handled = new HandledCounters(chain, metrics);
  const lookups = {
    hit: metrics.cache.labels({ chain, result: 'hit' }),
    miss: metrics.cache.labels({ chain, result: 'miss' }),
    shared: metrics.cache.labels({ chain, result: 'shared' }),
    uncached: metrics.cache.labels({ chain, result: 'uncached' }),
  };
  const refusedByCache = metrics.cacheRefused.labels({ chain });
  return {
    onHandled: (method, outcome, ms) => handled.count(method, outcome, ms),
    onAttempt: (node) => {
      metrics.nodeAttempts.inc({ chain, node });
      stats.attempted(node);
    },
    onFailure: (node, code, message) => {
      metrics.nodeErrors.inc({ chain, node, code });
      stats.failed(node, code, message);
      log.debug({ chain, node, code, reason: message }, 'attempt failed');
    },
    onProbe: (node) => metrics.nodeProbes.inc({ chain, node }),
    onCache: (what) => lookups[what].inc(),
    onKept: (kept) => {
      if (!kept) refusedByCache.inc();
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
    onReorg: () => {
      metrics.chainReorgs.inc({ chain });
      log.info({ chain }, 'chain reorganised');
    },
    onError: (error) => {
      metrics.exceptions.inc();
      log.error({ chain, err: error }, 'a request met a defect');
    },
  };
}

type Label = 'result' | 'error' | Lowercase<RefusalCode>;

/** Counts requests with bound children: looking labels up costs more than the rest of the counting. */
class HandledCounters {
  private readonly children = new Map<string, { inc(): void }>();
  private readonly timers = new Map<string, { observe(seconds: number): void }>();

  constructor(
    private readonly chain: string,
    private readonly metrics: Metrics,
  ) {}

  count(method: string, outcome: Outcome, ms: number): void {
    // Names are the callers' to invent, labels are not.
    const name = isKnownMethod(method) ? method : 'other';
    const label = toLabel(outcome);
    const key = `${name} ${label}`;
    let child = this.children.get(key);
    if (child === undefined) {
      child = this.metrics.requests.labels({ chain: this.chain, method: name, outcome: label });
      this.children.set(key, child);
    }
    child.inc();
    let timer = this.timers.get(name);
    if (timer === undefined) {
      timer = this.metrics.requestSeconds.labels({ chain: this.chain, method: name });
      this.timers.set(name, timer);
    }
    timer.observe(ms / 1000);
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
