import { Duration } from 'aws-cdk-lib';
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { NAMES } from '../../runtime/contract/names';
import type { Alarms } from '../alarms';
import { nameOf } from '../names';
import type { Settings } from '../settings';
import { SOURCES } from './sources';

const MINUTE = Duration.minutes(1);

export function containerAlarms(alarms: Alarms, settings: Settings): void {
  const { min, max } = settings.workload.replicas;
  alarms.add({
    name: 'Pods missing',
    severity: 'now',
    source: 'containers',
    metric: runningPods(settings),
    threshold: min,
    isBad: 'below',
    periods: [15, 15],
    // Without the agent nobody counts log lines either.
    missing: 'bad',
  });
  alarms.add({
    name: 'Autoscaler at its maximum',
    severity: 'today',
    source: 'containers',
    metric: runningPods(settings),
    threshold: max,
    periods: [30, 30],
  });
  alarms.add({
    name: 'Failed nodes',
    severity: 'today',
    source: 'containers',
    metric: containerMetric(settings, 'cluster_failed_node_count', Stats.MAXIMUM),
    threshold: 1,
    periods: [10, 15],
  });
}

/** Pods of the proxy that run, at most of the minute. */
export function runningPods(settings: Settings): Metric {
  return containerMetric(settings, 'service_number_of_running_pods', Stats.MAXIMUM, {
    Namespace: settings.workload.namespace,
    Service: NAMES.app,
  });
}

export function containerMetric(
  settings: Settings,
  metricName: string,
  statistic: string,
  dimensions: Readonly<Record<string, string>> = {},
): Metric {
  return new Metric({
    namespace: SOURCES.containers.namespace,
    metricName,
    dimensionsMap: { ClusterName: nameOf(settings), ...dimensions },
    statistic,
    period: MINUTE,
  });
}
