import { Duration, Stack } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { acknowledge } from './acknowledge';
import { nameOf } from './names';
import { removalPolicy } from './removal-policy';
import type { Settings } from './settings';

/**
 * Where the load balancer tells of each request. It asks when it is made whether it may write there, so the Ingress has to
 * come after the bucket's policy.
 */
export function accessLogBucket(scope: Construct, settings: Settings): Bucket {
  const bucket = new Bucket(scope, 'access-logs', {
    // Load balancers refuse buckets with a key of ours.
    encryption: BucketEncryption.S3_MANAGED,
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
    enforceSSL: true,
    lifecycleRules: [{ expiration: Duration.days(settings.retention.bucketDays) }],
    removalPolicy: removalPolicy(settings),
    autoDeleteObjects: !settings.protect,
  });
  bucket.addToResourcePolicy(
    new PolicyStatement({
      principals: [new ServicePrincipal('logdelivery.elasticloadbalancing.amazonaws.com')],
      actions: ['s3:PutObject'],
      // With the account in the path, no other account's load balancer can write here.
      resources: [bucket.arnForObjects(`${nameOf(settings)}/AWSLogs/${Stack.of(scope).account}/*`)],
    }),
  );
  acknowledge(bucket, {
    'AwsSolutions-S1': 'It holds logs itself; a log of who reads them would need a bucket of its own, without an end.',
  });
  return bucket;
}
