import type { Cluster } from 'aws-cdk-lib/aws-eks-v2';
import type { Construct, IConstruct } from 'constructs';
import type { Settings } from '../settings';
import { cloudwatchObservability } from './cloudwatch-observability';
import { ClusterAutoscaler } from './cluster-autoscaler';
import { coredns } from './coredns';
import { kubeProxy } from './kube-proxy';
import { loadBalancerController } from './load-balancer-controller';
import { metricsServer } from './metrics-server';
import { secretsStore } from './secrets-store';
import { vpcCni } from './vpc-cni';

/** What a node needs to become ready. */
export function addonsBeforeNodes(scope: Construct, settings: Settings, cluster: Cluster): IConstruct[] {
  return [vpcCni, kubeProxy].map((addon) => addon(scope, settings, cluster));
}

/** What needs nodes to become ready; deleted before them. */
export function addonsAfterNodes(scope: Construct, settings: Settings, cluster: Cluster): IConstruct[] {
  const addons = [coredns, metricsServer, secretsStore, cloudwatchObservability, loadBalancerController];
  return [
    ...addons.map((addon) => addon(scope, settings, cluster)),
    new ClusterAutoscaler(scope, 'cluster-autoscaler', { cluster, settings }),
  ];
}
