import {
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  type IMetric,
  type IWidget,
  Stats,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import type { Alarms } from './alarms';
import { cacheMetric, cacheNodes } from './alarms/cache';
import { containerMetric, runningPods } from './alarms/containers';
import { gatewayMetric } from './alarms/gateways';
import { loadBalancerMetric, unhealthyHosts, type WatchedLoadBalancer } from './alarms/load-balancer';
import { LOG_EVENTS, logMetric } from './alarms/log-events';
import { nameOf } from './names';
import type { Settings } from './settings';

export interface DashboardParts {
  readonly settings: Settings;
  readonly alarms: Alarms;
  readonly loadBalancer: WatchedLoadBalancer;
  /** Ids of the NAT gateways. */
  readonly gateways: readonly string[];
}

/** One page: what is wrong, what callers see, what pods say, what they stand on. */
export function dashboard(scope: Construct, parts: DashboardParts): Dashboard {
  const { settings, alarms } = parts;
  return new Dashboard(scope, 'dashboard', {
    dashboardName: nameOf(settings),
    widgets: [
      [new AlarmStatusWidget({ title: 'Alarms', alarms: alarms.all, width: 24, height: 4 })],
      callers(parts),
      [
        graph(
          'Log lines worth an alarm',
          LOG_EVENTS.map((event) => logMetric(settings, event)),
          12,
        ),
        graph('Pods', [runningPods(settings)], 6),
        graph('Nodes', nodes(settings), 6),
      ],
      below(parts),
    ],
  });
}

function callers({ loadBalancer }: DashboardParts): IWidget[] {
  const sum = (name: string): IMetric => loadBalancerMetric(loadBalancer, name, Stats.SUM);
  const seconds = [50, 95, 99].map((percent) =>
    loadBalancerMetric(loadBalancer, 'TargetResponseTime', Stats.percentile(percent)),
  );
  return [
    graph('Requests', [sum('RequestCount')], 6),
    graph('Failures', [sum('HTTPCode_ELB_5XX_Count'), sum('HTTPCode_Target_5XX_Count')], 6),
    graph('Seconds to the answer', seconds, 6),
    graph('Unhealthy pods', [unhealthyHosts(loadBalancer)], 6),
  ];
}

function nodes(settings: Settings): IMetric[] {
  return ['cluster_node_count', 'cluster_failed_node_count'].map((name) =>
    containerMetric(settings, name, Stats.MAXIMUM),
  );
}

function below({ settings, gateways }: DashboardParts): IWidget[] {
  const ofCache = (name: string): IMetric[] => cacheNodes(settings).map((node) => cacheMetric(node, name));
  return [
    graph('Cache: CPU of the engine, percent', ofCache('EngineCPUUtilization'), 6),
    graph('Cache: memory, percent', ofCache('DatabaseMemoryUsagePercentage'), 6),
    graph('Cache: evictions', ofCache('Evictions'), 6),
    graph(
      'Bytes through the gateways',
      gateways.map((id) => gatewayMetric(id, 'BytesOutToDestination')),
      6,
    ),
  ];
}

function graph(title: string, left: IMetric[], width: number): GraphWidget {
  return new GraphWidget({ title, left, width, height: 6 });
}
