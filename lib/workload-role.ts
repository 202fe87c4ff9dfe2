import type { Cluster } from 'aws-cdk-lib/aws-eks-v2';
import { PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import type { Key } from 'aws-cdk-lib/aws-kms';
import type { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { NAMES } from '../runtime/contract/names';
import { irsaRole } from './irsa-role';
import type { Settings } from './settings';

/** A secret, and the key it is kept with. */
export interface KeptSecret {
  readonly secret: Secret;
  readonly key: Key;
}

/**
 * What the pods are to AWS: readers of these secrets, and nothing else. The statements are written out: `grantRead` would
 * write into the policy of a key that stands in another stack, and that stack would need this one.
 */
export function workloadRole(
  scope: Construct,
  settings: Settings,
  cluster: Cluster,
  secrets: readonly KeptSecret[],
): Role {
  const role = irsaRole(scope, 'role', {
    cluster,
    namespace: settings.workload.namespace,
    serviceAccount: NAMES.app,
    description: 'Pods of the balancer: read their secrets',
  });
  role.addToPolicy(
    new PolicyStatement({
      actions: ['secretsmanager:GetSecretValue', 'secretsmanager:DescribeSecret'],
      resources: secrets.map(({ secret }) => secret.secretArn),
    }),
  );
  role.addToPolicy(
    new PolicyStatement({
      actions: ['kms:Decrypt'],
      resources: secrets.map(({ key }) => key.keyArn),
      // By Secrets Manager, on its behalf; never by itself.
      conditions: { StringEquals: { 'kms:ViaService': `secretsmanager.${settings.region}.amazonaws.com` } },
    }),
  );
  return role;
}
