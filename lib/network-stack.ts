import { type App, Duration } from 'aws-cdk-lib';
import {
  CfnNatGateway,
  FlowLogDestination,
  FlowLogTrafficType,
  GatewayVpcEndpointAwsService,
  type IVpc,
  IpAddresses,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import { acknowledge } from './acknowledge';
import { asBucket, asVpc } from './as-interface';
import { removalPolicy } from './removal-policy';
import { RpcStack } from './rpc-stack';
import type { Settings } from './settings';

/**
 * The VPC. In each zone a public subnet (load balancer, gateways), a private one (nodes and pods, out through a
 * gateway) and an isolated one (the cache, no way out).
 */
export class NetworkStack extends RpcStack {
  readonly vpc: IVpc;
  /** One for each gateway. */
  readonly natGatewayIds: readonly string[];

  constructor(app: App, settings: Settings) {
    super(app, 'network', settings, {
      description: 'The network of the Ethereum RPC balancer',
      madeOf: [settings.zones, settings.network],
    });
    const prefix = Number(settings.network.cidr.split('/')[1]);
    const vpc = new Vpc(this, 'vpc', {
      ipAddresses: IpAddresses.cidr(settings.network.cidr),
      availabilityZones: this.availabilityZones,
      natGateways: settings.network.natGateways,
      subnetConfiguration: [
        { name: 'public', subnetType: SubnetType.PUBLIC, cidrMask: prefix + 7, mapPublicIpOnLaunch: false },
        // Every pod has an address of its own here.
        { name: 'private', subnetType: SubnetType.PRIVATE_WITH_EGRESS, cidrMask: prefix + 4 },
        { name: 'isolated', subnetType: SubnetType.PRIVATE_ISOLATED, cidrMask: prefix + 8 },
      ],
      // Image layers come from S3; this way they do not pay for the gateway.
      gatewayEndpoints: { s3: { service: GatewayVpcEndpointAwsService.S3 } },
    });
    acknowledge(vpc, {
      'CloudFormation-Validate::W3010':
        'Zones are chosen in the settings: looked up, they would need credentials, and could move.',
    });
    this.vpc = asVpc(vpc);
    this.natGatewayIds = vpc.node
      .findAll()
      .filter((construct) => construct instanceof CfnNatGateway)
      .map(({ attrNatGatewayId }) => attrNatGatewayId);
    vpc.addFlowLog('flow-log', {
      destination: FlowLogDestination.toS3(asBucket(this.flowLogBucket())),
      trafficType: FlowLogTrafficType.ALL,
    });
  }

  private flowLogBucket(): Bucket {
    const { protect, retention } = this.settings;
    const bucket = new Bucket(this, 'flow-logs', {
      // With a key of ours, what delivers the logs would have to be let use it.
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      lifecycleRules: [{ expiration: Duration.days(retention.bucketDays) }],
      removalPolicy: removalPolicy(this.settings),
      autoDeleteObjects: !protect,
    });
    acknowledge(bucket, {
      'AwsSolutions-S1':
        'It holds logs itself; a log of who reads them would need a bucket of its own, without an end.',
    });
    return bucket;
  }
}
