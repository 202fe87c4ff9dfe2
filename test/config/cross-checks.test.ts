import { chain, minimal, parse, problemsOf, withNode } from './parse';

const NODE = 'chains.mainnet.nodes[0]';
const viaHaproxy = (name: string, localPort: number): Record<string, unknown> => ({ name, localPort });

describe('how a node is reached', () => {
  it.each([
    [{}, [`${NODE} must be reached by exactly one of url and localPort, got neither`]],
    [
      { url: 'http://a.example', localPort: 8001 },
      [`${NODE} must be reached by exactly one of url and localPort, got both`],
    ],
    [
      { url: 'http://a.example', provider: { url: 'https://p.example' } },
      [`${NODE}.provider must be used together with localPort, got no localPort`],
    ],
    [{ localPort: 8001, wsUrl: 'ws://a.example' }, [`${NODE}.wsUrl must be used together with url, got no url`]],
  ])('refuses %j', (node, problems) => {
    expect(problemsOf(withNode(node))).toEqual(problems);
  });

  it.each([
    [{ url: 'https://user:password@a.example/path?key=1', wsUrl: 'wss://a.example' }],
    [{ localPort: 8001 }],
    [{ localPort: 8001, provider: { url: 'https://p.example/${KEY}', wsUrl: '${file:/x#y}' } }],
  ])('takes %j as it is', (node) => {
    expect(parse(withNode(node)).chains['mainnet']?.nodes[0]).toMatchObject(node);
  });
});

describe('metadata services', () => {
  it.each([
    'http://169.254.169.254/latest',
    'http://169.254.0.1',
    'http://2852039166/',
    'http://0xa9.0xfe.0xa9.0xfe/',
    'http://169.254.169.254./',
    'http://[::ffff:169.254.169.254]/',
    'http://[fe80::1]/',
    'http://[febf::1]/',
    'http://[fd00:ec2::254]/',
    'http://[fd00:0ec2:0::0254]:80/',
  ])('refuses %s', (url) => {
    for (const node of [{ url }, { localPort: 8001, provider: { url } }]) {
      const [problem, ...others] = problemsOf(withNode(node));
      expect(problem).toContain('url must be an address other than the link-local metadata addresses, got http://');
      expect(others).toEqual([]);
    }
  });

  it.each(['http://169.253.1.1', 'http://[fec0::1]', 'http://[fd00:ec2::253]', 'http://127.0.0.1', 'http://[::1]'])(
    'takes %s',
    (url) => {
      expect(parse(withNode({ url })).chains['mainnet']?.nodes[0]?.url).toBe(url);
    },
  );
});

describe('what must be there once', () => {
  it('refuses two nodes of one name in a chain, not in two', () => {
    const nodes = [
      { name: 'a', url: 'http://a.example' },
      { name: 'b', url: 'http://b.example' },
      { name: 'a', url: 'http://c.example' },
    ];
    expect(problemsOf({ chains: { one: chain({ nodes }), two: chain({ chainId: 2 }) } })).toEqual([
      'chains.one.nodes[2].name must be unique in its chain (chains.one.nodes[0].name has it too), got "a"',
    ]);
  });

  it('refuses a local port used twice, also in another chain or by the balancer itself', () => {
    const chains = {
      one: chain({ nodes: [viaHaproxy('a', 8001), viaHaproxy('b', 9090)] }),
      two: chain({ chainId: 2, nodes: [viaHaproxy('a', 8001)] }),
    };
    expect(problemsOf({ chains })).toEqual([
      'chains.one.nodes[1].localPort must be a port of its own (admin.port has it too), got 9090',
      'chains.two.nodes[0].localPort must be a port of its own (chains.one.nodes[0].localPort has it too), got 8001',
    ]);
  });

  it('refuses one port for clients and administration, unless the system picks both', () => {
    expect(problemsOf(minimal({ listen: { port: 9090 } }))).toEqual([
      'admin.port must be a port of its own (listen.port has it too), got 9090 (the default)',
    ]);
    expect(parse(minimal({ listen: { port: 0 }, admin: { port: 0 } })).admin.port).toBe(0);
  });

  it('refuses two chains of one id, because /<chainId> must mean one', () => {
    expect(problemsOf({ chains: { one: chain(), two: chain() } })).toEqual([
      'chains.two.chainId must be unique (chains.one.chainId has it too), got 1',
    ]);
  });
});

it('refuses a default chain that is not there', () => {
  expect(problemsOf(minimal({ defaultChain: 'sepolia' }))).toEqual([
    'defaultChain must be the name of a chain (mainnet), got "sepolia"',
  ]);
  expect(parse(minimal({ defaultChain: 'mainnet' })).defaultChain).toBe('mainnet');
});

describe('times that must fit each other', () => {
  it.each([
    [
      { http: { headersTimeoutMs: 20_000, requestTimeoutMs: 15_000 } },
      'http.headersTimeoutMs must be at most http.requestTimeoutMs, got 20000',
    ],
    [
      { http: { requestTimeoutMs: 5000 } },
      'http.headersTimeoutMs must be at most http.requestTimeoutMs, got 10000 (the default)',
    ],
    [{ listen: { drainDelayMs: 30_000 } }, 'listen.drainDelayMs must be less than listen.drainTimeoutMs, got 30000'],
  ])('refuses %j', (keys, problem) => {
    expect(problemsOf(minimal(keys))).toEqual([problem]);
  });
});

describe('limits that could never act, or would refuse every call', () => {
  const override = (keys: object): object => ({ overrides: [{ cidrs: ['10.0.0.0/8'], ...keys }] });

  it.each([
    [{ burst: 5 }, 'limits.burst must be used together with perMinute, got no perMinute'],
    [{ cost: { eth_call: 2 } }, 'limits.cost must be used together with perMinute, got no perMinute'],
    [
      { perMinute: 60, cost: { eth_getLogs: 21 } },
      'limits.cost.eth_getLogs must be at most the burst (20), else no call passes, got 21',
    ],
    [
      { perMinute: 6000, burst: 2, cost: { eth_getLogs: 3 } },
      'limits.cost.eth_getLogs must be at most the burst (2), else no call passes, got 3',
    ],
    [
      { perMinute: 6000, cost: { eth_getLogs: 30 }, ...override({ perMinute: 60 }) },
      'limits.overrides[0] must be given a burst of at least the highest cost (30), else no call passes, got 20',
    ],
    [override({ burst: 5 }), 'limits.overrides[0].burst must be used together with perMinute, got no perMinute'],
    [override({}), 'limits.overrides[0] must be given perMinute, burst, methods or unlimited, got none of them'],
    [
      { perMinute: 60, ...override({ unlimited: true, perMinute: 5 }) },
      'limits.overrides[0] must be either unlimited or limited, got unlimited and perMinute',
    ],
    [
      override({ unlimited: true }),
      'limits.overrides[0].unlimited must be left out where nothing else is limited, got true',
    ],
    [{ perMinute: 0 }, 'limits.perMinute must be a whole number from 1 to 1000000000, got 0'],
    [
      { methods: { 'eth.call': { perMinute: 1 } } },
      'limits.methods["eth.call"] must be the name of a method (letters, digits and _), got "eth.call"',
    ],
    [
      { methods: { eth_call: { burst: 1 } } },
      'limits.methods.eth_call.perMinute must be a whole number from 1 to 1000000000, got nothing',
    ],
    [
      { perMinute: 60, overrides: [{ cidrs: [], perMinute: 5 }] },
      'limits.overrides[0].cidrs must be a list of networks with at least 1, got an empty list',
    ],
  ])('refuses %j', (limits, problem) => {
    expect(problemsOf(minimal({ limits }))).toEqual([problem]);
  });

  it.each([
    [{ perMinute: 60, burst: 5, cost: { eth_chainId: 0, eth_call: 5 } }],
    [{ methods: { eth_call: { perMinute: 10 } } }],
    [override({ perMinute: 10 })],
    [{ perMinute: 60, ...override({ burst: 100 }) }],
    [{ perMinute: 60, ...override({ unlimited: true }) }],
    [{ perMinute: 60, ...override({ methods: { eth_call: { perMinute: 1 } } }) }],
  ])('takes %j', (limits) => {
    expect(parse(minimal({ limits })).limits).toMatchObject(limits);
  });
});

it('tells everything at once: single keys, names, unknown keys and what is between keys', () => {
  const problems = problemsOf({
    listen: { port: -1, prot: 2 },
    limits: { burst: 5 },
    defaultChain: 'none',
    chains: {
      metrics: chain({ chainId: 'one' }),
      two: chain({ nodes: [{ name: '!', weight: -1 }, 'https://user:canary@p.example/canary'] }),
    },
  });
  expect(problems.map((problem) => problem.split(' must be ')[0]).sort()).toEqual([
    'chains.metrics',
    'chains.metrics.chainId',
    'chains.two.nodes[0]',
    'chains.two.nodes[0].name',
    'chains.two.nodes[0].weight',
    'chains.two.nodes[1]',
    'defaultChain',
    'limits.burst',
    'listen.port',
    'listen.prot',
  ]);
  expect(problems.join()).not.toContain('canary');
});
