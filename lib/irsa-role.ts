import { CfnJson } from 'aws-cdk-lib';
import type { Cluster } from 'aws-cdk-lib/aws-eks-v2';
import { ManagedPolicy, OpenIdConnectPrincipal, Role } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { acknowledge, managedPolicy } from './acknowledge';

export interface IrsaRoleProps {
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly description: string;
  /**
   * A policy that AWS keeps, by name, and why it is taken.
   *
   * @default what is added to the role
   */
  readonly managed?: { readonly policy: string; readonly reason: string };
}

/**
 * A role that exactly one service account can take, where something else makes the account itself. The trust names both
 * audience and account; with the issuer alone, every pod of the cluster could take it.
 */
export function irsaRole(scope: Construct, id: string, props: IrsaRoleProps): Role {
  const { cluster, namespace, serviceAccount, managed } = props;
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
    ...(managed && { managedPolicies: [ManagedPolicy.fromAwsManagedPolicyName(managed.policy)] }),
  });
  if (managed) acknowledge(role, { [managedPolicy(managed.policy)]: managed.reason });
  return role;
}
