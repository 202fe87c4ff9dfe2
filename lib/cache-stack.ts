import { type App } from 'aws-cdk-lib';
import { SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import { CfnReplicationGroup } from 'aws-cdk-lib/aws-elasticache';
import { Key } from 'aws-cdk-lib/aws-kms';
import { acknowledge } from './acknowledge';
import { CacheAccess } from './cache-access';
import { CACHE_PORT } from './cache-names';
import { cacheLogs, parameterGroup, subnetGroup } from './cache-parts';
import { nameOf } from './names';
import type { NetworkStack } from './network-stack';
import { removalPolicy, snapshotPolicy } from './removal-policy';
import { RpcStack } from './rpc-stack';
import type { Settings } from './settings';

export interface CacheStackProps {
  readonly network: NetworkStack;
}

export const CACHE_ENGINE = { engine: 'valkey', version: '8.1', family: 'valkey8' } as const;

/** In UTC, one after the other: AWS refuses windows that meet. */
const SNAPSHOTS = '18:00-19:00';
const MAINTENANCE = 'sun:19:30-sun:20:30';

/**
 * What all pods share: limits, answers, filters, the head. One primary and replicas of it in other zones (no shards:
 * scripts take several keys), reached through TLS by one user. Valkey is Redis for all we ask of it.
 */
export class CacheStack extends RpcStack {
  /** Of the cache and of its password. */
  readonly key: Key;
  readonly access: CacheAccess;
  readonly securityGroup: SecurityGroup;
  readonly group: CfnReplicationGroup;

  constructor(app: App, settings: Settings, { network }: CacheStackProps) {
    super(app, 'cache', settings, {
      description: 'The cache of the Ethereum RPC balancer',
      madeOf: [settings.cache, CACHE_ENGINE],
    });
    this.follows(network);
    const { nodeType, replicas, snapshotDays } = settings.cache;
    this.key = new Key(this, 'key', {
      description: `The cache ${nameOf(settings)} and its password`,
      enableKeyRotation: true,
      removalPolicy: removalPolicy(settings),
    });
    this.access = new CacheAccess(this, 'access', { settings, key: this.key });
    // Who may connect is added where the pods are known, in the app's stack.
    this.securityGroup = new SecurityGroup(this, 'security-group', {
      vpc: network.vpc,
      description: `The cache ${nameOf(settings)}`,
      allowAllOutbound: false,
    });
    this.group = new CfnReplicationGroup(this, 'group', {
      replicationGroupId: nameOf(settings),
      replicationGroupDescription: 'Limits, answers, filters and the head, shared by all pods',
      engine: CACHE_ENGINE.engine,
      engineVersion: CACHE_ENGINE.version,
      cacheNodeType: nodeType,
      port: CACHE_PORT,
      numCacheClusters: 1 + replicas,
      automaticFailoverEnabled: true,
      multiAzEnabled: true,
      cacheSubnetGroupName: subnetGroup(this, settings, network.vpc).ref,
      cacheParameterGroupName: parameterGroup(this, settings, CACHE_ENGINE.family).ref,
      securityGroupIds: [this.securityGroup.securityGroupId],
      transitEncryptionEnabled: true,
      transitEncryptionMode: 'required',
      atRestEncryptionEnabled: true,
      kmsKeyId: this.key.keyArn,
      userGroupIds: [this.access.userGroup.ref],
      snapshotRetentionLimit: snapshotDays,
      ...(snapshotDays > 0 && { snapshotWindow: SNAPSHOTS }),
      preferredMaintenanceWindow: MAINTENANCE,
      autoMinorVersionUpgrade: true,
      logDeliveryConfigurations: cacheLogs(this, settings),
    });
    this.group.applyRemovalPolicy(snapshotPolicy(settings));
    acknowledge(this.group, {
      'AwsSolutions-AEC6': 'It has a user of its own by RBAC, which supersedes the AUTH token that the rule looks for.',
    });
  }
}
