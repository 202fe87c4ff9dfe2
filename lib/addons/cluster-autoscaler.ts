import { type Cluster, KubernetesManifest, ServiceAccount } from 'aws-cdk-lib/aws-eks-v2';
import { Construct } from 'constructs';
import { asCluster } from '../as-interface';
import { KUBERNETES } from '../kubernetes-version';
import { nameOf } from '../names';
import type { Settings } from '../settings';
import { autoscalerManifests, AUTOSCALER } from './cluster-autoscaler-manifests';
import { autoscalerStatements } from './cluster-autoscaler-policy';

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
