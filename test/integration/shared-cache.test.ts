import { setTimeout as sleep } from 'node:timers/promises';
import { closeConnections } from '../support/oracle-client';
import { eventually } from '../support/eventually';
import { ProxyProcess } from '../support/proxy-process';
import { RedisProcess } from '../support/redis-process';
import { error, result, ScriptedNode } from '../support/scripted-node';

const SECRET = 'canary-5f1d';
const NOW = Date.now();

let redis: RedisProcess;
let nodes: ScriptedNode[];
let proxies: ProxyProcess[];

beforeEach(async () => {
  redis = await RedisProcess.start();
  nodes = [];
  proxies = [];
});

afterEach(async () => {
  closeConnections();
  for (const { code } of await Promise.all(proxies.map((proxy) => proxy.stop()))) expect(code).toBe(0);
  await Promise.all(nodes.map((node) => node.close()));
  await redis.stop();
});

/** A proxy with a node of its own; all nodes have the same blocks. */
async function start(cache: object = {}): Promise<{ node: ScriptedNode; proxy: ProxyProcess }> {
  const node = await ScriptedNode.start({ name: `node-${nodes.length}`, now: () => NOW });
  nodes.push(node);
  return { node, proxy: await startAt(node, cache) };
}

async function startAt(node: ScriptedNode, cache: object = {}): Promise<ProxyProcess> {
  const url = node.url.replace('://', `://user:${SECRET}@`);
  const proxy = await ProxyProcess.start({
    redis: { url: redis.url, keyPrefix: 'mine:' },
    // A machine that is busy with other tests must not make Redis seem slow.
    chains: {
      test: {
        chainId: 1337,
        health: { intervalMs: 100 },
        cache: { redisTimeoutMs: 2000, ...cache },
        nodes: [{ name: 'a', url }],
      },
    },
  });
  proxies.push(proxy);
  await proxy.untilNode('a', ({ health }) => health === 'up');
  await proxy.until((status) => status.redis?.up === true);
  // The test of {blockHash} is over, and the first block was asked for.
  await node.received('eth_getBalance', 2);
  await eventually(() => asksForGenesis(node) > 0);
  return proxy;
}

function asksForGenesis({ requests }: ScriptedNode): number {
  return requests.filter(({ method, params }) => method === 'eth_getBlockByNumber' && isFirst(params)).length;
}

function isFirst(params: unknown): boolean {
  return Array.isArray(params) && params[0] === '0x0';
}

function counted(proxy: ProxyProcess, what: string): Promise<number> {
  return proxy.metric('rpc_balancer_cache_requests_total', { result: what });
}

/** Answers that are in Redis. */
async function kept(count: number): Promise<string[]> {
  let found: string[] = [];
  await eventually(
    async () => {
      found = (await redis.keys()).filter((key) => key.startsWith('mine:cache:'));
      return found.length === count;
    },
    () => `${count} answers in Redis, but ${found.join(' ')}`,
  );
  return found;
}

it('what one process kept another answers without asking a node, and then keeps itself', async () => {
  const a = await start();
  const b = await start();
  const call = [{ data: '0x0123' }, 'latest'];
  expect(await a.proxy.call('eth_call', call)).toBe('0x0123');
  const [key = ''] = await kept(1);
  expect(await redis.call('PTTL', key)).toBeGreaterThan(0);
  for (let i = 0; i < 3; i++) expect(await b.proxy.call('eth_call', call)).toBe('0x0123');
  expect(b.node.callsOf('eth_call')).toHaveLength(0);
  expect([await counted(b.proxy, 'hit_redis'), await counted(b.proxy, 'hit'), await counted(b.proxy, 'miss')]).toEqual([
    1, 2, 0,
  ]);
  // At the next block it is another question.
  for (const { node, proxy } of [a, b]) {
    node.mine();
    await proxy.until(({ chains }) => chains[0]?.head?.number === 101);
  }
  expect(await b.proxy.call('eth_call', call)).toBe('0x0123');
  expect(b.node.callsOf('eth_call')).toHaveLength(1);
}, 30_000);

it('a revert, a block and a final receipt are shared; null, errors and what is of no block are not', async () => {
  const a = await start();
  const b = await start();
  const hash = `0x${'ab'.repeat(32)}`;
  const receipt = { transactionHash: hash, blockNumber: '0x10', blockHash: a.node.chain.hash(16), status: '0x1' };
  const call = [{ data: '0x78' }, 'latest'];
  a.node.on('eth_call', error(3, 'execution reverted: no', '0x08c379a0'));
  a.node.on('eth_getTransactionReceipt', result(receipt));
  await expect(a.proxy.call('eth_call', call)).rejects.toThrow('reverted');
  await a.proxy.call('eth_getBlockByNumber', ['latest', false]);
  await a.proxy.call('eth_getTransactionReceipt', [hash]);
  await kept(3);
  a.node.once('eth_getCode', error(-32000, 'out of gas'));
  await expect(a.proxy.call('eth_getCode', [hash.slice(0, 42), 'latest'])).rejects.toThrow('out of gas');
  await a.proxy.call('eth_getTransactionByHash', [hash]);
  await a.proxy.call('eth_gasPrice');
  await a.proxy.call('eth_chainId');
  await a.proxy.call('eth_getBlockByNumber', ['0x5', false]);
  await sleep(200);
  await kept(3);
  await expect(b.proxy.call('eth_call', call)).rejects.toThrow('execution reverted: no');
  expect(await b.proxy.call('eth_getTransactionReceipt', [hash])).toEqual(receipt);
  expect(await b.proxy.call('eth_getBlockByNumber', ['latest', false])).toMatchObject({ hash: a.node.chain.hash(100) });
  expect(await counted(b.proxy, 'hit_redis')).toBe(3);
}, 30_000);

it('an answer that names a block this process does not believe yet is not taken from Redis', async () => {
  const a = await start();
  const b = await start();
  // Further than the head of one process raises that of another.
  a.node.setHead(1000);
  await a.proxy.until(({ chains }) => chains[0]?.head?.number === 1000);
  const [above, below] = [a.node.chain.hash(900), a.node.chain.hash(80)];
  await a.proxy.call('eth_getBlockByHash', [above, false]);
  await a.proxy.call('eth_getBlockByHash', [below, false]);
  await kept(2);
  expect(await b.proxy.call('eth_getBlockByHash', [below, false])).toMatchObject({ number: '0x50' });
  expect(await counted(b.proxy, 'hit_redis')).toBe(1);
  expect(await b.proxy.call('eth_getBlockByHash', [above, false])).toBeNull();
  expect(await counted(b.proxy, 'hit_redis')).toBe(1);
}, 30_000);

it('chains of one id that began with other blocks share nothing', async () => {
  const a = await start();
  const b = await start();
  b.node.branchAt(0, 'anew');
  const other = await startAt(b.node);
  const call = [{ data: '0x55' }, { blockHash: a.node.chain.hash(100) }];
  await a.proxy.call('eth_getBlockByHash', [a.node.chain.hash(99), false]);
  const [key = ''] = await kept(1);
  expect(key).toContain(`:1337-${a.node.chain.hash(0).slice(2, 18)}:`);
  expect(await other.call('eth_getBlockByHash', [a.node.chain.hash(99), false])).toBeNull();
  await expect(other.call('eth_call', call)).rejects.toThrow();
  expect(await counted(other, 'hit_redis')).toBe(0);
}, 30_000);

it('without Redis for answers (`redisTtlMs: 0`), and without a first block, nothing is kept there', async () => {
  const a = await start({ redisTtlMs: 0 });
  expect(await a.proxy.call('eth_call', [{ data: '0x01' }, 'latest'])).toBe('0x01');
  const pruned = await ScriptedNode.start({ name: 'pruned', now: () => NOW });
  nodes.push(pruned);
  pruned.on(({ method, params }) =>
    method === 'eth_getBlockByNumber' && isFirst(params) ? error(-32000, 'pruned history') : undefined,
  );
  const b = await startAt(pruned);
  expect(await b.call('eth_call', [{ data: '0x02' }, 'latest'])).toBe('0x02');
  await sleep(200);
  await kept(0);
  expect(asksForGenesis(pruned)).toBe(1);
}, 30_000);

it('what Redis holds has a lifetime, the prefix, and no address of a node', async () => {
  const { proxy, node } = await start();
  for (let i = 0; i < 20; i++) await proxy.call('eth_call', [{ data: `0x${String(i + 10)}` }, 'latest']);
  await proxy.call('eth_getBlockByNumber', ['latest', true]);
  await kept(21);
  for (const key of await redis.keys()) {
    expect(key).toMatch(/^mine:/);
    expect(await redis.call('PTTL', key)).toBeGreaterThan(0);
    const value = await redis.contents(key);
    expect(value).not.toMatch(/:\/\/|canary|127\.0\.0\.1/);
    expect(value).not.toContain(String(node.port));
  }
}, 30_000);
