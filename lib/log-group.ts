import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { LOG_DAYS } from './log-days';
import { removalPolicy } from './removal-policy';
import type { Settings } from './settings';

/**
 * A log group under the very name that AWS would make up, made before AWS does: its own would keep everything for
 * ever. What AWS writes meanwhile may make it again after a deletion: docs/teardown.md.
 */
export function logGroup(scope: Construct, id: string, settings: Settings, name: string): LogGroup {
  const retention = LOG_DAYS.get(settings.retention.logDays);
  if (retention === undefined) throw new Error('retention.logDays was not checked');
  return new LogGroup(scope, id, {
    logGroupName: name,
    retention,
    removalPolicy: removalPolicy(settings),
  });
}
