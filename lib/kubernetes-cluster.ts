import { type IVpc, SubnetType } from 'aws-cdk-lib/aws-ec2';
import {
  AccessPolicy,
  AccessScopeType,
  CfnCluster,
  Cluster,
  ClusterLoggingTypes,
  DefaultCapacityType,
  EndpointAccess,
  type IAccessPolicy,
} from 'aws-cdk-lib/aws-eks-v2';
import { Key } from 'aws-cdk-lib/aws-kms';
import { CfnLogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { acknowledge, managedPolicy } from './acknowledge';
import { KUBECTL_FINDINGS } from './known-findings';
import { KUBERNETES } from './kubernetes-version';
import { logGroup } from './log-group';
import { nameOf } from './names';
import { removalPolicy } from './removal-policy';
import type { Settings } from './settings';

/** Kubernetes without nodes, and who gets into it. */
export function kubernetesCluster(scope: Construct, settings: Settings, vpc: IVpc): Cluster {
  const { version, kubectlLayer } = KUBERNETES[settings.cluster.kubernetes];
  const logs = logGroup(scope, 'control-plane-logs', settings, `/aws/eks/${nameOf(settings)}/cluster`);
  const cluster = new Cluster(scope, 'cluster', {
    clusterName: nameOf(settings),
    version,
    vpc,
    vpcSubnets: [{ subnetType: SubnetType.PRIVATE_WITH_EGRESS }],
    endpointAccess: endpointOf(settings),
    // Without these two, EKS's "auto mode" would run nodes of its own.
    defaultCapacityType: DefaultCapacityType.NODEGROUP,
    defaultCapacity: 0,
    // Who deploys is not who administers: see `adminRoleArns`. Changed later, either of these replaces the cluster.
    bootstrapClusterCreatorAdminPermissions: false,
    bootstrapSelfManagedAddons: false,
    clusterLogging: Object.values(ClusterLoggingTypes),
    secretsEncryptionKey: new Key(scope, 'kubernetes-secrets', {
      description: `Secrets of the Kubernetes cluster ${nameOf(settings)}`,
      enableKeyRotation: true,
      removalPolicy: removalPolicy(settings),
    }),
    kubectlProviderOptions: { kubectlLayer: kubectlLayer(scope, 'kubectl') },
    outputConfigCommand: false,
  });
  cluster.node.addDependency(logs);
  setPolicies(cluster, settings);
  setLogRetention(cluster, settings);
  grantAccess(cluster, settings);
  acknowledge(cluster, {
    'CloudFormation-Validate::W9009': 'It encrypts what it encrypts by default, secrets; the CDK writes that out.',
  });
  acknowledge(cluster.role, {
    [managedPolicy('AmazonEKSClusterPolicy')]: 'EKS asks for it by name, and AWS keeps it up with EKS.',
  });
  acknowledge(cluster.node.findChild('KubectlProvider'), KUBECTL_FINDINGS);
  return cluster;
}

function endpointOf({ cluster: { endpoint } }: Settings): EndpointAccess {
  return endpoint.kind === 'private'
    ? EndpointAccess.PRIVATE
    : EndpointAccess.PUBLIC_AND_PRIVATE.onlyFrom(...endpoint.cidrs);
}

function setPolicies({ node: { defaultChild } }: Cluster, { protect }: Settings): void {
  if (!(defaultChild instanceof CfnCluster)) throw new Error('the cluster must be an AWS::EKS::Cluster');
  // Extended support costs six times as much: upgrade in time (docs/upgrade.md), or EKS does it.
  defaultChild.upgradePolicy = { supportType: 'STANDARD' };
  defaultChild.deletionProtection = protect;
}

/** Of the functions that apply manifests; the CDK's own choice is two years, and that they outlive the stack. */
function setLogRetention(cluster: Cluster, settings: Settings): void {
  for (const construct of cluster.node.findAll()) {
    if (!(construct instanceof CfnLogGroup)) continue;
    construct.retentionInDays = settings.retention.logDays;
    construct.applyRemovalPolicy(removalPolicy(settings));
  }
}

function grantAccess(cluster: Cluster, { cluster: { adminRoleArns, viewRoleArns } }: Settings): void {
  const everywhere = (policy: string): IAccessPolicy =>
    AccessPolicy.fromAccessPolicyName(policy, { accessScopeType: AccessScopeType.CLUSTER });
  // By name, not by place: an entry that moved would be made while its twin is there, which EKS refuses.
  const idOf = (arn: string): string => arn.replace(/^.*:(\d+):role\//, '$1-');
  for (const arn of adminRoleArns) {
    cluster.grantAccess(`admin-${idOf(arn)}`, arn, [everywhere('AmazonEKSClusterAdminPolicy')]);
  }
  for (const arn of viewRoleArns) cluster.grantAccess(`view-${idOf(arn)}`, arn, [everywhere('AmazonEKSViewPolicy')]);
}
