import { Duration, Size } from 'cdk8s';
import type { HostProps } from '../../constructs/hosts';
import type { RpcChartProps } from '../../constructs/rpc-chart';
import { ENVIRONMENTS } from './environments';
import { find, synthesise } from './manifests';
import { problems, withAlb, withNode, withSettings } from './variants';

const { staging, prod } = ENVIRONMENTS;
const HOST = { host: 'rpc.example.com' };
const CPU = 'proxyCpu must be an amount of CPU such as 200m or 1.5, got';
const ALB_NAME = 'at most 32 lower-case letters, digits and dashes, with no dash at an end and no internal- in front';
const SECRET = 'must be the name or ARN of a secret, got';
const OWN_PORT = 'alb.hosts[0].port must be 8545, the one of rpc-proxy that is for the load balancer, got';
const DECIDED = 'must be left out: it is decided where it is deployed, got';

function withHost(host: Partial<HostProps>): RpcChartProps {
  return withAlb({ hosts: [{ ...HOST, ...host }] });
}

function withRedis(redis: object): RpcChartProps {
  return { ...prod, redis: { host: 'cache.example.com', passwordSecret: 's', cidrs: ['10.1.6.0/24'], ...redis } };
}

/**
 * Each of these went into the manifests, where the cluster, AWS or a program would have refused it, some without a word;
 * or it ended in an error of cdk8s that names no prop.
 */
it.each<[string, RpcChartProps, string]>([
  ['CPU in a unit of memory', { ...staging, proxyCpu: '200Mi' }, `${CPU} "200Mi"`],
  ['no CPU, of which the autoscaler takes a percentage', { ...staging, proxyCpu: '0.0' }, `${CPU} "0.0"`],
  [
    'part of a mebibyte',
    { ...staging, proxyMemory: Size.kibibytes(1_000_960) },
    'proxyMemory must be whole mebibytes, got "977.5 MiB"',
  ],
  [
    'part of a mebibyte for HAProxy',
    { ...staging, haproxyMemory: Size.kibibytes(1_000_960) },
    'haproxyMemory must be whole mebibytes, got "977.5 MiB"',
  ],
  [
    'part of a second of grace',
    { ...staging, gracePeriod: Duration.millis(200_500) },
    'gracePeriod must be whole seconds, got "200.5 s"',
  ],
  [
    'part of a second of idleness',
    withAlb({ idleTimeout: Duration.millis(1500) }),
    'alb.idleTimeout in seconds must be a whole number from 1 to 4000, got 1.5',
  ],
  [
    'part of a second to deregister',
    withAlb({ deregistrationDelay: Duration.millis(1500) }),
    'alb.deregistrationDelay in seconds must be a whole number from 0 to 3600, got 1.5',
  ],
  [
    'part of a second for a cookie',
    withHost({ stickiness: Duration.millis(1500) }),
    'alb.hosts[0].stickiness in seconds must be a whole number from 1 to 604800, got 1.5',
  ],
  ['an architecture', { ...staging, arch: 'arm' as 'arm64' }, 'arch must be one of arm64, x86_64, got "arm"'],
  ['no secret', { ...staging, providerKeysSecret: '' }, `providerKeysSecret ${SECRET} ""`],
  [
    'a role by name',
    { ...staging, serviceAccountRoleArn: 'rpc-proxy' },
    'serviceAccountRoleArn must be the ARN of an IAM role, got "rpc-proxy"',
  ],
  [
    'an image that is only a digest',
    { ...staging, image: `@sha256:${'0'.repeat(64)}` },
    `image must be an image by digest, such as registry.example/rpc@sha256:…, got "@sha256:${'0'.repeat(64)}"`,
  ],
  [
    'a number that is none',
    { ...staging, scaling: { maxReplicas: NaN } },
    'scaling.maxReplicas must be a whole number from 2 to 1000, got NaN',
  ],

  // The controller ignores Ingresses of such a group: there would be no load balancer, and no error.
  [
    'a group of upper case',
    withAlb({ loadBalancerName: 'RPC' }),
    `alb.loadBalancerName must be ${ALB_NAME}, got "RPC"`,
  ],
  [
    'a certificate by name',
    withAlb({ certificateArn: 'rpc' }),
    'alb.certificateArn must be the ARN of a certificate, got "rpc"',
  ],
  [
    'a security group by name',
    withAlb({ securityGroup: 'rpc' }),
    'alb.securityGroup must be the id of a security group, such as sg-0123abcd, got "rpc"',
  ],
  ['a TLS policy', withAlb({ sslPolicy: 'TLSv1' }), 'alb.sslPolicy must be the name of a policy of ELB, got "TLSv1"'],
  [
    'a web ACL by name',
    withAlb({ webAclArn: 'rpc' }),
    'alb.webAclArn must be the ARN of a web ACL, or none, got "rpc"',
  ],
  [
    'a prefix that turns off protection',
    withAlb({ accessLogs: { bucket: 'logs', prefix: 'x,deletion_protection.enabled=false' } }),
    'alb.accessLogs.prefix must be a path of letters, digits, dots, dashes and _, got "x,deletion_protection.enabled=false"',
  ],
  [
    'two buckets',
    withAlb({ accessLogs: { bucket: 'a,b', prefix: 'x' } }),
    'alb.accessLogs.bucket must be the name of a bucket, got "a,b"',
  ],
  [
    'a health check of no path',
    withHost({ healthCheckPath: 'readyz' }),
    'alb.hosts[0].healthCheckPath must be a path that begins with /, got "readyz"',
  ],
  [
    'a host that the load balancer has no room for',
    withHost({ host: `${'a.'.repeat(63)}com` }),
    `alb.hosts[0].host must be a host name of at most 128 characters, got "${'a.'.repeat(63)}com"`,
  ],
  // What has no limits, and what operators look at, from the Internet.
  ['the pool for the world', withHost({ port: 8000 }), `${OWN_PORT} 8000`],
  ['the status page for the world', withHost({ port: 9090 }), `${OWN_PORT} 9090`],

  // HAProxy would have taken it first, and the weighter would have ended again and again.
  [
    "the weighter's port for a provider",
    withNode({ localPort: 9091, provider: { url: 'https://a.example' } }),
    'chains.mainnet.nodes[0].localPort must be a port of its own (the weighter has it too), got 9091',
  ],
  ['no password', withRedis({ passwordSecret: '' }), `redis.passwordSecret ${SECRET} ""`],

  // These took the place of what the pod decides, a password in plain text among them.
  ['Redis', withSettings({ redis: { url: 'redis://:hunter2@x:6379' } }), `settings.redis ${DECIDED} "a mapping"`],
  ['trust in all', withSettings({ trustedProxies: ['0.0.0.0/0'] }), `settings.trustedProxies ${DECIDED} "a value"`],
  ['an admin port', withSettings({ admin: { port: 1 } }), `settings.admin ${DECIDED} "a mapping"`],
  // And these were passed over.
  ['a port', withSettings({ listen: { port: 1 } }), `settings.listen.port ${DECIDED} "a value"`],
  [
    "HAProxy's socket",
    withSettings({ haproxy: { adminSocket: '127.0.0.1:9999' } }),
    `settings.haproxy.adminSocket ${DECIDED} "a value"`,
  ],
  [
    "the weighter's address",
    { ...staging, weighter: { listen: { port: 1 } } as object },
    `weighter.listen ${DECIDED} "a mapping"`,
  ],
])('%s is refused', (_, props, problem) => {
  expect(problems(props)).toEqual([problem]);
});

it.each([
  ['host', { host: 'me:hunter2@cache' }, 'redis.host must be a host name, got "(hidden)"'],
  ['port', { port: 0 }, 'redis.port must be a whole number from 1 to 65535, got 0'],
])("Redis's wrong %s is told by the name it has here, without a password", (_, redis, problem) => {
  const found = problems(withRedis(redis));
  expect(found).toContain(problem);
  expect(found.join()).not.toContain('hunter2');
});

describe('chains of another shape are told of by the configuration:', () => {
  it.each([
    ['none', undefined, 'chains must be a mapping, got nothing'],
    [
      'without nodes',
      { mainnet: { chainId: 1 } },
      'chains.mainnet.nodes must be a list of nodes with at least 1, got nothing',
    ],
    [
      'with a node of nothing',
      { mainnet: { chainId: 1, nodes: [null] } },
      'chains.mainnet.nodes[0] must be a mapping, got null',
    ],
  ])('%s', (_, chains, problem) => {
    expect(problems(withSettings({ chains }))).toContain(problem);
  });
});

it('names with dashes do not make one Service of two', () => {
  const hosts = [
    HOST,
    { host: 'a.example.com', namespace: 'a', service: 'b-c', port: 80 },
    { host: 'b.example.com', namespace: 'a-b', service: 'c', port: 80 },
  ];
  const manifests = synthesise(withAlb({ hosts }));
  expect(find(manifests, 'Ingress', 'b-c-ingress').metadata.namespace).toBe('a');
  expect(find(manifests, 'Ingress', 'c-ingress').metadata.namespace).toBe('a-b');
});

it.each([
  ['200m', '1', '1.5', '0.25'].map((proxyCpu) => ({ ...staging, proxyCpu })),
  ['rpc/keys', 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:rpc-AbCdEf'].map((providerKeysSecret) => ({
    ...staging,
    providerKeysSecret,
  })),
  ['none', 'arn:aws-cn:wafv2:cn-north-1:111122223333:regional/webacl/rpc/1'].map((webAclArn) => withAlb({ webAclArn })),
])('right forms are refused nothing', (...variants) => {
  for (const props of variants) expect(problems(props)).toEqual([]);
});
