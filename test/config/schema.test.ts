import { chain, minimal, parse, problemsOf, withNode } from './parse';

describe('defaults', () => {
  it('fills in every key but the nodes and the chain id', () => {
    expect(parse(minimal())).toEqual({
      listen: { host: '127.0.0.1', port: 8545, startupGraceMs: 10_000, drainDelayMs: 0, drainTimeoutMs: 30_000 },
      admin: { host: '127.0.0.1', port: 9090 },
      http: {
        maxBodyBytes: 2_097_152,
        maxBatchItems: 100,
        batchConcurrency: 16,
        maxDepth: 64,
        maxResponseBytes: 268_435_456,
        maxBatchResponseBytes: 26_214_400,
        headersTimeoutMs: 10_000,
        requestTimeoutMs: 30_000,
        keepAliveTimeoutMs: 75_000,
        maxConnections: 10_000,
        maxConnectionsPerClient: 1024,
        maxInFlightPerClient: 2048,
        gzip: false,
        cors: { origins: [], maxAgeSeconds: 600 },
      },
      trustedProxies: [],
      limits: { methods: {}, cost: {}, overrides: [], redisTimeoutMs: 50, onRedisFailure: 'local' },
      methods: { allow: [], deny: [] },
      telemetry: { logLevel: 'info', accessLog: { sample: 0 } },
      haproxy: {
        pool: { host: '127.0.0.1', port: 8000 },
        stats: { host: '127.0.0.1', port: 8404 },
        adminSocket: '127.0.0.1:9999',
        maxConnections: 4000,
        hardStopAfterMs: 300_000,
        checkIntervalMs: 5000,
      },
      chains: {
        mainnet: {
          chainId: 1,
          balancing: 'p2c',
          health: { rise: 2, fall: 3, maxLagBlocks: 3, maxBlockAgeMs: 150_000, maxLatencyMs: 3000 },
          routing: { waitForBlockMs: 500, recentStateBlocks: 128 },
          failover: {
            deadlineMs: 30_000,
            maxAttempts: 3,
            connectTimeoutMs: 500,
            lightTimeoutMs: 2000,
            callTimeoutMs: 10_000,
            maxRestMs: 60_000,
            budgetPercent: 20,
            budgetPerSecond: 10,
            readMethods: [],
          },
          cache: { maxBytes: 67_108_864, shortTtlMs: 500, except: [], redisTtlMs: 60_000, redisTimeoutMs: 20 },
          filters: {
            mode: 'computed',
            ttlMs: 300_000,
            maxPerClient: 1000,
            maxFilters: 10_000,
            maxLogBlocks: 1000,
            redisTimeoutMs: 250,
          },
          nodes: [{ name: 'a', url: 'http://a.example', weight: 1, tier: 0, maxInFlight: 0, archive: false }],
        },
      },
    });
  });

  it('gives a configuration that nobody can change', () => {
    const config = parse(minimal());
    expect(() => Object.assign(config.listen, { port: 1 })).toThrow(TypeError);
    expect(() => Object.assign(config.chains['mainnet']?.nodes[0] ?? {}, { weight: 2 })).toThrow(TypeError);
    expect(() => (config.trustedProxies as string[]).push('0.0.0.0/0')).toThrow(TypeError);
  });
});

/** What is written, and the one problem it must give. */
const REFUSED: readonly (readonly [document: unknown, problem: string])[] = [
  [
    minimal({ chains: { mainnet: chain({ health: { maxLagBlocks: -3 } }) } }),
    'chains.mainnet.health.maxLagBlocks must be a whole number of at least 1, got -3',
  ],
  [minimal({ listen: { port: 70_000 } }), 'listen.port must be a whole number from 0 to 65535, got 70000'],
  [minimal({ listen: { port: '80' } }), 'listen.port must be a whole number from 0 to 65535, got "80"'],
  [minimal({ listen: { port: null } }), 'listen.port must be a whole number from 0 to 65535, got null'],
  [minimal({ listen: { host: 'a b' } }), 'listen.host must be an IP address or a host name, got "a b"'],
  [minimal({ listen: [] }), 'listen must be a mapping, got an empty list'],
  [minimal({ http: { gzip: 'yes' } }), 'http.gzip must be true or false, got "yes"'],
  [minimal({ http: { maxDepth: 1.5 } }), 'http.maxDepth must be a whole number from 1 to 10000, got 1.5'],
  [
    minimal({ http: { cors: { origins: ['https://app.example/'] } } }),
    'http.cors.origins[0] must be an origin such as https://app.example, or *, got https://app.example/…',
  ],
  [
    minimal({ telemetry: { logLevel: 'loud' } }),
    'telemetry.logLevel must be one of trace, debug, info, warn, error, fatal, silent, got "loud"',
  ],
  [
    minimal({ telemetry: { accessLog: { sample: 2 } } }),
    'telemetry.accessLog.sample must be a number from 0 to 1, got 2',
  ],
  [
    minimal({ methods: { deny: ['*_call'] } }),
    'methods.deny[0] must be a method name, or the start of one and *, got "*_call"',
  ],
  ...['10.0.0.0/33', '10/8', '010.0.0.0/8', 'fe80::1%eth0/64', '10.0.0.0/8/8', 'ten', '10.0.0.0/'].map(
    (network) =>
      [
        minimal({ trustedProxies: [network] }),
        `trustedProxies[0] must be a network such as 10.0.0.0/8, or an IP address, got ${JSON.stringify(network)}`,
      ] as const,
  ),
  [
    minimal({ chains: { mainnet: chain({ chainId: undefined }) } }),
    'chains.mainnet.chainId must be a whole number from 1 to 9007199254740991, got nothing',
  ],
  [
    minimal({ chains: { mainnet: chain({ chainId: 2 ** 53 }) } }),
    'chains.mainnet.chainId must be a whole number from 1 to 9007199254740991, got 9007199254740992',
  ],
  [
    minimal({ chains: { mainnet: chain({ nodes: [] }) } }),
    'chains.mainnet.nodes must be a list of nodes with at least 1, got an empty list',
  ],
  [minimal({ chains: {} }), 'chains must be a mapping with at least one chain, got an empty mapping'],
  [{}, 'chains must be a mapping, got nothing'],
  [
    minimal({ chains: { mainnet: chain({ balancing: 'random' }) } }),
    'chains.mainnet.balancing must be one of p2c, client-ip-hash, got "random"',
  ],
  [
    minimal({ chains: { mainnet: chain({ health: { intervalMs: 49 } }) } }),
    'chains.mainnet.health.intervalMs must be a whole number from 50 to 60000, got 49',
  ],
  [
    withNode({ url: 'http://a.example', weight: 0 }),
    'chains.mainnet.nodes[0].weight must be a number above 0 and at most 256, got 0',
  ],
  [
    withNode({ url: 'ftp://a.example/secret' }),
    'chains.mainnet.nodes[0].url must be a URL that begins with http:// or https://, got (hidden)',
  ],
  [
    withNode({ url: 'http://a.example', wsUrl: 'http://a.example' }),
    'chains.mainnet.nodes[0].wsUrl must be a URL that begins with ws:// or wss://, got http://a.example/…',
  ],
];

describe('refuses what is out of range', () => {
  it.each(REFUSED)('%j', (document, problem) => {
    expect(problemsOf(document)).toEqual([problem]);
  });

  it('takes the ends of ranges', () => {
    const config = parse(
      minimal({
        listen: { host: '::', port: 0 },
        admin: { port: 0 },
        telemetry: { accessLog: { sample: 1 } },
        trustedProxies: ['10.0.0.0/8', '2001:db8::/32', '192.0.2.1', '::1'],
        http: { cors: { origins: ['*', 'https://app.example:8443'] } },
        methods: { allow: ['debug_*', 'eth_sendTransaction'] },
        chains: { m: chain({ chainId: Number.MAX_SAFE_INTEGER, health: { intervalMs: 50 } }) },
      }),
    );
    expect(config.chains['m']?.chainId).toBe(Number.MAX_SAFE_INTEGER);
    expect(config.trustedProxies).toHaveLength(4);
  });
});

describe('names of chains', () => {
  it.each(['readyz', 'livez', 'metrics', 'status'])('refuses %s, a path of the balancer itself', (name) => {
    expect(problemsOf({ chains: { [name]: chain() } })).toEqual([
      `chains.${name} must be a name other than readyz, livez, metrics, status (paths of the balancer itself), got "${name}"`,
    ]);
  });

  it.each(['1', 'Mainnet', 'main_net', '-a', ''])(
    'refuses %j, which could be taken for a chain id or breaks a path',
    (name) => {
      const [problem, ...others] = problemsOf({ chains: { [name]: chain() } });
      expect(others).toEqual([]);
      expect(problem).toContain(
        `must be a name of lower-case letters, digits and dashes that begins with a letter, got ${JSON.stringify(name)}`,
      );
    },
  );

  it('tells the faults inside a chain of a wrong name too', () => {
    expect(problemsOf({ chains: { Main: chain({ chainId: 0 }) } })).toHaveLength(2);
  });
});

describe('unknown keys', () => {
  it.each([
    [minimal({ listen: { prot: 1 } }), 'listen.prot must be a known key (did you mean port?), got "prot"'],
    [minimal({ Listen: {} }), 'Listen must be a known key (did you mean listen?), got "Listen"'],
    [minimal({ admin: { password: 'canary' } }), 'admin.password must be a known key (host, port), got "password"'],
    [
      withNode({ url: 'http://a.example', wieght: 2 }),
      'chains.mainnet.nodes[0].wieght must be a known key (did you mean weight?), got "wieght"',
    ],
  ])('%j', (document, problem) => {
    expect(problemsOf(document)).toEqual([problem]);
  });
});

describe('keys that mean something to JavaScript', () => {
  it('refuses __proto__ everywhere', () => {
    const text = `
__proto__: { listen: { port: 1 } }
limits:
  cost: { __proto__: 3 }
chains:
  mainnet: { chainId: 1, nodes: [{ name: a, url: http://a.example, __proto__: { archive: true } }] }
  __proto__: { chainId: 2, nodes: [{ name: a, url: http://a.example }] }
`;
    const problems = problemsOf(text);
    for (const path of [
      '__proto__',
      'limits.cost.__proto__',
      'chains.mainnet.nodes[0].__proto__',
      'chains.__proto__',
    ]) {
      expect(problems.filter((problem) => problem.startsWith(`${path} must be`))).toHaveLength(1);
    }
    expect(({} as Record<string, unknown>)['listen']).toBeUndefined();
  });

  it.each(['constructor', 'valueof'])('takes %s as a name like others', (name) => {
    const config = parse({ chains: { [name]: chain() }, limits: { perMinute: 60, cost: { [name]: 2 } } });
    expect(config.chains[name]?.chainId).toBe(1);
    expect(config.limits.cost[name]).toBe(2);
  });

  it.each(['constructor', 'toString', 'valueOf', '__proto__'])('finds no %s that was not configured', (name) => {
    const { chains, limits } = parse(minimal());
    expect(chains[name]).toBeUndefined();
    expect(limits.cost[name]).toBeUndefined();
    expect(limits.methods[name]).toBeUndefined();
  });
});
