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
      const own = found as Readonly<Record<string, string | number | undefined>>;
      if (wanted.every(([label, value]) => own[label] === value)) metric.remove(own as Record<string, string>);
    }
  }
}
