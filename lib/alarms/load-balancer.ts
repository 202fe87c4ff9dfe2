import { Duration } from 'aws-cdk-lib';
import { MathExpression, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Alarms } from '../alarms';
import { SOURCES } from './sources';

/** The load balancer that the controller made, looked up once it is there. */
export interface WatchedLoadBalancer {
  /** As CloudWatch names it: the end of the ARN, `app/NAME/ID`. May be a token. */
  readonly fullName: string;
}

const MINUTE = Duration.minutes(1);

/** Percent of the requests; a burst of a minute is not worth waking anybody. */
const FAILED_PERCENT = 1;
/** Requests a minute below which a percentage says nothing. */
const FEW = 60;
/** Seconds. Answers of nodes are waited for longer than this only where a caller asks for much. */
const SLOW_SECONDS = 5;

export function loadBalancerAlarms(alarms: Alarms, loadBalancer: WatchedLoadBalancer): void {
  alarms.add({
    name: 'Requests that no pod answered',
    severity: 'now',
    source: 'loadBalancer',
    metric: share(loadBalancer, 'HTTPCode_ELB_5XX_Count'),
    threshold: FAILED_PERCENT,
    periods: [3, 5],
  });
  alarms.add({
    name: 'Requests that failed',
    severity: 'now',
    source: 'loadBalancer',
    metric: share(loadBalancer, 'HTTPCode_Target_5XX_Count'),
    threshold: FAILED_PERCENT,
    periods: [3, 5],
  });
  alarms.add({
    name: 'Slow answers',
    severity: 'today',
    source: 'loadBalancer',
    metric: loadBalancerMetric(loadBalancer, 'TargetResponseTime', Stats.percentile(99)),
    threshold: SLOW_SECONDS,
    periods: [10, 15],
  });
  alarms.add({
    name: 'Unhealthy pods',
    severity: 'today',
    source: 'loadBalancer',
    metric: unhealthyHosts(loadBalancer),
    threshold: 1,
    periods: [10, 10],
  });
}

export function loadBalancerMetric({ fullName }: WatchedLoadBalancer, metricName: string, statistic: string): Metric {
  return new Metric({
    namespace: SOURCES.loadBalancer.namespace,
    metricName,
    dimensionsMap: { LoadBalancer: fullName },
    statistic,
    period: MINUTE,
  });
}

/** The most unhealthy targets of a target group. Groups have names of the controller's, so they are asked for. */
export function unhealthyHosts({ fullName }: WatchedLoadBalancer): MathExpression {
  const { namespace } = SOURCES.loadBalancer;
  return new MathExpression({
    label: 'Unhealthy pods',
    expression: `SELECT MAX(UnHealthyHostCount) FROM SCHEMA("${namespace}", LoadBalancer, TargetGroup) WHERE LoadBalancer = '${fullName}'`,
    usingMetrics: {},
    period: MINUTE,
  });
}

/** Percent of all requests; 0 where there are few. Nothing is counted where nothing happened, hence FILL. */
function share(loadBalancer: WatchedLoadBalancer, failures: string): MathExpression {
  // `RequestCount` is of requests that went to a pod.
  const all = '(FILL(requests, 0) + FILL(unanswered, 0))';
  return new MathExpression({
    label: `${failures}, percent of the requests`,
    expression: `IF(${all} < ${FEW}, 0, 100 * FILL(failed, 0) / ${all})`,
    usingMetrics: {
      requests: loadBalancerMetric(loadBalancer, 'RequestCount', Stats.SUM),
      unanswered: loadBalancerMetric(loadBalancer, 'HTTPCode_ELB_5XX_Count', Stats.SUM),
      failed: loadBalancerMetric(loadBalancer, failures, Stats.SUM),
    },
    period: MINUTE,
  });
}
