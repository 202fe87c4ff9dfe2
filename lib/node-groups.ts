import { Tags } from 'aws-cdk-lib';
import { EbsDeviceVolumeType, InstanceType, LaunchTemplate, BlockDeviceVolume } from 'aws-cdk-lib/aws-ec2';
import { CfnNodegroup, type Cluster, Nodegroup } from 'aws-cdk-lib/aws-eks-v2';
import { ManagedPolicy, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { acknowledge, managedPolicy } from './acknowledge';
import { ARCH } from './arch';
import { asCluster } from './as-interface';
import { nameOf } from './names';
import type { Settings } from './settings';

/** Percent of a group's nodes that an update replaces at a time. */
const MAX_UNAVAILABLE_PERCENT = 33;

/**
 * One group of nodes per zone, otherwise the same. One group over all zones would be rebalanced by AWS, which
 * terminates nodes with what runs on them; and Cluster Autoscaler balances between groups, not within one.
 */
export function nodeGroups(scope: Construct, settings: Settings, cluster: Cluster): Nodegroup[] {
  const { nodes, zones } = settings;
  const nodeRole = createNodeRole(scope);
  const template = createLaunchTemplate(scope, settings);
  return zones.map((zone) => {
    const group = new Nodegroup(scope, `nodes-${zone}`, {
      cluster: asCluster(cluster),
      nodeRole,
      subnets: { subnets: cluster.vpc.privateSubnets.filter((subnet) => subnet.availabilityZone === zone) },
      amiType: ARCH[nodes.arch].ami,
      instanceTypes: nodes.instanceTypes.map((name) => new InstanceType(name)),
      minSize: nodes.minPerZone,
      maxSize: nodes.maxPerZone,
      launchTemplateSpec: { id: template.launchTemplateId ?? '', version: template.latestVersionNumber },
      // By force, an update would not wait for disruption budgets.
      forceUpdate: false,
      maxUnavailablePercentage: MAX_UNAVAILABLE_PERCENT,
      enableNodeAutoRepair: true,
    });
    const { defaultChild } = group.node;
    if (!(defaultChild instanceof CfnNodegroup)) throw new Error('a node group must be an AWS::EKS::Nodegroup');
    // Without it nodes stay on the version they were made with when the cluster moves on.
    defaultChild.version = settings.cluster.kubernetes;
    // The autoscaler's to decide: told here, each update would set it back. See docs/upgrade.md to raise the minimum.
    defaultChild.addPropertyDeletionOverride('ScalingConfig.DesiredSize');
    return group;
  });
}

/** No CNI policy: the network add-on has a role of its own. */
const NODE_POLICIES = ['AmazonEKSWorkerNodePolicy', 'AmazonEC2ContainerRegistryPullOnly'];

function createNodeRole(scope: Construct): Role {
  const role = new Role(scope, 'node-role', {
    description: 'Nodes: join the cluster, pull images',
    assumedBy: new ServicePrincipal('ec2.amazonaws.com'),
    managedPolicies: NODE_POLICIES.map((name) => ManagedPolicy.fromAwsManagedPolicyName(name)),
  });
  for (const name of NODE_POLICIES) {
    acknowledge(role, { [managedPolicy(name)]: 'EKS asks for it by name, and AWS keeps it up with EKS.' });
  }
  return role;
}

function createLaunchTemplate(scope: Construct, settings: Settings): LaunchTemplate {
  const template = new LaunchTemplate(scope, 'node-template', {
    requireImdsv2: true,
    // A pod is one hop further away than its node, so that it cannot take the node's role.
    httpPutResponseHopLimit: 1,
    blockDevices: [
      {
        deviceName: '/dev/xvda',
        volume: BlockDeviceVolume.ebs(settings.nodes.diskGib, {
          encrypted: true,
          volumeType: EbsDeviceVolumeType.GP3,
          deleteOnTermination: true,
        }),
      },
    ],
  });
  Tags.of(template).add('Name', `${nameOf(settings)}-node`);
  return template;
}
