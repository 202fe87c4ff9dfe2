import { type Cluster, KubernetesManifest, ServiceAccount } from 'aws-cdk-lib/aws-eks-v2';
import { Construct } from 'constructs';
import { acknowledge, wildcard } from '../acknowledge';
import { asCluster } from '../as-interface';
import { KUBERNETES } from '../kubernetes-version';
import { nameOf } from '../names';
import type { Settings } from '../settings';
import { autoscalerManifests, AUTOSCALER } from './cluster-autoscaler-manifests';
import { autoscalerStatements, nodeGroupsArn, scalingGroupsArn } from './cluster-autoscaler-policy';

export interface ClusterAutoscalerProps {
  readonly cluster: Cluster;
  readonly settings: Settings;
}

/** Adds nodes when pods find no room, and takes away those that are hardly used. */
export class ClusterAutoscaler extends Construct {
  constructor(scope: Construct, id: string, { cluster, settings }: ClusterAutoscalerProps) {
    super(scope, id);
    const clusterName = nameOf(settings);
    const account = new ServiceAccount(this, 'account', {
      cluster: asCluster(cluster),
      name: AUTOSCALER.name,
      namespace: AUTOSCALER.namespace,
      overwriteServiceAccount: true,
    });
    for (const statement of autoscalerStatements(this, clusterName)) account.addToPrincipalPolicy(statement);
    acknowledge(account, {
      [wildcard('*')]: 'Looking at groups, instance types and images cannot be narrowed.',
      [wildcard(nodeGroupsArn(this, clusterName))]: 'All groups of its own cluster.',
      [wildcard(scalingGroupsArn(this))]: 'EKS names the groups; two tags tell which are its own.',
    });
    const manifest = new KubernetesManifest(this, 'manifest', {
      cluster: asCluster(cluster),
      manifest: autoscalerManifests({
        clusterName,
        region: settings.region,
        image: KUBERNETES[settings.cluster.kubernetes].autoscalerImage,
      }),
      overwrite: true,
    });
    manifest.node.addDependency(account);
  }
}
