import type { Registry } from 'prom-client';
import { METRICS } from '../contract/metrics';

/** Removes all that is told under these labels: of a node or a chain that is gone. What is counted anew begins at 0. */
export async function forgetSeries(registry: Registry, labels: Readonly<Record<string, string>>): Promise<void> {
  const wanted = Object.entries(labels);
  for (const name of Object.values(METRICS)) {
    const metric = registry.getSingleMetric(name);
    if (metric === undefined) continue;
    const { values } = await metric.get();
    for (const { labels: found } of values) {
      // The buckets of a histogram are no series of their own.
      const { le: _, ...own } = found as Readonly<Record<string, string>>;
      if (wanted.every(([label, value]) => own[label] === value)) metric.remove(own);
    }
  }
}
