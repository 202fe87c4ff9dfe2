import type { CfnAddon, Cluster } from 'aws-cdk-lib/aws-eks-v2';
import type { Construct } from 'constructs';
import type { Settings } from '../settings';
import { eksAddon } from './eks-addon';
import { irsaRole } from '../irsa-role';

/** Addresses of the VPC for pods, and the network policies between them. With a role of its own, not the node's. */
export function vpcCni(scope: Construct, settings: Settings, cluster: Cluster): CfnAddon {
  const role = irsaRole(scope, 'vpc-cni-role', {
    cluster,
    namespace: 'kube-system',
    serviceAccount: 'aws-node',
    description: 'vpc-cni: addresses for pods',
    managed: {
      policy: 'AmazonEKS_CNI_Policy',
      reason: 'What the add-on needs changes with its versions, and AWS keeps the policy up with them.',
    },
  });
  // A text: its schema takes no boolean here.
  return eksAddon(scope, 'vpc-cni', {
    cluster,
    settings,
    name: 'vpc-cni',
    values: { enableNetworkPolicy: 'true' },
    role,
  });
}
