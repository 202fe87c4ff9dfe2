import { type App, Validations } from 'aws-cdk-lib';
import {
  AccessPolicy,
  AccessScopeType,
  CfnCluster,
  Cluster,
  ClusterLoggingTypes,
  DefaultCapacityType,
  EndpointAccess,
  type IAccessPolicy,
  type Nodegroup,
} from 'aws-cdk-lib/aws-eks-v2';
import { SubnetType } from 'aws-cdk-lib/aws-ec2';
import { Key } from 'aws-cdk-lib/aws-kms';
import { CfnLogGroup } from 'aws-cdk-lib/aws-logs';
import { addonsAfterNodes, addonsBeforeNodes } from './addons';
import { KUBERNETES } from './kubernetes-version';
import { logGroup } from './log-group';
import { nameOf } from './names';
import type { NetworkStack } from './network-stack';
import { nodeGroups } from './node-groups';
import { providerSecret, type ProviderSecret } from './provider-secret';
import { removalPolicy } from './removal-policy';
import { RpcStack } from './rpc-stack';
import type { Settings } from './settings';

export interface ClusterStackProps {
  readonly network: NetworkStack;
}

/** Kubernetes, its nodes, and what runs on any cluster of ours. */
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
    const { vpc } = network;
    const { kubernetes, endpoint } = settings.cluster;
    const logs = logGroup(this, 'control-plane-logs', settings, `/aws/eks/${nameOf(settings)}/cluster`);
    this.cluster = new Cluster(this, 'cluster', {
      clusterName: nameOf(settings),
      version: KUBERNETES[kubernetes].version,
      vpc,
      vpcSubnets: [{ subnetType: SubnetType.PRIVATE_WITH_EGRESS }],
      endpointAccess:
        endpoint.kind === 'private'
          ? EndpointAccess.PRIVATE
          : EndpointAccess.PUBLIC_AND_PRIVATE.onlyFrom(...endpoint.cidrs),
      // Without these two, EKS's "auto mode" would run nodes of its own.
      defaultCapacityType: DefaultCapacityType.NODEGROUP,
      defaultCapacity: 0,
      // Who deploys is not who administers; see `adminRoleArns`. Changed later, either replaces the cluster.
      bootstrapClusterCreatorAdminPermissions: false,
      bootstrapSelfManagedAddons: false,
      clusterLogging: Object.values(ClusterLoggingTypes),
      secretsEncryptionKey: new Key(this, 'kubernetes-secrets', {
        description: `Secrets of the Kubernetes cluster ${nameOf(settings)}`,
        enableKeyRotation: true,
        removalPolicy: removalPolicy(settings),
      }),
      kubectlProviderOptions: { kubectlLayer: KUBERNETES[kubernetes].kubectlLayer(this, 'kubectl') },
      outputConfigCommand: false,
    });
    this.cluster.node.addDependency(logs);
    Validations.of(this.cluster).acknowledge({
      id: 'CloudFormation-Validate::W9009',
      reason: "EKS's default, and all it offers: secrets are what its key encrypts; the CDK writes it out.",
    });
    this.setPolicies(this.cluster.node.defaultChild);
    this.setLogRetention();
    this.grantAccess();

    const before = addonsBeforeNodes(this, settings, this.cluster);
    this.nodeGroups = nodeGroups(this, settings, this.cluster);
    for (const group of this.nodeGroups) group.node.addDependency(...before);
    addonsAfterNodes(this, settings, this.cluster).forEach((addon) => addon.node.addDependency(...this.nodeGroups));
    this.providerSecret = providerSecret(this, settings);
  }

  private setPolicies(cluster: unknown): void {
    if (!(cluster instanceof CfnCluster)) throw new Error('the cluster must be an AWS::EKS::Cluster');
    // Extended support costs six times as much; upgrade in time (docs/upgrade.md), or EKS does it.
    cluster.upgradePolicy = { supportType: 'STANDARD' };
    cluster.deletionProtection = this.settings.protect;
  }

  /** Of the functions that apply manifests; the CDK's own choice is two years, for ever after the stack is gone. */
  private setLogRetention(): void {
    for (const construct of this.cluster.node.findAll()) {
      if (!(construct instanceof CfnLogGroup)) continue;
      construct.retentionInDays = this.settings.retention.logDays;
      construct.applyRemovalPolicy(removalPolicy(this.settings));
    }
  }

  private grantAccess(): void {
    const { adminRoleArns, viewRoleArns } = this.settings.cluster;
    const onCluster = (policy: string): IAccessPolicy =>
      AccessPolicy.fromAccessPolicyName(policy, { accessScopeType: AccessScopeType.CLUSTER });
    adminRoleArns.forEach((arn, index) =>
      this.cluster.grantAccess(`admin-${index}`, arn, [onCluster('AmazonEKSClusterAdminPolicy')]),
    );
    viewRoleArns.forEach((arn, index) =>
      this.cluster.grantAccess(`view-${index}`, arn, [onCluster('AmazonEKSViewPolicy')]),
    );
  }
}
