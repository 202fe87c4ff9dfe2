import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../support/eventually';
import { FilterClient, type FilterKind } from '../support/filter-client';
import { partingOf, toTold } from '../support/filter-sequence';
import { ask, closeConnections, type OracleAnswer, resultOf } from '../support/oracle-client';
import { ProxyProcess } from '../support/proxy-process';
import { RedisProcess } from '../support/redis-process';
import { LOGGER } from '../support/scripted-logs';
import { ScriptedNode } from '../support/scripted-node';

const NOT_FOUND = { code: -32000, message: 'filter not found' };
const FILTER_CALLS = ['eth_getLogs', 'eth_getFilterChanges', 'eth_getFilterLogs'];

/** Chains by what is tested on them, each with nodes of its own that hand out ids from `0x1` on. */
const CHAINS = {
  computed: { chainId: 1, filters: { mode: 'computed' }, nodes: 2 },
  sticky: { chainId: 2, filters: { mode: 'sticky' }, nodes: 2 },
  pieces: { chainId: 3, filters: { maxLogBlocks: 50 }, nodes: 2 },
  brief: { chainId: 4, filters: { ttlMs: 1500 }, nodes: 1 },
  apart: { chainId: 6, filters: {}, nodes: 2 },
  bounded: { chainId: 5, filters: { maxPerClient: 3, maxFilters: 5 }, nodes: 1 },
} as const;
type ChainName = keyof typeof CHAINS;
const CHAIN_NAMES = Object.keys(CHAINS) as ChainName[];
const MODES = ['computed', 'sticky'] as const;

describe('filters', () => {
  let redis: RedisProcess;
  const nodes: Record<ChainName, readonly ScriptedNode[]> = {
    computed: [],
    sticky: [],
    pieces: [],
    brief: [],
    apart: [],
    bounded: [],
  };
  /** The first two share a Redis, the third has none. */
  let proxies: readonly [ProxyProcess, ProxyProcess, ProxyProcess];

  /** @param seen of the chain `apart`, each proxy has a node of its own. */
  const startProxy = async (seen: number, config: object): Promise<ProxyProcess> => {
    const nodesOf = (name: ChainName): readonly ScriptedNode[] =>
      name === 'apart' ? nodes.apart.slice(seen, seen + 1) : nodes[name];
    const chains = CHAIN_NAMES.map((name) => [
      name,
      {
        chainId: CHAINS[name].chainId,
        health: { intervalMs: 100 },
        filters: CHAINS[name].filters,
        nodes: nodesOf(name).map((node) => ({ name: node.name, url: node.url })),
      },
    ]);
    const proxy = await ProxyProcess.start({
      defaultChain: 'computed',
      trustedProxies: ['127.0.0.1/32'],
      chains: Object.fromEntries(chains) as object,
      ...config,
    });
    const isUp = ({ health }: { readonly health: string }): boolean => health === 'up';
    await proxy.until(
      (status) => status.chains.every((chain) => chain.nodes.every(isUp)) && status.redis?.up !== false,
    );
    return proxy;
  };

  beforeAll(async () => {
    redis = await RedisProcess.start();
    for (const name of CHAIN_NAMES) {
      const { chainId, nodes: count } = CHAINS[name];
      const started = Array.from({ length: count }, (_, index) =>
        ScriptedNode.start({ name: `${name}-${index}`, chainId, head: 100, now: () => 1_800_000_000_000 }),
      );
      nodes[name] = await Promise.all(started);
    }
    for (const node of Object.values(nodes).flat()) node.chain.logsPerBlock = 3;
    const shared = { redis: { url: redis.url } };
    proxies = await Promise.all([startProxy(0, shared), startProxy(1, shared), startProxy(0, {})]);
  }, 40_000);

  afterAll(async () => {
    await Promise.all(proxies.map((proxy) => proxy.stop()));
    closeConnections();
    await Promise.all(
      Object.values(nodes)
        .flat()
        .map((node) => node.close()),
    );
    await redis.stop();
  }, 20_000);

  const urlOf = (chain: ChainName, proxy = proxies[0]): string => `${proxy.url}/${chain}`;
  const newFilter = (url: string): Promise<string> =>
    resultOf(url, 'eth_newFilter', [{ address: LOGGER }]) as Promise<string>;
  const changes = (url: string, id: string): Promise<OracleAnswer> => ask(url, 'eth_getFilterChanges', [id]);
  const open = (kind: FilterKind, ...urls: string[]): Promise<FilterClient> =>
    FilterClient.create(kind, kind === 'eth_newFilter' ? [{ address: LOGGER }] : [], urls);
  /** What a node of the chain says itself. */
  const logsFrom = (chain: ChainName, number: number): Promise<unknown[]> =>
    resultOf(nodes[chain][0]?.url ?? '', 'eth_getLogs', [{ fromBlock: `0x${number.toString(16)}` }]) as Promise<
      unknown[]
    >;
  const callsOf = (chain: ChainName, methods: readonly string[]) =>
    nodes[chain].flatMap(({ requests }) => requests).filter(({ method }) => methods.includes(method));
  const headOf = (chain: ChainName): number => nodes[chain][0]?.head ?? 0;

  /** Waits until all proxies have the newest block of the chain for their head. */
  const settled = async (chain: ChainName): Promise<void> => {
    const hash = nodes[chain][0]?.chain.hash(headOf(chain));
    await Promise.all(
      proxies.map((proxy) =>
        proxy.until(({ chains }) => chains.find(({ name }) => name === chain)?.head?.hash === hash),
      ),
    );
  };

  const mine = (chain: ChainName, blocks = 1): Promise<void> => {
    for (const node of nodes[chain]) node.mine(blocks);
    return settled(chain);
  };

  const reorg = (chain: ChainName, depth: number, label: string): Promise<void> => {
    const from = headOf(chain) - depth + 1;
    for (const node of nodes[chain]) node.branchAt(from, label);
    return mine(chain);
  };

  it('of two nodes that both hand out 0x1 do not mix: what waits at one is told to whose filter is there', async () => {
    const [a, b] = nodes.sticky as [ScriptedNode, ScriptedNode];
    const makings = (): number[] => [a, b].map((node) => node.callsOf('eth_newPendingTransactionFilter').length);
    const clients: FilterClient[] = [];
    // Until each node has handed out its first ones.
    await eventually(async () => {
      clients.push(await open('eth_newPendingTransactionFilter', urlOf('sticky')));
      return makings().every((made) => made > 0);
    });
    const hashes = [
      await resultOf(a.url, 'eth_sendRawTransaction', ['0x0a']),
      await resultOf(b.url, 'eth_sendRawTransaction', ['0x0b']),
    ];
    for (const client of clients) await client.poll();
    for (const client of clients) expect(client.told).toHaveLength(1);
    const told = clients.flatMap((client) => client.told);
    expect(hashes.map((hash) => told.filter((one) => one === hash).length)).toEqual(makings());
    expect(clients.flatMap(({ refusals }) => refusals)).toEqual([]);

    // One is uninstalled; those of the same id elsewhere live on.
    const [gone, ...others] = clients as [FilterClient, ...FilterClient[]];
    expect(await resultOf(urlOf('sticky'), 'eth_uninstallFilter', [gone.id])).toBe(true);
    for (const client of others) await client.poll();
    expect(others.flatMap(({ refusals }) => refusals)).toEqual([]);
    expect(await changes(urlOf('sticky'), gone.id)).toMatchObject({ error: NOT_FOUND });
  });

  it('have ids of ours that nobody guesses; those of nodes go to the node they are of, and are worth nothing here', async () => {
    const before = nodes.sticky.map((node) => node.requests.length);
    const ids: string[] = [];
    for (let made = 0; made < 20; made++) ids.push(await newFilter(urlOf('sticky', proxies[made % 2])));
    for (const id of ids) expect(id).toMatch(/^0x[0-9a-f]{32}$/);
    expect(new Set(ids).size).toBe(20);
    await mine('sticky');
    for (const id of ids) expect((await changes(urlOf('sticky', proxies[1]), id)).result).toHaveLength(3);
    for (const [index, node] of nodes.sticky.entries()) {
      const since = node.requests.slice(before[index]);
      const made = since.filter(({ method }) => method === 'eth_newFilter').length;
      const polled = since.filter(({ method }) => method === 'eth_getFilterChanges');
      expect(made).toBeGreaterThan(0);
      expect(new Set(polled.map(({ params }) => JSON.stringify(params))).size).toBe(made);
      for (const { params } of polled) expect(JSON.stringify(params)).toMatch(/^\["0x[0-9a-f]{1,3}"\]$/);
    }

    const asked = callsOf('sticky', FILTER_CALLS).length;
    const [id = ''] = ids;
    for (const wrong of [
      '0x1',
      '0x2',
      id.slice(0, -1),
      `${id.slice(0, -1)}g`,
      id.toUpperCase(),
      `0x${'0'.repeat(32)}`,
    ]) {
      expect(await changes(urlOf('sticky'), wrong)).toMatchObject({ error: NOT_FOUND });
      expect(await ask(urlOf('sticky'), 'eth_getFilterLogs', [wrong])).toMatchObject({ error: NOT_FOUND });
      expect(await resultOf(urlOf('sticky'), 'eth_uninstallFilter', [wrong])).toBe(false);
    }
    for (const params of [[], [1], [null], {}]) {
      expect((await ask(urlOf('sticky'), 'eth_getFilterChanges', params)).error).toMatchObject({ code: -32602 });
    }
    expect(callsOf('sticky', FILTER_CALLS)).toHaveLength(asked);
  });

  it('of one chain are unknown on another', async () => {
    const id = await newFilter(urlOf('computed'));
    await mine('computed');
    await mine('pieces');
    expect(await changes(urlOf('pieces'), id)).toMatchObject({ error: NOT_FOUND });
    expect(await resultOf(urlOf('pieces'), 'eth_uninstallFilter', [id])).toBe(false);
    expect((await changes(urlOf('computed'), id)).result).toHaveLength(3);
  });

  it('that nobody polls are gone after their time, with Redis and without; those that are polled stay', async () => {
    const [shared, , alone] = proxies;
    const left = [await newFilter(urlOf('brief', shared)), await newFilter(urlOf('brief', alone))];
    const polled = [await newFilter(urlOf('brief', shared)), await newFilter(urlOf('brief', alone))];
    for (let turn = 0; turn < 10; turn++) {
      await sleep(250);
      // By the other process, which must prolong its life for both.
      expect((await changes(urlOf('brief', proxies[turn % 2]), polled[0] ?? '')).error).toBeUndefined();
      expect((await changes(urlOf('brief', alone), polled[1] ?? '')).error).toBeUndefined();
    }
    for (const [index, proxy] of [shared, alone].entries()) {
      expect(await changes(urlOf('brief', proxy), left[index] ?? '')).toMatchObject({ error: NOT_FOUND });
      expect(await resultOf(urlOf('brief', proxy), 'eth_uninstallFilter', [left[index]])).toBe(false);
      await eventually(async () => (await proxy.metric('rpc_balancer_filters', { chain: 'brief' })) === 1);
    }
    expect((await redis.keys()).some((key) => key.includes(left[0] ?? ''))).toBe(false);
  });

  it.each(MODES)('that are polled all the time cost little while nothing happens (%s)', async (chain) => {
    const client = await open('eth_newFilter', urlOf(chain));
    await mine(chain);
    await client.poll();
    expect(client.told).toHaveLength(3);
    const inRedis = async (): Promise<number> => {
      const answers = await Promise.all(proxies.map((proxy) => proxy.redisAnswers('filters')));
      return answers.reduce((sum, count) => sum + count, 0);
    };
    const before = { asked: callsOf(chain, FILTER_CALLS).length, inRedis: await inRedis() };
    for (let poll = 0; poll < 60; poll++) await client.poll();
    const spent = {
      asked: callsOf(chain, FILTER_CALLS).length - before.asked,
      inRedis: (await inRedis()) - before.inRedis,
    };
    expect(client.told).toHaveLength(3);
    expect(client.refusals).toEqual([]);
    expect(spent.asked).toBeLessThanOrEqual(chain === 'computed' ? 0 : 60);
    // One a poll; a sticky filter may also note, once in a while, how far its node has come.
    expect(spent.inRedis).toBeGreaterThanOrEqual(60);
    expect(spent.inRedis).toBeLessThanOrEqual(70);
  });

  it('that were left alone for hundreds of blocks cost nothing until they are polled, and then tell all in order, in pieces', async () => {
    const start = headOf('pieces');
    const logs = await open('eth_newFilter', urlOf('pieces'));
    const blocks = await open('eth_newBlockFilter', urlOf('pieces'));
    await mine('pieces', 200);
    await mine('pieces', 200);
    expect(callsOf('pieces', FILTER_CALLS)).toEqual([]);
    for (let poll = 0; poll < 10; poll++) for (const client of [logs, blocks]) await client.poll();
    const asked = callsOf('pieces', ['eth_getLogs']);
    expect(asked.length).toBeGreaterThanOrEqual(8);
    for (const { params } of asked) {
      const [{ fromBlock, toBlock }] = params as [{ fromBlock: string; toBlock: string }];
      expect(Number(toBlock) - Number(fromBlock)).toBeLessThan(50);
    }
    const expected = await logsFrom('pieces', start + 1);
    expect(expected).toHaveLength(1200);
    expect(logs.told).toEqual(expected.map(toTold));
    const hashAt = (number: number): string | undefined => nodes.pieces[0]?.chain.hash(number);
    expect(blocks.told).toEqual(Array.from({ length: 400 }, (_, index) => hashAt(start + 1 + index)));
  });

  it('are as many as a client may have, and as a process may', async () => {
    const make = async (client: string): Promise<OracleAnswer> => {
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_newBlockFilter', params: [] });
      return (await (await proxies[0].post(body, { 'x-forwarded-for': client }, '/bounded')).json()) as OracleAnswer;
    };
    const made = [await make('192.0.2.1'), await make('192.0.2.1'), await make('192.0.2.1')];
    expect(made.map(({ error }) => error)).toEqual([undefined, undefined, undefined]);
    const fourth = await make('192.0.2.1');
    expect(fourth.error).toMatchObject({ code: -32005 });
    expect(fourth.error?.message).toMatch(/maxPerClient.*\b3\b/);
    expect((await make('192.0.2.2')).error).toBeUndefined();
    expect((await make('192.0.2.3')).error).toBeUndefined();
    const sixth = await make('192.0.2.4');
    expect(sixth.error).toMatchObject({ code: -32005 });
    expect(sixth.error?.message).toMatch(/maxFilters.*\b5\b/);
    // Who removes one may make another.
    expect(await resultOf(urlOf('bounded'), 'eth_uninstallFilter', [made[0]?.result])).toBe(true);
    expect((await make('192.0.2.1')).error).toBeUndefined();
  });

  it.each(MODES)(
    'that are polled twenty times at once, over two processes, lose and repeat nothing (%s)',
    async (chain) => {
      await settled(chain);
      const start = headOf(chain);
      const [one, two] = [urlOf(chain, proxies[0]), urlOf(chain, proxies[1])];
      const id = await newFilter(one);
      const told: string[] = [];
      const errors: unknown[] = [];
      const poll = async (url: string): Promise<void> => {
        const { result, error } = await changes(url, id);
        if (error !== undefined) errors.push(error);
        else told.push(...(result as unknown[]).map(toTold));
      };
      for (let round = 0; round < 15; round++) {
        for (const node of nodes[chain]) node.mine();
        await Promise.all(Array.from({ length: 20 }, (_, index) => poll(index % 2 === 0 ? one : two)));
      }
      await settled(chain);
      for (const url of [one, two, one]) await poll(url);
      expect(errors).toEqual([]);
      const expected = await logsFrom(chain, start + 1);
      expect(expected).toHaveLength(45);
      expect(told.toSorted()).toEqual(expected.map(toTold).toSorted());
    },
  );

  it('may be polled in batches, where each log is in one answer', async () => {
    await settled('computed');
    const start = headOf('computed');
    type Answer = OracleAnswer & { readonly id: number };
    const batch = async (items: readonly [method: string, params: unknown[]][]): Promise<Answer[]> => {
      const body = JSON.stringify(items.map(([method, params], id) => ({ jsonrpc: '2.0', id, method, params })));
      return (await (await proxies[0].post(body)).json()) as Answer[];
    };
    const made = await batch([
      ['eth_newFilter', [{ address: LOGGER }]],
      ['eth_blockNumber', []],
      ['eth_newBlockFilter', []],
      ['eth_newPendingTransactionFilter', []],
    ]);
    expect(made.map(({ error }) => error)).toEqual([undefined, undefined, undefined, undefined]);
    const [logs, , blocks, pending] = made.map(({ result }) => result);
    await mine('computed', 2);
    const polled = await batch([
      ...Array.from({ length: 10 }, (): [string, unknown[]] => ['eth_getFilterChanges', [logs]]),
      ['eth_getFilterChanges', [blocks]],
      ['eth_getFilterChanges', [pending]],
      ['eth_getFilterChanges', ['0x1']],
      ['eth_getFilterLogs', [logs]],
      ['eth_getFilterLogs', [blocks]],
      ['eth_uninstallFilter', [pending]],
    ]);
    expect(polled.map(({ id }) => id)).toEqual(polled.map((_, index) => index));
    const expected = await logsFrom('computed', start + 1);
    const told = polled.slice(0, 10).flatMap(({ result }) => result as unknown[]);
    expect(told.map(toTold)).toEqual(expected.map(toTold));
    const chain = nodes.computed[0]?.chain;
    expect(polled[10]?.result).toEqual([chain?.hash(start + 1), chain?.hash(start + 2)]);
    expect(polled[11]?.result).toEqual([]);
    expect(polled[12]?.error).toEqual(NOT_FOUND);
    // Its criteria name no blocks, and so, as with geth, those of the newest.
    expect(polled[13]?.result).toEqual(expected.slice(-3));
    expect(polled[14]?.error).toEqual(NOT_FOUND);
    expect(polled[15]?.result).toBe(true);
  });

  it.each(MODES)('tell a reorg as a node does that tells removed logs itself (%s)', async (chain) => {
    await settled(chain);
    const client = await open('eth_newFilter', urlOf(chain, proxies[0]), urlOf(chain, proxies[1]));
    const direct = await open('eth_newFilter', nodes[chain][0]?.url ?? '');
    const clients = [client, direct];
    for (const depth of [1, 2, 3]) {
      await mine(chain, 4);
      for (const each of clients) await each.poll();
      await reorg(chain, depth, `branch ${depth}`);
      for (const each of clients) for (let turn = 0; turn < 3; turn++) await each.poll();
    }
    expect(client.refusals).toEqual([]);
    expect(partingOf(client.told, direct.told)).toBeUndefined();
    expect(client.told.filter((told) => told.startsWith('-'))).toHaveLength(18);
  });

  // The process that is behind polls for the same client as the one that is ahead.
  it('tell nothing back and forth while one process has not seen yet what another has told', async () => {
    const [a, b] = nodes.apart as [ScriptedNode, ScriptedNode];
    const [behind, ahead] = [urlOf('apart', proxies[0]), urlOf('apart', proxies[1])];
    const headIs = (proxy: ProxyProcess, node: ScriptedNode): Promise<unknown> =>
      proxy.until(
        ({ chains }) => chains.find(({ name }) => name === 'apart')?.head?.hash === node.chain.hash(node.head),
      );
    const client = await open('eth_newFilter', behind, ahead);
    const direct = await open('eth_newFilter', b.url);
    const pollAll = async (): Promise<void> => {
      await direct.poll();
      for (let turn = 0; turn < 4; turn++) await client.poll();
    };
    for (const [turn, depth] of [0, 1, 2].entries()) {
      // Both have heard of all there is.
      for (const node of [a, b]) node.mine(3);
      await Promise.all([headIs(proxies[0], a), headIs(proxies[1], b)]);
      await pollAll();
      // One goes on, the first time without a reorg, then with one.
      if (depth > 0) b.branchAt(b.head - depth + 1, `apart ${turn}`);
      b.mine();
      await headIs(proxies[1], b);
      await pollAll();
      // The other one follows.
      if (depth > 0) a.branchAt(a.head - depth + 1, `apart ${turn}`);
      a.mine();
      await headIs(proxies[0], a);
      await pollAll();
    }
    expect(client.refusals).toEqual([]);
    expect(partingOf(client.told, direct.told)).toBeUndefined();
  });

  it('leave in Redis only what has a lifetime, and no addresses', async () => {
    const ids = [await newFilter(urlOf('sticky')), await newFilter(urlOf('computed'))];
    const removed = await newFilter(urlOf('sticky'));
    for (const chain of MODES) await mine(chain);
    await changes(urlOf('sticky'), ids[0] ?? '');
    await changes(urlOf('computed'), ids[1] ?? '');
    expect(await resultOf(urlOf('sticky'), 'eth_uninstallFilter', [removed])).toBe(true);
    const keys = await redis.keys();
    for (const id of ids) expect(keys.some((key) => key.includes(id))).toBe(true);
    for (const key of keys) {
      expect(key).toMatch(/^rpc-balancer:/);
      // One that is gone in the meantime says -2, one without a lifetime -1.
      expect(await redis.call('PTTL', key)).not.toBe(-1);
      expect(await redis.contents(key)).not.toMatch(/https?:|127\.0\.0\.1/);
    }
  });
});
