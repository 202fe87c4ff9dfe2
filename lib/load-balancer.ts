import { createHash } from 'node:crypto';
import { Duration, Fn, Stack } from 'aws-cdk-lib';
import { type Cluster, type KubernetesManifest, KubernetesObjectValue } from 'aws-cdk-lib/aws-eks-v2';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { AwsCustomResource, AwsCustomResourcePolicy, PhysicalResourceId } from 'aws-cdk-lib/custom-resources';
import { Construct } from 'constructs';
import { NAMES } from '../runtime/contract/names';
import { acknowledge, wildcard } from './acknowledge';
import { asCluster } from './as-interface';
import { LOOKUP_FINDINGS } from './known-findings';
import { logGroup } from './log-group';
import { nameOf } from './names';
import type { Settings } from './settings';

export interface LoadBalancerProps {
  readonly cluster: Cluster;
  readonly settings: Settings;
  /** What has the Ingress in it. */
  readonly manifest: KubernetesManifest;
  /** The objects of it; when one changes, AWS is asked again. */
  readonly objects: readonly unknown[];
}

/** A load balancer takes about 3 minutes. */
const PATIENCE = Duration.minutes(10);

/**
 * The load balancer that the controller makes of the Ingress. CloudFormation does not know of it, so: wait until the
 * Ingress has an address, then ask AWS for the one of this name.
 */
export class LoadBalancer extends Construct {
  readonly arn: string;
  /** As metrics name it: `app/NAME/ID`. */
  readonly fullName: string;
  readonly dnsName: string;
  /** Of the zone that `dnsName` is in; AWS's own. */
  readonly hostedZoneId: string;

  constructor(scope: Construct, id: string, { cluster, settings, manifest, objects }: LoadBalancerProps) {
    super(scope, id);
    const address = new KubernetesObjectValue(this, 'address', {
      cluster: asCluster(cluster),
      objectType: 'ingress',
      objectName: `${NAMES.app}-ingress`,
      objectNamespace: settings.workload.namespace,
      jsonPath: '.status.loadBalancer.ingress[0].hostname',
      timeout: PATIENCE,
    });
    address.node.addDependency(manifest);

    const found = new AwsCustomResource(this, 'lookup', {
      resourceType: 'Custom::LoadBalancer',
      onUpdate: {
        // The package's and the command's own names: others are guessed at, and only when it runs.
        service: '@aws-sdk/client-elastic-load-balancing-v2',
        action: 'DescribeLoadBalancersCommand',
        parameters: { Names: [nameOf(settings)] },
        // An update with another id is told to CloudFormation as another resource: there is nothing to delete of the old.
        physicalResourceId: PhysicalResourceId.of(fingerprint(this, objects)),
        outputPaths: Object.values(FIELDS),
      },
      policy: AwsCustomResourcePolicy.fromStatements([
        new PolicyStatement({ actions: ['elasticloadbalancing:DescribeLoadBalancers'], resources: ['*'] }),
      ]),
      installLatestAwsSdk: false,
      logGroup: logGroup(this, 'lookup-logs', settings, `/aws/lambda/${nameOf(settings)}-load-balancer-lookup`),
    });
    found.node.addDependency(address);
    acknowledge(found, { [wildcard('*')]: 'Looking at load balancers cannot be narrowed.' });
    acknowledge(Stack.of(this), LOOKUP_FINDINGS);

    this.arn = found.getResponseField(FIELDS.arn);
    this.fullName = Fn.select(1, Fn.split('loadbalancer/', this.arn));
    this.dnsName = found.getResponseField(FIELDS.dnsName);
    this.hostedZoneId = found.getResponseField(FIELDS.hostedZoneId);
  }
}

const FIELDS = {
  arn: 'LoadBalancers.0.LoadBalancerArn',
  dnsName: 'LoadBalancers.0.DNSName',
  hostedZoneId: 'LoadBalancers.0.CanonicalHostedZoneId',
} as const;

/** Resolved, because the text of a token depends on how many there were before it. */
function fingerprint(scope: Construct, objects: readonly unknown[]): string {
  const text = JSON.stringify(Stack.of(scope).resolve(objects));
  return createHash('sha256').update(text).digest('hex');
}
