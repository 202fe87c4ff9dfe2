import { Duration, Size } from 'cdk8s';
import type { RpcChartProps } from '../../constructs/rpc-chart';
import { ENVIRONMENTS } from './environments';
import { find, synthesise, toYaml } from './manifests';
import { problems, withAlb, withNode, withSettings } from './variants';

const { staging, prod } = ENVIRONMENTS;

const HOST = { host: 'rpc.example.com' };
const GRAPH = { host: 'graph.example.com', namespace: 'graph', service: 'graph-node', port: 8000 };

it.each(Object.entries(ENVIRONMENTS))('%s is refused nothing', (_, props) => {
  expect(problems(props)).toEqual([]);
});

describe('times that do not fit each other are refused:', () => {
  it.each<[string, RpcChartProps, string]>([
    [
      'connections that the proxy closes before the load balancer does',
      withSettings({ http: { keepAliveTimeoutMs: 75_000 } }),
      'http.keepAliveTimeoutMs must be more than alb.idleTimeout (3600000 ms), got 75000',
    ],
    [
      'a pod that accepts nothing any more while the load balancer still sends',
      withSettings({ listen: { drainDelayMs: 34_999 } }),
      'listen.drainDelayMs must be at least alb.deregistrationDelay and 5 s (35000 ms), got 34999',
    ],
    [
      'a pod that is killed before it has finished',
      { ...staging, gracePeriod: Duration.seconds(139) },
      'gracePeriod must be at least drainDelayMs, drainTimeoutMs, hardStopAfterMs and 10 s (140 s), got "139 s"',
    ],
  ])('%s', (_, props, problem) => {
    expect(problems(props)).toEqual([problem]);
  });

  it('and follow each other where they are not told', () => {
    const alb = withAlb({ idleTimeout: Duration.seconds(60), deregistrationDelay: Duration.seconds(120) });
    const text = find(synthesise(alb), 'ConfigMap').data?.['config.yaml'];
    expect(text).toContain('drainDelayMs: 125000');
    expect(text).toContain('keepAliveTimeoutMs: 65000');
  });
});

describe('memory that is not enough is refused:', () => {
  it.each<[string, RpcChartProps, string]>([
    [
      'a cache larger than its container',
      { ...prod, proxyMemory: Size.mebibytes(863) },
      'proxyMemory must be at least one and a half times what all chains cache and 192 MiB (864 MiB), got "863 MiB"',
    ],
    [
      'more connections than two workers of HAProxy can hold',
      { ...prod, haproxyMemory: Size.mebibytes(256) },
      'haproxyMemory must be at least what two workers take with haproxy.maxConnections (407 MiB), got "256 MiB"',
    ],
  ])('%s', (_, props, problem) => {
    expect(problems(props)).toEqual([problem]);
  });
});

describe('a configuration that the programs would refuse is refused here:', () => {
  it.each<[string, RpcChartProps, string]>([
    [
      'an unknown key',
      withSettings({ limits: { perMinutes: 5 } as object }),
      'limits.perMinutes must be a known key (did you mean perMinute?)',
    ],
    ['a port twice', withNode({ localPort: 8404, provider: { url: 'https://a.example' } }), 'localPort'],
    ['a provider without TLS verification', withNode({ provider: { url: 'https://10.0.0.1/' } }), 'provider.url'],
    [
      'a node without a provider',
      withNode({}),
      'chains.mainnet.nodes[0].provider must be set for a node with localPort',
    ],
    [
      'a key where only the proxy reads',
      withNode({ localPort: undefined, url: 'https://a.example/${KEY}' }),
      'must be the name of an environment variable that is set',
    ],
    [
      'a file that is not in the pod',
      withSettings({ limits: { overrides: [{ cidrs: ['${file:/etc/office}'], unlimited: true }] } }),
      'must be a file that can be read (ENOENT)',
    ],
    ['of the weighter', { ...staging, weighter: { adjustIntervalMs: 1 } }, 'weighter.adjustIntervalMs must be'],
  ])('%s', (_, props, problem) => {
    expect(problems(props).join('\n')).toContain(problem);
  });
});

describe('a key in the settings is refused, and not told:', () => {
  const KEY = 'c0ffee5ecre7c0ffee5ecre7';

  it.each([
    ['in the path', { provider: { url: `https://a.example/v2/${KEY}` } }, 'https://a.example/…'],
    ['in the query', { provider: { url: `https://a.example/?key=${KEY}` } }, 'https://a.example/…'],
    ['as a user', { provider: { url: `https://${KEY}@a.example/` } }, 'https://a.example/…'],
    ['as a short password', { provider: { url: 'https://me:pw@a.example/' } }, 'https://a.example/…'],
    [
      'of a WebSocket',
      { provider: { url: 'https://a.example', wsUrl: `wss://a.example/${KEY}` } },
      'wss://a.example/…',
    ],
    ['of a node', { localPort: undefined, url: `https://a.example/${KEY}` }, 'https://a.example/…'],
    ['beside a name', { provider: { url: `https://a.example/\${A}${KEY}` } }, 'https://a.example/…'],
    ['of a host by name', { provider: { url: `https://\${HOST}/${KEY}` } }, 'https://${host}/…'],
    ['as a password beside a name', { provider: { url: 'https://me:pw${A}@a.example/' } }, 'https://a.example/…'],
  ])('%s', (_, node, shown) => {
    const [problem = '', ...others] = problems(withNode(node));
    expect(problem).toContain('must be a URL with its key written ${NAME}');
    expect(problem).toContain(`got ${shown}`);
    expect([problem, ...others].join()).not.toMatch(/c0ffee|me:pw/);
  });
});

describe('a wrong prop is refused:', () => {
  it.each<[string, RpcChartProps, string]>([
    [
      'namespace',
      { ...staging, namespace: 'RPC' },
      'namespace must be a name of lower-case letters, digits and dashes',
    ],
    ['an image by tag', { ...staging, image: 'rpc:latest' }, 'image must be an image by digest'],
    ['HAProxy by tag', { ...staging, haproxyImage: 'haproxy:3.2' }, 'haproxyImage must be an image by digest'],
    ['one pod', { ...staging, scaling: { minReplicas: 1, maxReplicas: 4 } }, 'scaling.minReplicas must be a whole'],
    ['fewer at most than at least', { ...staging, scaling: { maxReplicas: 1 } }, 'scaling.maxReplicas must be a whole'],
    ['no subnet', { ...staging, network: { albCidrs: [] } }, 'network.albCidrs must be a list with at least one'],
    ['an address', { ...staging, network: { albCidrs: ['10.0.0.1'] } }, 'network.albCidrs[0] must be a network'],
    ['a long name', withAlb({ loadBalancerName: 'x'.repeat(33) }), 'alb.loadBalancerName must be at most 32'],
    ['idle time-out', withAlb({ idleTimeout: Duration.hours(2) }), 'alb.idleTimeout in seconds must be a whole number'],
    ['no host', withAlb({ hosts: [] }), 'alb.hosts must be a list that begins with a host of rpc-proxy'],
    [
      'another first',
      withAlb({ hosts: [GRAPH, HOST] }),
      'alb.hosts must be a list that begins with a host of rpc-proxy',
    ],
    ['a host twice', withAlb({ hosts: [HOST, HOST] }), 'alb.hosts[1].host must be unique, got "rpc.example.com"'],
    ['a URL as host', withAlb({ hosts: [{ host: 'https://x.example' }] }), 'alb.hosts[0].host must be a host name'],
    [
      'two health checks of one Service',
      withAlb({ hosts: [HOST, GRAPH, { ...GRAPH, host: 'ws.example.com', healthCheckPath: '/' }] }),
      'alb.hosts[2].healthCheckPath must be as for graph.example.com, which has the same Service (/readyz), got "/"',
    ],
    [
      'one action with two ports',
      withAlb({
        hosts: [HOST, { ...GRAPH, action: 'g' }, { ...GRAPH, host: 'ws.example.com', port: 8001, action: 'g' }],
      }),
      'alb.hosts[2].port must be as for graph.example.com, which has the same action (8000), got 8001',
    ],
  ])('%s', (_, props, problem) => {
    const found = problems(props);
    expect(found.join('\n')).toContain(problem);
    expect(found.every((one) => /^[\w.[\] ]+ must be .*, got /.test(one))).toBe(true);
  });

  it('together with all others', () => {
    const props = { ...withSettings({ limits: { perMinute: 0 } }), image: 'rpc', scaling: { maxReplicas: 0 } };
    expect(problems(props)).toHaveLength(3);
    expect(() => synthesise(props)).toThrow(/^the chart cannot be built \(3 problems\):\n {2}- image must be/);
  });
});

describe('what AWS gives when it is deployed', () => {
  const token = (n: number): string => `\${Token[TOKEN.${n}]}`;
  const props: RpcChartProps = {
    ...prod,
    image: token(1),
    providerKeysSecret: token(2),
    redis: { host: token(3), passwordSecret: token(4), cidrs: ['10.1.6.0/24'] },
    serviceAccountRoleArn: token(5),
    alb: { ...prod.alb, certificateArn: token(6), securityGroup: token(7) },
  };

  it('passes every check and stays as it is, for the CDK to fill in', () => {
    const yaml = toYaml(synthesise(props));
    for (let n = 1; n <= 7; n++) expect(yaml).toContain(token(n));
    expect(yaml).toContain(`url: rediss://${token(3)}:6379`);
  });
});

describe('ports the pod may reach', () => {
  it('are those of its providers and nodes', () => {
    const policy = toYaml([
      find(synthesise(withNode({ provider: { url: 'https://a.example:8443' } })), 'NetworkPolicy'),
    ]);
    expect(policy).toContain('port: 8443');
    expect(policy).not.toContain('port: 443\n');
  });

  it('are those of the name servers that HAProxy is told to ask, too', () => {
    const { spec } = find(
      synthesise(withSettings({ haproxy: { nameservers: ['10.0.0.2', '[2001:db8::1]:5353'] } })),
      'NetworkPolicy',
    );
    const ports = (port: number): object[] => ['TCP', 'UDP'].map((protocol) => ({ port, protocol }));
    expect((spec as { egress: unknown[] }).egress).toEqual(
      expect.arrayContaining([
        { to: [{ ipBlock: { cidr: '10.0.0.2/32' } }], ports: ports(53) },
        { to: [{ ipBlock: { cidr: '2001:db8::1/128' } }], ports: ports(5353) },
      ]),
    );
  });
});

it('the pods are replaced when something changes that programs read only when they start, and else not', () => {
  const annotationOf = (props: RpcChartProps): unknown => {
    const { spec } = find(synthesise(props), 'Deployment');
    return (spec as { template: { metadata: { annotations: unknown } } }).template.metadata.annotations;
  };
  const before = annotationOf(staging);
  expect(annotationOf(withSettings({ limits: { perMinute: 5 } }))).toEqual(before);
  expect(annotationOf({ ...staging, weighter: { policy: 'proportional' } })).not.toEqual(before);
});
