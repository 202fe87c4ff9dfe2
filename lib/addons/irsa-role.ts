import { CfnJson } from 'aws-cdk-lib';
import type { Cluster } from 'aws-cdk-lib/aws-eks-v2';
import { ManagedPolicy, OpenIdConnectPrincipal, Role } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { acknowledge, managedPolicy } from '../acknowledge';

export interface IrsaRoleProps {
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly description: string;
  /** A policy that AWS keeps, by name, and why it is taken. */
  readonly policy: string;
  readonly reason: string;
}

/**
 * A role that exactly one service account can take, for an add-on that makes the account itself. The trust names both
 * audience and account; with the issuer alone, every pod of the cluster could take it.
 */
export function irsaRole(scope: Construct, id: string, props: IrsaRoleProps): Role {
  const { cluster, namespace, serviceAccount } = props;
  const provider = cluster.openIdConnectProvider;
  const issuer = provider.openIdConnectProviderIssuer;
  // The issuer is known to AWS only, and a key of a condition cannot be a reference.
  const conditions = new CfnJson(scope, `${id}-trust`, {
    value: {
      [`${issuer}:aud`]: 'sts.amazonaws.com',
      [`${issuer}:sub`]: `system:serviceaccount:${namespace}:${serviceAccount}`,
    },
  });
  const role = new Role(scope, id, {
    description: props.description,
    assumedBy: new OpenIdConnectPrincipal(provider).withConditions({ StringEquals: conditions }),
    managedPolicies: [ManagedPolicy.fromAwsManagedPolicyName(props.policy)],
  });
  acknowledge(role, { [managedPolicy(props.policy)]: props.reason });
  return role;
}
