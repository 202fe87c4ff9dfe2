import { RemovalPolicy } from 'aws-cdk-lib';
import type { Settings } from './settings';

/** Of what holds data: in production it outlives its stack. */
export function removalPolicy(settings: Settings): RemovalPolicy {
  return settings.protect ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;
}

/** Of what AWS can keep a snapshot of when it goes. */
export function snapshotPolicy(settings: Settings): RemovalPolicy {
  return settings.protect ? RemovalPolicy.SNAPSHOT : RemovalPolicy.DESTROY;
}
