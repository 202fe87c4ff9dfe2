import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import type { SharedRedis } from '../redis/shared-redis';
import type { Gauge, Metrics } from '../telemetry/metrics';
import type { Chain } from './chain/chain';

const STATES = ['up', 'lagging', 'down'] as const;
const QUANTILES = [0.5, 0.99, 1] as const;

/** Reads what is a state rather than a count, at the moment somebody looks. */
export class Gauges {
  private readonly delay: IntervalHistogram = monitorEventLoopDelay({ resolution: 10 });

  constructor(
    private readonly metrics: Metrics,
    private readonly chains: () => readonly { readonly name: string; readonly chain: Chain }[],
    private readonly connections: () => number,
    private readonly redis: SharedRedis,
  ) {
    this.delay.enable();
  }

  read(): void {
    const { metrics } = this;
    metrics.tallies.flush();
    metrics.connections.set(this.connections());
    if (this.redis.configured) metrics.redisUp.set(this.redis.usable ? 1 : 0);
    else metrics.redisUp.remove();
    for (const { name, chain } of this.chains()) this.readChain(name, chain);
    for (const quantile of QUANTILES) {
      const ns = quantile === 1 ? this.delay.max : this.delay.percentile(quantile * 100);
      metrics.eventLoopDelay.set({ quantile: String(quantile) }, Number.isFinite(ns) ? ns / 1e9 : 0);
    }
    this.delay.reset();
  }

  close(): void {
    this.delay.disable();
  }

  private readChain(chain: string, { nodes: { tracker, registry, feeds }, inFlight, cache, filters }: Chain): void {
    const { metrics } = this;
    show(metrics.cacheBytes, { chain }, cache?.bytes);
    metrics.filters.set({ chain }, filters.open);
    const head = tracker.head?.number;
    metrics.inFlight.set({ chain }, inFlight);
    show(metrics.chainHead, { chain }, head);
    for (const node of registry.nodes) {
      const labels = { chain, node: node.name };
      for (const state of STATES) metrics.nodeHealth.set({ ...labels, state }, node.health.state === state ? 1 : 0);
      metrics.nodeInFlight.set(labels, node.inFlight);
      const { name, latencyMs } = node;
      const following = feeds.isFollowing(name);
      const lag = head !== undefined && node.head !== undefined ? Math.max(0, head - node.head.number) : undefined;
      show(metrics.nodeSocket, labels, following === undefined ? undefined : Number(following));
      show(metrics.nodeLatency, labels, latencyMs === undefined ? undefined : latencyMs / 1000);
      show(metrics.nodeHead, labels, node.head?.number);
      show(metrics.nodeLag, labels, lag);
    }
  }
}

/** What is not known, or not any more, is not told. */
function show<L extends string>(gauge: Gauge<L>, labels: Record<L, string>, value: number | undefined): void {
  if (value === undefined) gauge.remove(labels);
  else gauge.set(labels, value);
}
