import { plain } from './plain';
import { resourcesOf, type Synthesised } from './synth';

export interface AlarmProperties {
  readonly AlarmName: string;
  readonly AlarmDescription: string;
  readonly AlarmActions: readonly string[];
  readonly OKActions: readonly string[];
  readonly ComparisonOperator: string;
  readonly Threshold: number;
  readonly DatapointsToAlarm: number;
  readonly EvaluationPeriods: number;
  readonly TreatMissingData: string;
  readonly Namespace?: string;
  readonly MetricName?: string;
  readonly Metrics?: readonly {
    readonly Expression?: string;
    readonly Label?: string;
    readonly MetricStat?: { Metric: { Namespace: string } };
  }[];
}

/** Of an environment, each as a person reads it. */
export function alarmDigest(synthesised: Synthesised): unknown {
  return alarmsOf(synthesised).map(described);
}

export function alarmsOf(synthesised: Synthesised): AlarmProperties[] {
  return resourcesOf(synthesised, 'AWS::CloudWatch::Alarm').map(
    ({ Properties }) => plain(Properties) as AlarmProperties,
  );
}

function described(alarm: AlarmProperties): string[] {
  const { MetricName, Metrics = [], DatapointsToAlarm, EvaluationPeriods } = alarm;
  const bad = alarm.ComparisonOperator === 'LessThanThreshold' ? '<' : '>=';
  const missing = alarm.TreatMissingData === 'breaching' ? ', and without values' : '';
  const what =
    MetricName ?? Metrics.map(({ Expression, Label }) => (Expression ? `${Label}: ${Expression}` : '')).join('');
  return [
    alarm.AlarmName,
    alarm.AlarmDescription.split(' | ').slice(0, 2).join(' | '),
    `${what} ${bad} ${alarm.Threshold}, ${DatapointsToAlarm} of ${EvaluationPeriods} minutes${missing}`,
  ];
}
