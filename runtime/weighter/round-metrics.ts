import type { WeighterMetrics } from '../telemetry/weighter-metrics';
import { isDone, type RoundReport } from './round-report';
import { nameOf } from './targets';

/** Turns what rounds report into metrics. */
export class RoundMetrics {
  private doneAt: number;

  /** @param clock milliseconds that never step backwards */
  constructor(
    private readonly metrics: WeighterMetrics,
    private readonly clock: () => number,
  ) {
    this.doneAt = clock();
  }

  take(report: RoundReport): void {
    const { metrics } = this;
    if (report.probed) this.takeProbes(report);
    if (report.error) metrics.socketErrors.inc({ code: report.error.code });
    if (report.restart) metrics.restarts.inc();
    const labelsOf = new Map(report.servers.map(({ target }) => [nameOf(target), labels(target)]));
    if (report.view !== undefined) {
      metrics.weightSet.reset();
      for (const state of report.view.servers) {
        const known = labelsOf.get(nameOf(state));
        if (known) metrics.weightSet.set(known, state.weight);
      }
    }
    for (const { name, to, refusal } of report.changes) {
      const known = labelsOf.get(name);
      if (known === undefined) continue;
      if (refusal) metrics.refusals.inc({ ...known, code: refusal.code });
      else {
        metrics.adjustments.inc(known);
        metrics.weightSet.set(known, to);
      }
    }
    if (isDone(report)) this.doneAt = this.clock();
  }

  /** The text for Prometheus. */
  async show(): Promise<{ readonly contentType: string; readonly text: string }> {
    const { registry, staleness } = this.metrics;
    staleness.set((this.clock() - this.doneAt) / 1000);
    return { contentType: registry.contentType, text: await registry.metrics() };
  }

  private takeProbes({ servers, at }: RoundReport): void {
    const { metrics } = this;
    metrics.rounds.inc();
    // Servers that are gone, and what is not known any more, leave no number behind.
    for (const gauge of [metrics.weight, metrics.latency, metrics.blockAge, metrics.blockNumber]) gauge.reset();
    for (const { target, weighing, result } of servers) {
      const server = labels(target);
      metrics.weight.set(server, weighing.weight);
      metrics.probes.inc(server);
      if (result.code !== undefined) metrics.probeFailures.inc({ ...server, code: result.code });
      if (!result.observation.answered) continue;
      const { latencyMs, blockTime, blockNumber } = result.observation;
      metrics.latency.set(server, latencyMs / 1000);
      metrics.blockAge.set(server, (at - blockTime) / 1000);
      metrics.blockNumber.set(server, blockNumber);
    }
  }
}

function labels({ backend, server }: { readonly backend: string; readonly server: string }) {
  return { backend, server };
}
