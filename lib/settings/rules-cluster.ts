import { InstanceType } from 'aws-cdk-lib/aws-ec2';
import { ARCH } from '../arch';
import { KUBERNETES } from '../kubernetes-version';
import type { Rule } from './checks';
import * as form from './forms';

/** Kubernetes, its nodes, and the cache. */
export const CLUSTER_RULES: readonly Rule[] = [
  { path: 'cluster.kubernetes', rule: oneOf(Object.keys(KUBERNETES)), holds: (value) => isKeyOf(KUBERNETES, value) },
  {
    path: 'cluster.adminRoleArns',
    rule: 'at least one role, or nobody gets into the cluster',
    holds: (value) => form.isUniqueList(value, 1),
  },
  { path: 'cluster.adminRoleArns.*', rule: 'the ARN of an IAM role', holds: form.isRoleArn },
  { path: 'cluster.viewRoleArns', rule: 'a list of different roles', holds: (value) => form.isUniqueList(value, 0) },
  {
    path: 'cluster.viewRoleArns.*',
    rule: 'the ARN of an IAM role that is not an admin already',
    beside: ['cluster.adminRoleArns'],
    holds: (value, { cluster }) => form.isRoleArn(value) && !cluster.adminRoleArns.some((arn) => arn === value),
  },
  {
    path: 'cluster.endpoint.kind',
    rule: oneOf(['private', 'public']),
    holds: (value) => value === 'private' || value === 'public',
  },
  {
    path: 'cluster.endpoint.cidrs',
    rule: 'at least one network, or the private endpoint',
    holds: (value, { cluster }) => cluster.endpoint.kind !== 'public' || form.isUniqueList(value, 1),
  },
  {
    path: 'cluster.endpoint.cidrs',
    rule: 'left out with the private endpoint, which is reached from nowhere else',
    holds: (value, { cluster }) => cluster.endpoint.kind !== 'private' || value === undefined,
  },
  {
    path: 'cluster.endpoint.cidrs.*',
    rule: 'a network of at least /8 in CIDR notation',
    holds: (value) => form.isCidr(value, 8),
  },
  { path: 'nodes.arch', rule: oneOf(Object.keys(ARCH)), holds: (value) => isKeyOf(ARCH, value) },
  {
    path: 'nodes.instanceTypes',
    rule: 'a list of different instance types',
    holds: (value) => form.isUniqueList(value, 1),
  },
  {
    path: 'nodes.instanceTypes.*',
    rule: ({ nodes }) => `an instance type of ${nodes.arch}`,
    beside: ['nodes.arch'],
    holds: (value, { nodes }) => archOf(value) === ARCH[nodes.arch].instances,
  },
  { path: 'nodes.minPerZone', rule: 'a whole number of at least 1', holds: form.whole(1) },
  {
    path: 'nodes.maxPerZone',
    rule: ({ nodes }) => `a whole number of at least nodes.minPerZone (${nodes.minPerZone})`,
    beside: ['nodes.minPerZone'],
    holds: (value, { nodes }) => form.whole(nodes.minPerZone)(value),
  },
  { path: 'nodes.diskGib', rule: 'a whole number from 20 to 1000', holds: form.whole(20, 1000) },
  { path: 'cache.nodeType', rule: 'a node type such as cache.t4g.small', holds: form.isCacheNodeType },
  { path: 'cache.replicas', rule: 'a whole number from 1 to 5', holds: form.whole(1, 5) },
  { path: 'cache.snapshotDays', rule: 'a whole number from 0 to 35', holds: form.whole(0, 35) },
  {
    path: 'cache.snapshotDays',
    rule: 'at least 1 where settings protect',
    beside: ['protect'],
    holds: (value, { protect }) => !protect || form.whole(1)(value),
  },
];

function oneOf(names: readonly string[]): string {
  return `one of ${names.join(', ')}`;
}

function isKeyOf(table: object, value: unknown): boolean {
  return typeof value === 'string' && Object.hasOwn(table, value);
}

/** Read out of the name, as the CDK does; nothing is looked up. */
function archOf(instanceType: unknown): string | undefined {
  try {
    return new InstanceType(String(instanceType)).architecture;
  } catch {
    return undefined;
  }
}
