import { Duration } from 'aws-cdk-lib';
import { MathExpression, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Alarms } from '../alarms';
import { nameOf } from '../names';
import type { Settings } from '../settings';
import { SOURCES } from './sources';

const MINUTE = Duration.minutes(1);

/** Percent of the one thread that runs commands; above it answers come late, then too late. */
const CPU_PERCENT = 80;
/** Percent; at 100 keys are thrown out before their time, filters among them. */
const MEMORY_PERCENT = 85;
/** Seconds; what a replica does not have yet is lost in a fail-over. */
const LAG_SECONDS = 10;

export function cacheAlarms(alarms: Alarms, settings: Settings): void {
  alarms.add({
    name: 'Cache short of CPU',
    severity: 'today',
    source: 'cache',
    metric: worstOfNodes(settings, 'EngineCPUUtilization'),
    threshold: CPU_PERCENT,
    periods: [10, 15],
  });
  alarms.add({
    name: 'Cache short of memory',
    severity: 'today',
    source: 'cache',
    metric: worstOfNodes(settings, 'DatabaseMemoryUsagePercentage'),
    threshold: MEMORY_PERCENT,
    periods: [10, 15],
  });
  alarms.add({
    name: 'Cache replica behind',
    severity: 'today',
    source: 'cache',
    metric: worstOfNodes(settings, 'ReplicationLag'),
    threshold: LAG_SECONDS,
    periods: [10, 15],
  });
}

/** As ElastiCache names the nodes of a group: any of them may be the primary, so all are watched. */
export function cacheNodes(settings: Settings): string[] {
  return Array.from(
    { length: 1 + settings.cache.replicas },
    (_, index) => `${nameOf(settings)}-${String(index + 1).padStart(3, '0')}`,
  );
}

export function cacheMetric(node: string, metricName: string): Metric {
  return new Metric({
    namespace: SOURCES.cache.namespace,
    metricName,
    dimensionsMap: { CacheClusterId: node },
    statistic: Stats.MAXIMUM,
    period: MINUTE,
    label: node,
  });
}

function worstOfNodes(settings: Settings, metricName: string): MathExpression {
  const nodes = cacheNodes(settings).map((node, index) => [`node${index + 1}`, cacheMetric(node, metricName)] as const);
  return new MathExpression({
    label: `${metricName} of the worst node`,
    expression: `MAX([${nodes.map(([id]) => id).join(', ')}])`,
    usingMetrics: Object.fromEntries(nodes),
    period: MINUTE,
  });
}
