import { request } from 'node:https';
import { dirname, join } from 'node:path';
import type { Settings } from '../../lib/settings';
import { example } from './example';
import { changed } from './rejected';
import { resourcesOf, synthesise } from './synth';

/** The CDK's own function, which Lambda runs with the AWS SDK beside it. */
const HANDLER = join(
  dirname(require.resolve('aws-cdk-lib/package.json')),
  'custom-resource-handlers/dist/custom-resources/aws-custom-resource-handler/index.js',
);

const FOUND = {
  LoadBalancerArn:
    'arn:aws:elasticloadbalancing:ap-northeast-1:111122223333:loadbalancer/app/rpc-staging/0123456789abcdef',
  DNSName: 'rpc-staging-123.ap-northeast-1.elb.amazonaws.com',
  CanonicalHostedZoneId: 'Z14GRHDCWA56QT',
};

/** By the package's own name; any other is not in Lambda. */
jest.mock(
  '@aws-sdk/client-elastic-load-balancing-v2',
  () => ({
    DescribeLoadBalancersCommand: class {
      constructor(readonly input: unknown) {}
    },
    ElasticLoadBalancingV2Client: class {
      readonly config = { apiVersion: 'any', region: () => Promise.resolve('ap-northeast-1') };
      send({ input }: { input: { Names: string[] } }): Promise<unknown> {
        return Promise.resolve({ LoadBalancers: input.Names[0] === 'rpc-staging' ? [FOUND, { more: 1 }] : [] });
      }
    },
  }),
  { virtual: true },
);

jest.mock('https', () => ({ request: jest.fn() }));

interface Answer {
  readonly Status: string;
  readonly PhysicalResourceId: string;
  readonly Data: Readonly<Record<string, string>>;
}

/** What CloudFormation is told when it makes or updates the lookup. */
async function answerTo(type: 'Create' | 'Update', properties: Record<string, unknown>): Promise<Answer> {
  let body = '';
  jest.mocked(request).mockImplementation(((_: unknown, done: (response: object) => void) => ({
    on: jest.fn(),
    write: (text: string) => (body += text),
    end: () => done({ statusCode: 200, on: jest.fn(), resume: jest.fn() }),
  })) as unknown as typeof request);
  const { handler } = (await import(HANDLER)) as { handler: (event: object, context: object) => Promise<void> };
  const ids = { StackId: 'stack', RequestId: 'request', LogicalResourceId: 'lookup', PhysicalResourceId: 'before' };
  const event = {
    ...ids,
    RequestType: type,
    ResponseURL: 'https://cloudformation.invalid/',
    ResourceProperties: structuredClone(properties),
  };
  const silent = jest.spyOn(console, 'log').mockReturnValue();
  await handler(event, { logStreamName: 'any' });
  silent.mockRestore();
  return JSON.parse(body) as Answer;
}

function lookupOf(settings: Settings): Record<string, unknown> {
  const [lookup] = resourcesOf(synthesise(settings), 'Custom::LoadBalancer');
  // CloudFormation hands everything over as text.
  return { ...lookup?.Properties, InstallLatestAwsSdk: 'false' };
}

function idOf(properties: Record<string, unknown>): string {
  const { physicalResourceId } = JSON.parse(String(properties['Update'])) as { physicalResourceId: { id: string } };
  return physicalResourceId.id;
}

describe('the lookup of the load balancer', () => {
  const properties = lookupOf(example);

  it.each(['Create', 'Update'] as const)('finds it by its name at %s, and tells what is asked of it', async (type) => {
    expect(await answerTo(type, properties)).toMatchObject({
      Status: 'SUCCESS',
      PhysicalResourceId: idOf(properties),
      Data: {
        'LoadBalancers.0.LoadBalancerArn': FOUND.LoadBalancerArn,
        'LoadBalancers.0.DNSName': FOUND.DNSName,
        'LoadBalancers.0.CanonicalHostedZoneId': FOUND.CanonicalHostedZoneId,
      },
    });
  });

  it('is made again when the manifest has changed, and only then', () => {
    const before = idOf(properties);
    expect(idOf(lookupOf(changed(example, { 'operations.budgetUsd': 601 })))).toBe(before);
    expect(idOf(lookupOf(changed(example, { 'workload.idleTimeoutSeconds': 600 })))).not.toBe(before);
  });
});
