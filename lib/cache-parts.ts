import type { IVpc } from 'aws-cdk-lib/aws-ec2';
import { CfnParameterGroup, type CfnReplicationGroup, CfnSubnetGroup } from 'aws-cdk-lib/aws-elasticache';
import type { Construct } from 'constructs';
import { logGroup } from './log-group';
import { nameOf } from './names';
import type { Settings } from './settings';

/** In the subnets that have no way out. */
export function subnetGroup(scope: Construct, settings: Settings, vpc: IVpc): CfnSubnetGroup {
  return new CfnSubnetGroup(scope, 'subnets', {
    description: `The isolated subnets of ${nameOf(settings)}`,
    subnetIds: vpc.isolatedSubnets.map((subnet) => subnet.subnetId),
  });
}

export function parameterGroup(scope: Construct, settings: Settings, family: string): CfnParameterGroup {
  return new CfnParameterGroup(scope, 'parameters', {
    cacheParameterGroupFamily: family,
    description: `The cache ${nameOf(settings)}`,
    // All our keys have a lifetime, so this makes room where `noeviction` would refuse to write.
    properties: { 'maxmemory-policy': 'volatile-lru' },
  });
}

/** Commands that took long, and what the engine tells of itself. */
export function cacheLogs(
  scope: Construct,
  settings: Settings,
): CfnReplicationGroup.LogDeliveryConfigurationRequestProperty[] {
  return (['slow-log', 'engine-log'] as const).map((logType) => ({
    logType,
    logFormat: 'json',
    destinationType: 'cloudwatch-logs',
    destinationDetails: {
      cloudWatchLogsDetails: {
        logGroup: logGroup(scope, logType, settings, `/aws/elasticache/${nameOf(settings)}/${logType}`).logGroupName,
      },
    },
  }));
}
