import { Duration } from 'aws-cdk-lib';
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { FilterPattern, type IFilterPattern, type ILogGroup, MetricFilter } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { Alarms, Severity } from '../alarms';
import { nameOf } from '../names';
import type { Settings } from '../settings';
import { SOURCES } from './sources';

/** Log lines worth an alarm (docs/operating.md, "Logs"). */
export interface LogEvent {
  /** Of the alarm. */
  readonly name: string;
  readonly metricName: string;
  readonly severity: Severity;
  /** `msg` of the lines; a `*` at the end stands for anything. */
  readonly messages: readonly string[];
  /** Minutes with such a line, of so many. Some are written once, others every minute while it lasts. */
  readonly periods: readonly [bad: number, of: number];
}

export const LOG_EVENTS: readonly LogEvent[] = [
  {
    name: 'No healthy node',
    metricName: 'NoHealthyNode',
    severity: 'now',
    messages: ['no healthy node'],
    periods: [2, 3],
  },
  {
    name: 'Head stands still',
    metricName: 'HeadStandsStill',
    severity: 'now',
    messages: ['the head stands still'],
    periods: [2, 3],
  },
  {
    name: 'Configuration refused',
    metricName: 'ConfigurationRefused',
    severity: 'today',
    messages: ['configuration refused*'],
    periods: [1, 1],
  },
  {
    name: 'HAProxy does not follow',
    metricName: 'HaproxyDoesNotFollow',
    severity: 'today',
    messages: [
      'HAProxy could not load the file*',
      'HAProxy was reloaded and runs something else*',
      'haproxy.cfg cannot be written*',
    ],
    periods: [1, 1],
  },
  {
    name: 'Redis away',
    metricName: 'RedisAway',
    severity: 'today',
    messages: ['Redis does not answer'],
    periods: [1, 1],
  },
  {
    name: 'Defect',
    metricName: 'Defect',
    severity: 'today',
    messages: ['a request met a defect', 'a reload met a defect', 'a round failed'],
    periods: [1, 1],
  },
];

const MINUTE = Duration.minutes(1);

/** @param logs of all pods of the cluster, as Fluent Bit writes them */
export function logAlarms(alarms: Alarms, logs: ILogGroup, settings: Settings): void {
  for (const event of LOG_EVENTS) {
    countLines(alarms, logs, settings, event);
    const { name, severity, periods } = event;
    alarms.add({ name, severity, source: 'logs', metric: logMetric(settings, event), threshold: 1, periods });
  }
}

export function logMetric(settings: Settings, { metricName }: LogEvent): Metric {
  return new Metric({
    namespace: namespaceOf(settings),
    metricName,
    statistic: Stats.SUM,
    period: MINUTE,
  });
}

function countLines(scope: Construct, logGroup: ILogGroup, settings: Settings, event: LogEvent): void {
  new MetricFilter(scope, `lines-${event.metricName}`, {
    logGroup,
    filterName: event.metricName,
    filterPattern: patternOf(settings.workload.namespace, event.messages),
    metricNamespace: namespaceOf(settings),
    metricName: event.metricName,
    metricValue: '1',
  });
}

/** Of one environment: two of them may share an account. */
function namespaceOf(settings: Settings): string {
  return `${SOURCES.logs.namespace}/${nameOf(settings)}`;
}

/** Fluent Bit puts the pod's own JSON under `log_processed` and tells where it is from under `kubernetes`. */
function patternOf(namespace: string, messages: readonly string[]): IFilterPattern {
  return FilterPattern.all(
    FilterPattern.stringValue('$.kubernetes.namespace_name', '=', namespace),
    FilterPattern.any(...messages.map((message) => FilterPattern.stringValue('$.log_processed.msg', '=', message))),
  );
}
