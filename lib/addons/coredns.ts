import type { CfnAddon, Cluster } from 'aws-cdk-lib/aws-eks-v2';
import type { Construct } from 'constructs';
import type { Settings } from '../settings';
import { eksAddon } from './eks-addon';

/** Names of services. Waits for nodes: without one it would never become active. */
export function coredns(scope: Construct, settings: Settings, cluster: Cluster): CfnAddon {
  return eksAddon(scope, 'coredns', { cluster, settings, name: 'coredns' });
}
