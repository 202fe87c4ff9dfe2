import type { CfnAddon, Cluster } from 'aws-cdk-lib/aws-eks-v2';
import type { Construct } from 'constructs';
import type { Settings } from '../settings';
import { eksAddon } from './eks-addon';

/** Addresses of services on every node. */
export function kubeProxy(scope: Construct, settings: Settings, cluster: Cluster): CfnAddon {
  return eksAddon(scope, 'kube-proxy', { cluster, settings, name: 'kube-proxy' });
}
