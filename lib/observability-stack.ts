import type { App } from 'aws-cdk-lib';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { containerLogs } from './addons/cloudwatch-observability';
import { AlarmTopic } from './alarm-topic';
import { Alarms } from './alarms';
import { cacheAlarms } from './alarms/cache';
import { containerAlarms } from './alarms/containers';
import { gatewayAlarms } from './alarms/gateways';
import { loadBalancerAlarms } from './alarms/load-balancer';
import { logAlarms } from './alarms/log-events';
import type { AppStack } from './app-stack';
import type { CacheStack } from './cache-stack';
import type { ClusterStack } from './cluster-stack';
import { dashboard } from './dashboard';
import { monthlyBudget } from './monthly-budget';
import type { NetworkStack } from './network-stack';
import { RpcStack } from './rpc-stack';
import type { Settings } from './settings';

export interface ObservabilityStackProps {
  readonly network: NetworkStack;
  readonly cluster: ClusterStack;
  readonly cache: CacheStack;
  readonly app: AppStack;
}

/** Who is told, of what, and where to look. Nothing that serves a request depends on it. */
export class ObservabilityStack extends RpcStack {
  readonly alarms: Alarms;

  constructor(root: App, settings: Settings, { network, cluster, cache, app }: ObservabilityStackProps) {
    super(root, 'observability', settings, {
      description: 'Alarms and dashboard of the Ethereum RPC balancer',
      madeOf: [settings.operations],
    });
    for (const stack of [network, cluster, cache, app]) this.follows(stack);
    const { loadBalancer } = app;
    const { topic } = new AlarmTopic(this, 'alarm-topic', settings);
    this.alarms = new Alarms(this, 'alarms', { settings, topic });
    loadBalancerAlarms(this.alarms, loadBalancer);
    logAlarms(this.alarms, LogGroup.fromLogGroupName(this, 'logs', containerLogs(settings, 'application')), settings);
    containerAlarms(this.alarms, settings);
    cacheAlarms(this.alarms, settings);
    gatewayAlarms(this.alarms, network.natGatewayIds);
    dashboard(this, { settings, alarms: this.alarms, loadBalancer, gateways: network.natGatewayIds });
    monthlyBudget(this, settings);
  }
}
