import type { CfnAddon, Cluster } from 'aws-cdk-lib/aws-eks-v2';
import type { Construct } from 'constructs';
import type { Settings } from '../settings';
import { eksAddon } from './eks-addon';

/** What pods use of processor and memory; without it the horizontal autoscaler sees nothing. */
export function metricsServer(scope: Construct, settings: Settings, cluster: Cluster): CfnAddon {
  return eksAddon(scope, 'metrics-server', { cluster, settings, name: 'metrics-server' });
}
