import type { App } from 'aws-cdk-lib';
import type { Cluster, Nodegroup } from 'aws-cdk-lib/aws-eks-v2';
import { addonsAfterNodes, addonsBeforeNodes } from './addons';
import { kubernetesCluster } from './kubernetes-cluster';
import type { NetworkStack } from './network-stack';
import { nodeGroups } from './node-groups';
import { providerSecret, type ProviderSecret } from './provider-secret';
import { RpcStack } from './rpc-stack';
import type { Settings } from './settings';

export interface ClusterStackProps {
  readonly network: NetworkStack;
}

/** Kubernetes, its nodes, and what runs on any cluster of ours; and the secret that pods take the providers' keys from. */
export class ClusterStack extends RpcStack {
  readonly cluster: Cluster;
  readonly nodeGroups: readonly Nodegroup[];
  readonly providerSecret: ProviderSecret;

  constructor(app: App, settings: Settings, { network }: ClusterStackProps) {
    super(app, 'cluster', settings, {
      description: 'Kubernetes for the Ethereum RPC balancer',
      madeOf: [settings.cluster, settings.nodes],
    });
    this.follows(network);
    this.cluster = kubernetesCluster(this, settings, network.vpc);
    const before = addonsBeforeNodes(this, settings, this.cluster);
    this.nodeGroups = nodeGroups(this, settings, this.cluster);
    for (const group of this.nodeGroups) group.node.addDependency(...before);
    for (const addon of addonsAfterNodes(this, settings, this.cluster)) addon.node.addDependency(...this.nodeGroups);
    this.providerSecret = providerSecret(this, settings);
  }
}
