import type { IVpc, Vpc } from 'aws-cdk-lib/aws-ec2';
import type { Cluster, ICluster } from 'aws-cdk-lib/aws-eks-v2';
import type { Bucket, IBucket } from 'aws-cdk-lib/aws-s3';

/*
 * The CDK is compiled without `exactOptionalPropertyTypes`: its classes say `x?: T | undefined` where its interfaces say
 * `x?: T`. We keep the option, so a class is named as its interface here, once each.
 */

export const asVpc = (vpc: Vpc): IVpc => vpc as IVpc;

export const asCluster = (cluster: Cluster): ICluster => cluster as ICluster;

export const asBucket = (bucket: Bucket): IBucket => bucket as IBucket;
