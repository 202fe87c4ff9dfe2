import { askRaw, type RawAnswer, rawPost } from '../front/raw-http';
import { ProxyProcess } from '../support/proxy-process';
import { ScriptedNode } from '../support/scripted-node';

interface Item {
  readonly id: unknown;
  readonly result?: unknown;
  readonly error?: {
    readonly code: number;
    readonly message: string;
    readonly data?: { readonly retryAfterMs: number };
  };
}

function request(method: string, id: unknown = 1): object {
  return { jsonrpc: '2.0', id, method, params: [] };
}

// Ten a minute: what is taken does not come back while a test runs.
const limits = {
  perMinute: 10,
  burst: 4,
  methods: { eth_gasPrice: { perMinute: 5, burst: 2 } },
  cost: { eth_syncing: 3, net_version: 0 },
  overrides: [
    { cidrs: ['203.0.113.0/24'], perMinute: 60, burst: 8 },
    { cidrs: ['2001:db8:1::/48'], unlimited: true },
  ],
};

describe('rate limits', () => {
  let node: ScriptedNode;
  let trusting: ProxyProcess;
  let untrusting: ProxyProcess;

  beforeAll(async () => {
    node = await ScriptedNode.start();
    const chains = {
      test: { chainId: 1337, nodes: [{ name: 'a', url: node.url }] },
      other: { chainId: 1338, nodes: [{ name: 'a', url: node.url }] },
    };
    [trusting, untrusting] = await Promise.all([
      ProxyProcess.start({ chains, limits, trustedProxies: ['127.0.0.1', '10.0.0.0/8'] }),
      ProxyProcess.start({ chains, limits }),
    ]);
    const isUp = (proxy: ProxyProcess): Promise<unknown> =>
      proxy.until(({ chains: [first] }) => first?.nodes[0]?.health === 'up');
    await Promise.all([isUp(trusting), isUp(untrusting)]);
  });

  afterAll(async () => {
    const exits = await Promise.all([trusting.stop(), untrusting.stop()]);
    await node.close();
    expect(exits.map(({ code }) => code)).toEqual([0, 0]);
  });

  /** As the load balancer at 127.0.0.1 would, for this client. */
  const ask = (client: string, body: unknown, path = '/'): Promise<RawAnswer> =>
    askRaw(trusting.url, rawPost(JSON.stringify(body), { 'x-forwarded-for': client }, path));

  const statuses = async (client: string, methods: readonly string[]): Promise<number[]> => {
    const found: number[] = [];
    for (const method of methods) found.push((await ask(client, request(method))).status);
    return found;
  };

  const five = (method: string): string[] => Array.from({ length: 5 }, () => method);

  it('lets a burst through, and then says when to come back', async () => {
    const client = '198.51.100.1';
    const first = await ask(client, request('eth_chainId'));
    expect(first.status).toBe(200);
    expect(first.headers).toMatchObject({ 'ratelimit-limit': '10', 'ratelimit-remaining': '3' });
    expect(first.headers['ratelimit-reset']).toMatch(/^[56]$/);
    expect(await statuses(client, five('eth_chainId').slice(1))).toEqual([200, 200, 200, 429]);
    const refused = await ask(client, request('eth_chainId', 'mine'));
    expect(refused.status).toBe(429);
    expect(refused.headers['retry-after']).toMatch(/^0[1-6]$/);
    expect(refused.headers).toMatchObject({ 'ratelimit-limit': '10', 'ratelimit-remaining': '0' });
    const { id, error } = JSON.parse(refused.body) as Item;
    expect([id, error?.code]).toEqual(['mine', -32005]);
    expect(error?.data?.retryAfterMs).toBeGreaterThan(0);
    expect(error?.data?.retryAfterMs).toBeLessThanOrEqual(6000);
    expect(Math.ceil((error?.data?.retryAfterMs ?? 0) / 1000)).toBe(Number(refused.headers['retry-after']));
  });

  it('gives each client its own bucket, over all chains', async () => {
    expect(await statuses('198.51.100.2', five('eth_chainId'))).toEqual([200, 200, 200, 200, 429]);
    expect((await ask('198.51.100.2', request('eth_blockNumber'), '/other')).status).toBe(429);
    expect((await ask('198.51.100.3', request('eth_chainId'))).status).toBe(200);
  });

  it('charges what a method costs', async () => {
    expect(await statuses('198.51.100.4', ['eth_syncing', 'eth_syncing', 'eth_chainId', 'eth_chainId'])).toEqual([
      200, 429, 200, 429,
    ]);
    expect(await statuses('198.51.100.4', ['net_version', 'net_version'])).toEqual([200, 200]);
  });

  it('holds the limit of a method, and charges a call refused for it nothing', async () => {
    const client = '198.51.100.5';
    expect(await statuses(client, five('eth_gasPrice'))).toEqual([200, 200, 429, 429, 429]);
    expect(await statuses(client, ['eth_chainId', 'eth_chainId', 'eth_chainId'])).toEqual([200, 200, 429]);
  });

  it('knows overrides by network', async () => {
    const nine = Array.from({ length: 9 }, () => 'eth_chainId');
    expect(await statuses('203.0.113.7', nine)).toEqual([...Array.from({ length: 8 }, () => 200), 429]);
    expect(await statuses('2001:db8:1:2::3', nine)).toEqual(nine.map(() => 200));
    const { headers } = await ask('2001:db8:1:2::3', request('eth_chainId'));
    expect(Object.keys(headers).filter((name) => name.startsWith('ratelimit'))).toEqual([]);
  });

  it('counts each item of a batch, and refuses only those that are too many', async () => {
    const items = ['eth_chainId', 'eth_gasPrice', 'eth_gasPrice', 'eth_gasPrice', 'eth_chainId', 'eth_chainId'];
    const answer = await ask('198.51.100.6', [...items.map((method, id) => request(method, id)), { id: 'bad' }]);
    expect(answer.status).toBe(200);
    const outcomes = (JSON.parse(answer.body) as Item[]).map(({ id, error }) => [id, error?.code]);
    expect(outcomes).toEqual([
      [0, undefined],
      [1, undefined],
      [2, undefined],
      [3, -32005],
      [4, undefined],
      [5, -32005],
      ['bad', -32600],
    ]);
    const again = await ask(
      '198.51.100.6',
      items.map((method, id) => request(method, id)),
    );
    expect(again.status).toBe(429);
    expect(again.headers['retry-after']).toMatch(/^\d\d$/);
    expect((JSON.parse(again.body) as Item[]).map(({ error }) => error?.code)).toEqual(items.map(() => -32005));
  });

  /** They told of whichever item came last, and nothing where that one is free of limits. */
  it('tells in the headers of a batch what is nearest to its end', async () => {
    for (const [client, ...methods] of [
      ['198.51.100.20', 'eth_gasPrice', 'eth_gasPrice', 'eth_chainId'],
      ['198.51.100.21', 'eth_chainId', 'eth_gasPrice', 'eth_gasPrice'],
    ] as const) {
      const { headers } = await ask(
        client,
        methods.map((method, id) => request(method, id)),
      );
      expect(headers).toMatchObject({ 'ratelimit-limit': '5', 'ratelimit-remaining': '0' });
    }
  });

  it('counts notifications too, and answers them with 204 all the same', async () => {
    const note = { jsonrpc: '2.0', method: 'eth_chainId' };
    for (let i = 0; i < 5; i++) expect((await ask('198.51.100.7', note)).status).toBe(204);
    expect((await ask('198.51.100.7', request('eth_chainId'))).status).toBe(429);
  });

  it('does not send to a node what it refused', async () => {
    const before = node.callsOf('custom_count').length;
    await ask(
      '198.51.100.8',
      Array.from({ length: 9 }, (_, id) => request('custom_count', id)),
    );
    expect(node.callsOf('custom_count').length - before).toBe(4);
  });

  it.each([
    ['one hop', '192.0.2.1'],
    ['a forged hop before it', '8.8.8.8, 192.0.2.1'],
    ['many forged hops', `${'1.2.3.4, '.repeat(20)}192.0.2.1`],
    ['a port', '192.0.2.1:4711'],
    ['IPv4 in IPv6', '::ffff:192.0.2.1'],
    ['own proxies behind it', '192.0.2.1, 10.1.2.3, 10.9.9.9'],
    ['empty entries', ', ,192.0.2.1, ,'],
    ['nonsense before it', 'unknown, for=1, 192.0.2.1'],
    ['an override forged before it', '203.0.113.7, 192.0.2.1'],
  ])('knows a client behind our load balancer by %s', async (_, header) => {
    // One bucket of four for all these rows; the first four may pass, in whatever order they run.
    const { headers } = await ask(header, request('net_version'));
    expect(headers['ratelimit-limit']).toBe('10');
    const { status } = await ask(header, request('eth_chainId'));
    passed += status === 200 ? 1 : 0;
    expect(passed).toBeLessThanOrEqual(4);
  });
  let passed = 0;

  it('takes an IPv6 /64 for one client', async () => {
    const found: number[] = [];
    for (const host of ['1', '2', 'ffff:1', 'a:b:c:d', '5']) {
      found.push(
        (await ask(`[2001:db8:7:7::${host}]:443`.replace('::a:b:c:d', ':a:b:c:d'), request('eth_chainId'))).status,
      );
    }
    expect(found).toEqual([200, 200, 200, 200, 429]);
    expect((await ask('2001:db8:7:8::1', request('eth_chainId'))).status).toBe(200);
  });

  it('believes nobody else: ten forged headers are one client', async () => {
    const found: number[] = [];
    for (let i = 0; i < 10; i++) {
      const headers = {
        'x-forwarded-for': `203.0.113.${i}`,
        forwarded: `for=203.0.113.${i}`,
        'x-real-ip': `9.9.9.${i}`,
      };
      found.push((await askRaw(untrusting.url, rawPost(JSON.stringify(request('eth_chainId')), headers))).status);
    }
    expect(found).toEqual([200, 200, 200, 200, 429, 429, 429, 429, 429, 429]);
    const { limited } = await untrusting.status();
    expect(limited).toBe(6);
    expect(await untrusting.metric('rpc_balancer_limited_total')).toBe(6);
    expect(await untrusting.metric('rpc_balancer_refused_total', { reason: 'limited' })).toBe(6);
  });
});
