import type { Duration } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, type IMetric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { AlarmSource } from './alarms/sources';
import { SOURCES } from './alarms/sources';
import { nameOf } from './names';
import type { Settings } from './settings';

/** `now`: callers are hurt, or will be within the hour. `today`: something that keeps it up is missing. */
export type Severity = 'now' | 'today';

export interface AlarmProps {
  /** A heading of docs/runbook.md, word for word. */
  readonly name: string;
  readonly severity: Severity;
  /** Where its metric comes from; told in the mail, because it says what to distrust first. */
  readonly source: AlarmSource;
  readonly metric: IMetric & { readonly period: Duration };
  /** Bad from this value on, or below it where `isBad` says so. */
  readonly threshold: number;
  /** @default `from`: bad at the threshold and above */
  readonly isBad?: 'from' | 'below';
  /** So many bad periods of the metric, of so many looked at. */
  readonly periods: readonly [bad: number, of: number];
  /** What a period without a value is. @default `good`: nothing was counted because nothing happened */
  readonly missing?: 'good' | 'bad';
}

export interface AlarmsProps {
  readonly settings: Settings;
  /** Told when an alarm begins and when it ends. */
  readonly topic: ITopic;
}

/** The alarms of an environment. There is no other way to make one, so each has its page in the runbook. */
export class Alarms extends Construct {
  readonly all: Alarm[] = [];

  constructor(
    scope: Construct,
    id: string,
    private readonly props: AlarmsProps,
  ) {
    super(scope, id);
  }

  add({ name, severity, source, metric, threshold, isBad = 'from', periods, missing = 'good' }: AlarmProps): void {
    const { settings, topic } = this.props;
    const [bad, of] = periods;
    const alarm = new Alarm(this, slugOf(name), {
      alarmName: alarmName(settings, name),
      alarmDescription: `${severity} | from ${SOURCES[source].told} | ${runbookUrl(settings, name)}`,
      metric,
      threshold,
      comparisonOperator: COMPARISONS[isBad],
      datapointsToAlarm: bad,
      evaluationPeriods: of,
      treatMissingData: MISSING[missing],
    });
    const action = new SnsAction(topic);
    alarm.addAlarmAction(action);
    alarm.addOkAction(action);
    this.all.push(alarm);
  }
}

/** With the environment in it: mails of both go to the same people. */
export function alarmName(settings: Settings, name: string): string {
  return `${nameOf(settings)}: ${name}`;
}

const COMPARISONS = {
  from: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
  below: ComparisonOperator.LESS_THAN_THRESHOLD,
} as const;

const MISSING = { good: TreatMissingData.NOT_BREACHING, bad: TreatMissingData.BREACHING } as const;

/** As GitHub makes anchors of headings. */
function slugOf(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[^a-z0-9 -]/g, '')
    .replaceAll(' ', '-');
}

function runbookUrl({ github: { owner, repo } }: Settings, name: string): string {
  return `https://github.com/${owner}/${repo}/blob/main/docs/runbook.md#${slugOf(name)}`;
}
