import { Duration } from 'aws-cdk-lib';
import { MathExpression, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Alarms } from '../alarms';
import { SOURCES } from './sources';

const MINUTE = Duration.minutes(1);

/** @param gateways their ids; may be tokens */
export function gatewayAlarms(alarms: Alarms, gateways: readonly string[]): void {
  const errors = gateways.map(
    (id, index) => [`gateway${index + 1}`, gatewayMetric(id, 'ErrorPortAllocation')] as const,
  );
  alarms.add({
    name: 'NAT gateway out of ports',
    severity: 'now',
    source: 'gateways',
    metric: new MathExpression({
      label: 'Connections that got no port',
      expression: `SUM([${errors.map(([id]) => id).join(', ')}])`,
      usingMetrics: Object.fromEntries(errors),
      period: MINUTE,
    }),
    threshold: 1,
    periods: [3, 5],
  });
}

export function gatewayMetric(id: string, metricName: string): Metric {
  return new Metric({
    namespace: SOURCES.gateways.namespace,
    metricName,
    dimensionsMap: { NatGatewayId: id },
    statistic: Stats.SUM,
    period: MINUTE,
  });
}
