import { setTimeout as sleep } from 'node:timers/promises';
import { closeConnections } from '../support/oracle-client';
import { eventually } from '../support/eventually';
import { ProxyProcess } from '../support/proxy-process';
import { RedisProcess } from '../support/redis-process';
import { ScriptedNode } from '../support/scripted-node';

const NOW = Date.now();
const ADDRESS = `0x${'7'.padStart(40, '0')}`;

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

/** All nodes have the same blocks, as far as they have them. */
async function node(head: number): Promise<ScriptedNode> {
  const started = await ScriptedNode.start({ name: `node-${nodes.length}`, head, now: () => NOW });
  nodes.push(started);
  return started;
}

function proxyOf(...members: readonly ScriptedNode[]): Promise<ProxyProcess> {
  return proxyAt(200, members);
}

async function proxyAt(intervalMs: number, members: readonly ScriptedNode[]): Promise<ProxyProcess> {
  const proxy = await ProxyProcess.start({
    redis: { url: redis.url },
    chains: {
      test: {
        chainId: 1337,
        health: { intervalMs },
        nodes: members.map(({ name, url }) => ({ name, url })),
      },
    },
  });
  proxies.push(proxy);
  await proxy.until(({ redis: shared, chains }) => shared?.up === true && chains[0]?.head !== undefined);
  return proxy;
}

async function headOf(proxy: ProxyProcess): Promise<{ number: number; hash: string } | undefined> {
  return (await proxy.status()).chains[0]?.head;
}

/** Waits until reads of the proxy are pinned to the node's newest block. */
async function untilAt(proxy: ProxyProcess, { chain }: ScriptedNode): Promise<void> {
  const hash = chain.hash(chain.head);
  await proxy.until(({ chains }) => chains[0]?.head?.hash === hash);
}

/** The one key of the chain, and the heads that are told there. */
async function shared(): Promise<{ key: string; heads: string[] }> {
  const [key = '', ...more] = (await redis.keys()).filter((name) => name.startsWith('rpc-balancer:head:'));
  expect(more).toEqual([]);
  const values = (await redis.call('TYPE', key)) === 'hash' ? ((await redis.call('HVALS', key)) as string[]) : [];
  return { key, heads: values.map((value) => value.replace(/^\d+ /, '')) };
}

async function isTold({ chain }: ScriptedNode): Promise<boolean> {
  return (await shared()).heads.some((head) => head.includes(chain.hash(chain.head)));
}

it('a process whose node is behind has the head of the others, waits for it, and reads the best block there is', async () => {
  const ahead = [await node(102), await node(102)] as const;
  const behind = await node(100);
  await proxyOf(...ahead);
  const b = await proxyOf(behind);
  await untilAt(b, ahead[0]);
  expect(await b.call('eth_blockNumber')).toBe('0x66');
  expect(await b.call('eth_getBalance', [ADDRESS, 'latest'])).toBe('0x7');
  // Its own node goes on to show 100, and is no reason to go back.
  await sleep(1000);
  expect(await b.call('eth_blockNumber')).toBe('0x66');
}, 30_000);

it('a block heard of is looked for at its own nodes at once, not at their next probes', async () => {
  const ahead = await node(100);
  const own = await node(100);
  await proxyOf(ahead);
  const b = await proxyAt(60_000, [own]);
  for (const one of [ahead, own]) one.mine();
  await b.untilNode(own.name, ({ head }) => head === 101);
  expect(await b.call('eth_getBlockByNumber', ['latest', false])).toMatchObject({ hash: own.chain.hash(101) });
}, 30_000);

it('what is told has a lifetime and names one chain', async () => {
  const one = await node(102);
  await untilAt(await proxyOf(one), one);
  await eventually(async () => (await redis.keys()).length > 0);
  const { key, heads } = await shared();
  expect(key).toBe(`rpc-balancer:head:1337-${one.chain.hash(0).slice(2, 18)}`);
  expect(heads.map((head) => JSON.parse(head) as unknown)).toEqual([
    expect.objectContaining({ number: 102, hash: one.chain.hash(102) }),
  ]);
  const left = Number(await redis.call('PTTL', key));
  expect(left).toBeGreaterThan(30_000);
  expect(left).toBeLessThanOrEqual(60_000);
}, 30_000);

it('who only heard of a head does not tell it: it ends with those whose nodes have it', async () => {
  const ahead = await node(102);
  const behind = await node(100);
  const a = await proxyOf(ahead);
  const b = await proxyOf(behind);
  await untilAt(b, ahead);
  await a.stop();
  await redis.call('FLUSHALL');
  await sleep(1000);
  expect(await redis.keys()).toEqual([]);
  expect(await b.call('eth_blockNumber')).toBe('0x66');
  behind.setHead(102);
  await eventually(async () => (await redis.keys()).length > 0);
  expect(await isTold(ahead)).toBe(true);
}, 30_000);

it('a reorg is followed to a lower block, whatever is held', async () => {
  const ahead = [await node(102), await node(102)] as const;
  const behind = await node(100);
  const a = await proxyOf(...ahead);
  const b = await proxyOf(behind);
  await untilAt(b, ahead[0]);
  for (const one of ahead) {
    one.branchAt(100, 'other');
    one.setHead(101);
  }
  await untilAt(a, ahead[0]);
  await eventually(() => isTold(ahead[0]));
  await sleep(500);
  expect(await headOf(a)).toMatchObject({ number: 101, hash: ahead[0].chain.hash(101) });
  // Its node does not know better yet.
  expect(await headOf(b)).toMatchObject({ number: 102 });
  behind.branchAt(100, 'other');
  behind.setHead(101);
  await untilAt(b, behind);
  await sleep(500);
  expect(await headOf(b)).toMatchObject({ number: 101, hash: behind.chain.hash(101) });
  for (const one of ahead) one.mine();
  await untilAt(b, ahead[0]);
}, 30_000);

it('a chain of the same id that began with another block does not mix', async () => {
  const one = await node(102);
  const other = await node(100);
  other.branchAt(0, 'anew');
  const a = await proxyOf(one);
  const b = await proxyOf(other);
  await eventually(async () => (await redis.keys()).filter((key) => key.includes(':head:')).length === 2);
  await sleep(500);
  expect(await headOf(a)).toMatchObject({ hash: one.chain.hash(102) });
  expect(await headOf(b)).toMatchObject({ hash: other.chain.hash(100) });
}, 30_000);

it('without Redis each goes on by itself, and together again when it is back', async () => {
  const ahead = await node(102);
  const behind = await node(100);
  const a = await proxyOf(ahead);
  const b = await proxyOf(behind);
  await untilAt(b, ahead);
  await redis.kill();
  await b.until((status) => status.redis?.up === false);
  ahead.setHead(107);
  behind.setHead(105);
  await untilAt(a, ahead);
  await untilAt(b, behind);
  expect(await b.call('eth_getBalance', [ADDRESS, 'latest'])).toBe('0x7');
  await redis.restart();
  await untilAt(b, ahead);
}, 30_000);

it('what somebody else wrote there is no head', async () => {
  const one = await node(102);
  const proxy = await proxyOf(one);
  await eventually(async () => (await redis.keys()).length > 0);
  const { key, heads } = await shared();
  const [ours = ''] = heads;
  const higher = ours.replace('102', '104');
  const wrongs = ['', '{}', `${higher} `, higher.replace(/0x/g, ''), higher.replace('104', '-104')];
  for (const [index, wrong] of wrongs.entries()) await redis.call('HSET', key, `other-${index}`, `${NOW} ${wrong}`);
  await sleep(500);
  expect(await headOf(proxy)).toMatchObject({ number: 102 });
  for (const write of [
    ['SET', key, higher],
    ['LPUSH', key, higher],
  ]) {
    await redis.call('DEL', key);
    await redis.call(...(write as [string, ...string[]]));
    await eventually(() => isTold(one));
  }
  await redis.call('HSET', key, 'junk', higher, 'long-ago', `${NOW - 60_000} ${higher}`);
  one.mine();
  await eventually(() => isTold(one));
  expect((await shared()).heads).toHaveLength(1);
  expect(await headOf(proxy)).toMatchObject({ number: 103, hash: one.chain.hash(103) });
}, 30_000);

/** The status was an error for as long as such a block was the head. */
it('a block of a time that no calendar has is told in the status', async () => {
  const one = await node(102);
  const proxy = await proxyOf(one);
  await eventually(async () => (await redis.keys()).length > 0);
  const { key } = await shared();
  const hash = one.chain.hash(104);
  const told = JSON.stringify({ number: 104, hash, parentHash: one.chain.hash(103), timestamp: 999_999_999_999_999 });
  await redis.call('HSET', key, 'other', `${NOW} ${told}`);
  await proxy.until(({ chains }) => chains[0]?.head?.hash === hash);
  expect((await proxy.status()).chains[0]?.head?.time).toBe('+275760-09-13T00:00:00.000Z');
}, 30_000);

it('of many that tell, the one that told longest ago is not kept', async () => {
  const one = await node(102);
  await proxyOf(one);
  await eventually(async () => (await redis.keys()).length > 0);
  const { key, heads } = await shared();
  const others = Array.from({ length: 64 }, (_, index) => [
    `other-${index}`,
    `${Date.now() - index} ${heads[0] ?? ''}`,
  ]);
  await redis.call('HSET', key, ...others.flat());
  one.mine();
  await eventually(() => isTold(one));
  const kept = (await redis.call('HKEYS', key)) as string[];
  expect(kept).toHaveLength(64);
  expect(kept).not.toContain('other-63');
}, 30_000);

it('a head that nobody believes does not hide the others', async () => {
  const rogue = await node(5000);
  const ahead = await node(102);
  const behind = await node(100);
  await proxyOf(rogue);
  const a = await proxyOf(ahead);
  const b = await proxyOf(behind);
  await untilAt(b, ahead);
  expect(await isTold(rogue)).toBe(true);
  ahead.mine();
  await untilAt(a, ahead);
  await untilAt(b, ahead);
}, 30_000);

/**
 * A development chain was set back. Who had only heard of the block it had reached kept it for ever: `eth_blockNumber`
 * told a block that there was not, and every read waited for it.
 */
it('a head that is only heard of ends when its own nodes do not reach it', async () => {
  const ahead = await node(100);
  const own = await node(100);
  await proxyAt(100, [ahead]);
  const b = await proxyAt(100, [own]);
  // Fast blocks are waited for no longer than 5 s.
  for (let number = 101; number <= 108; number++) {
    for (const one of [ahead, own]) one.mine();
    await untilAt(b, own);
    await sleep(300);
  }
  for (let more = 0; more < 3; more++) ahead.mine();
  await untilAt(b, ahead);
  ahead.setHead(108);
  await untilAt(b, own);
  expect((await shared()).heads.some((head) => head.includes(ahead.chain.hash(111)))).toBe(true);
  for (let read = 0; read < 10; read++) {
    expect(await b.call('eth_blockNumber')).toBe('0x6c');
    expect(await b.call('eth_getBlockByNumber', ['latest', false])).toMatchObject({ number: '0x6c' });
    expect(await headOf(b)).toMatchObject({ number: 108 });
    await sleep(100);
  }
  own.mine();
  await untilAt(b, own);
}, 60_000);
