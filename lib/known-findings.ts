import { managedPolicy, wildcard } from './acknowledge';

const KUBECTL = "The CDK's functions that apply manifests have the policies that the CDK gives them.";

const PUBLIC_IMAGES = {
  'Fn::If': [
    'clusterKubectlProviderHandlerHasEcrPublic4D4B3BB8',
    {
      'Fn::Join': [
        '',
        ['arn:', { Ref: 'AWS::Partition' }, ':iam::aws:policy/AmazonElasticContainerRegistryPublicReadOnly'],
      ],
    },
    { Ref: 'AWS::NoValue' },
  ],
};

/** Of the CDK's own functions, in the cluster's stack. */
export const KUBECTL_FINDINGS: Readonly<Record<string, string>> = {
  [managedPolicy('service-role/AWSLambdaBasicExecutionRole')]: KUBECTL,
  [managedPolicy('service-role/AWSLambdaVPCAccessExecutionRole')]: KUBECTL,
  [managedPolicy('AmazonEC2ContainerRegistryReadOnly')]: KUBECTL,
  [`AwsSolutions-IAM4[Policy::${JSON.stringify(PUBLIC_IMAGES)}]`]: KUBECTL,
  [wildcard('<clusterKubectlProviderHandler87A43F30.Arn>:*')]: "Any version of the CDK's own function.",
  'AwsSolutions-L1': 'The CDK chooses the newest Python that every region has.',
};

const CONTROLLER = "The controller's own policy, as its makers publish it; it makes what has no name yet.";

/** Of AWS Load Balancer Controller's policy. */
export const CONTROLLER_FINDINGS: Readonly<Record<string, string>> = Object.fromEntries(
  [
    '*',
    'arn:<AWS::Partition>:ec2:*:*:security-group/*',
    ...['loadbalancer/app/*/*', 'loadbalancer/net/*/*', 'targetgroup/*/*']
      .concat('listener-rule/app/*/*/*', 'listener-rule/net/*/*/*', 'listener/app/*/*/*', 'listener/net/*/*/*')
      .map((resource) => `arn:<AWS::Partition>:elasticloadbalancing:*:*:${resource}`),
  ].map((resource) => [wildcard(resource), CONTROLLER]),
);

const LOOKUP = "The CDK's function that asks AWS for the load balancer.";

/** Of the function that `AwsCustomResource` has, one in a stack. */
export const LOOKUP_FINDINGS: Readonly<Record<string, string>> = {
  [managedPolicy('service-role/AWSLambdaBasicExecutionRole')]: LOOKUP,
  'AwsSolutions-L1': 'The CDK chooses the version of Node.js that its function was tested with.',
};
