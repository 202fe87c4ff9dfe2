import { ArnFormat, Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';

/** Neither of these can be narrowed to a resource. */
const LOOKS = [
  'autoscaling:DescribeAutoScalingGroups',
  'autoscaling:DescribeAutoScalingInstances',
  'autoscaling:DescribeLaunchConfigurations',
  'autoscaling:DescribeScalingActivities',
  'ec2:DescribeImages',
  'ec2:DescribeInstanceTypes',
  'ec2:DescribeLaunchTemplateVersions',
  'ec2:GetInstanceTypesFromInstanceRequirements',
];

const CHANGES = ['autoscaling:SetDesiredCapacity', 'autoscaling:TerminateInstanceInAutoScalingGroup'];

/**
 * What Cluster Autoscaler may do in AWS: look at everything, change the groups of its own cluster. EKS itself puts both
 * tags on the groups of managed nodes. (The guide's policy allows the changes a second time on `*`, which undoes its
 * own condition: test/lib/autoscaler-policy.test.ts runs both.)
 *
 * @param clusterName literal: a key of a condition cannot be a reference
 */
export function autoscalerStatements(scope: Construct, clusterName: string): PolicyStatement[] {
  return [
    new PolicyStatement({ actions: LOOKS, resources: ['*'] }),
    new PolicyStatement({ actions: ['eks:DescribeNodegroup'], resources: [nodeGroupsArn(scope, clusterName)] }),
    new PolicyStatement({
      actions: CHANGES,
      resources: [scalingGroupsArn(scope)],
      conditions: {
        StringEquals: {
          'aws:ResourceTag/k8s.io/cluster-autoscaler/enabled': 'true',
          [`aws:ResourceTag/k8s.io/cluster-autoscaler/${clusterName}`]: 'owned',
        },
      },
    }),
  ];
}

export function nodeGroupsArn(scope: Construct, clusterName: string): string {
  return Stack.of(scope).formatArn({ service: 'eks', resource: 'nodegroup', resourceName: `${clusterName}/*` });
}

export function scalingGroupsArn(scope: Construct): string {
  return Stack.of(scope).formatArn({
    service: 'autoscaling',
    resource: 'autoScalingGroup',
    resourceName: '*:autoScalingGroupName/*',
    // With a slash, as is usual, no group would match.
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
}
