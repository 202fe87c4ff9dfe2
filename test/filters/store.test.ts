import { setTimeout as sleep } from 'node:timers/promises';
import { MemoryStore } from '../../runtime/filters/memory-store';
import { RedisStore } from '../../runtime/filters/redis-store';
import type { FilterStore } from '../../runtime/filters/store';
import { SharedRedis } from '../../runtime/redis/shared-redis';
import { eventually } from '../support/eventually';
import { RedisProcess } from '../support/redis-process';
import { logFilter, told } from './records';
import { redisEvents } from '../support/redis-events';

const TTL_MS = 60_000;
const ID = `0x${'0f'.repeat(16)}`;
const OTHER = `0x${'0e'.repeat(16)}`;

/** A clock that can be moved. */
let ahead = 0;
const now = (): number => performance.now() + ahead;

const createMemory = (ttlMs = TTL_MS): MemoryStore => new MemoryStore({ ttlMs, maxFilters: 100 }, now);

/** One process's view of a Redis. */
class Peer {
  readonly redis: SharedRedis;
  readonly store: RedisStore;
  commands = 0;
  /** How often it waited before it asked once more. */
  waits = 0;

  constructor(url: string, ttlMs = TTL_MS, user: { username?: string; password?: string } = {}) {
    this.redis = new SharedRedis(redisEvents({ onAnswer: () => this.commands++ }));
    const stage = this.redis.for('filters');
    const copies = createMemory(ttlMs);
    const wait = (ms: number): Promise<void> => {
      this.waits++;
      return sleep(ms);
    };
    this.store = new RedisStore({ redis: stage, chainId: 1, copies, ttlMs, timeoutMs: 250, now, sleep: wait });
    this.redis.onBack('filters', () => void this.store.bringBack());
    this.redis.apply({ url, keyPrefix: 'test:', connectTimeoutMs: 1000, ...user });
  }

  async up(): Promise<this> {
    await eventually(() => this.redis.usable);
    return this;
  }
}

let server: RedisProcess;
let peers: Peer[] = [];

beforeAll(async () => {
  server = await RedisProcess.start();
});

afterEach(async () => {
  for (const { redis } of peers) redis.close();
  peers = [];
  await server.call('FLUSHALL');
});

afterAll(() => server.stop());

const join = async (ttlMs?: number): Promise<Peer> => {
  const peer = new Peer(server.url, ttlMs);
  peers.push(peer);
  return peer.up();
};

const first = logFilter(1, 'a', [told(99), told(100, 2)]);
const second = logFilter(2, 'b', [told(99), told(100, 2), told(101, 3)]);
const third = logFilter(3, 'c', [told(101, 3), told(102, 1)]);

describe.each<[string, () => Promise<FilterStore> | FilterStore]>([
  ['in memory', () => createMemory()],
  ['in Redis', async () => (await join()).store],
])('filters kept %s', (_, create) => {
  let store: FilterStore;

  beforeEach(async () => {
    store = await create();
    // The time in which others may still bring filters back is over.
    ahead += 10_000;
  });

  it('are found as they were put, and by their ids only', async () => {
    await store.add(ID, first);
    expect(await store.find(ID)).toEqual(first);
    expect(await store.find(OTHER)).toBeUndefined();
    expect(store.size).toBe(1);
  });

  it('are replaced by whoever knows the newest, once', async () => {
    await store.add(ID, first);
    expect(await store.replace(ID, first, second)).toBe(true);
    expect(await store.replace(ID, first, third)).toBe(false);
    expect(await store.find(ID)).toEqual(second);
    expect(await store.replace(ID, second, third)).toBe(true);
    expect(await store.find(ID)).toEqual(third);
    expect(await store.replace(OTHER, first, second)).toBe(false);
  });

  it('are removed once, and stay so', async () => {
    await store.add(ID, first);
    expect(await store.remove(ID)).toBe(true);
    expect(await store.remove(ID)).toBe(false);
    expect(await store.remove(OTHER)).toBe(false);
    expect(await store.find(ID)).toBeUndefined();
    expect(await store.replace(ID, first, second)).toBe(false);
  });
});

describe('filters in memory', () => {
  it('are gone after their time, unless they are looked for', async () => {
    const store = createMemory(1000);
    await store.add(ID, first);
    await store.add(OTHER, first);
    for (let i = 0; i < 3; i++) {
      ahead += 600;
      expect(await store.find(ID)).toEqual(first);
    }
    expect(store.size).toBe(1);
    expect(await store.find(OTHER)).toBeUndefined();
    ahead += 1100;
    expect(await store.find(ID)).toBeUndefined();
  });

  it('are bounded in number: the one looked for longest ago goes', async () => {
    const store = new MemoryStore({ ttlMs: TTL_MS, maxFilters: 2 }, now);
    for (const id of ['1', '2']) await store.add(id, first);
    await store.find('1');
    await store.add('3', first);
    expect(await Promise.all(['1', '2', '3'].map(async (id) => (await store.find(id)) !== undefined))).toEqual([
      true,
      false,
      true,
    ]);
  });
});

describe('filters in Redis', () => {
  it('are seen by all processes, as the last of them left them', async () => {
    const [a, b] = [await join(), await join()];
    await a.store.add(ID, first);
    expect(await b.store.find(ID)).toEqual(first);
    expect(await b.store.replace(ID, first, second)).toBe(true);
    expect(await a.store.find(ID)).toEqual(second);
    expect(await a.store.replace(ID, first, third)).toBe(false);
    expect(await a.store.replace(ID, second, third)).toBe(true);
    expect(await b.store.find(ID)).toEqual(third);
    // A process that comes later has no copy, and gets the whole.
    expect(await (await join()).store.find(ID)).toEqual(third);
    expect(await b.store.remove(ID)).toBe(true);
    expect(await a.store.remove(ID)).toBe(false);
  });

  it('are given to one of many that race', async () => {
    const [a, b] = [await join(), await join()];
    await a.store.add(ID, first);
    const tries = Array.from({ length: 20 }, (_, i) =>
      (i % 2 === 0 ? a : b).store.replace(ID, first, logFilter(2, `m${i}`, [told(101, 1)])),
    );
    const won = (await Promise.all(tries)).flatMap((done, i) => (done ? `m${i}` : []));
    expect(won).toHaveLength(1);
    expect((await a.store.find(ID))?.revision.mark).toBe(won[0]);
    expect((await b.store.find(ID))?.revision.mark).toBe(won[0]);
  });

  it('cost one question while nothing changes', async () => {
    const a = await join();
    await a.store.add(ID, first);
    const before = a.commands;
    for (let i = 0; i < 10; i++) await a.store.find(ID);
    expect(a.commands - before).toBe(10);
  });

  it('live as long as somebody looks for them, whoever it is, under keys with our prefix', async () => {
    const [a, b] = [await join(1000), await join(1000)];
    await a.store.add(ID, first);
    await a.store.add(OTHER, first);
    await b.store.remove(OTHER);
    const keys = await server.keys();
    expect(keys).toEqual([`test:filter:1:${OTHER}`, `test:filter:1:${ID}`]);
    for (const key of keys) expect(await server.call('PTTL', key)).toBeGreaterThan(0);
    for (let i = 0; i < 4; i++) {
      await sleep(400);
      expect(await b.store.find(ID)).toEqual(first);
    }
    expect(await a.store.find(OTHER)).toBeUndefined();
    await sleep(1200);
    ahead += 10_000;
    expect(await a.store.find(ID)).toBeUndefined();
    expect(await b.store.find(ID)).toBeUndefined();
    expect(await server.keys()).toEqual([]);
  });

  it('go on by their copies while Redis is away; what a process has never seen it cannot tell', async () => {
    const [a, b] = [await join(), await join()];
    await a.store.add(ID, first);
    server.freeze();
    expect(await a.store.find(ID)).toEqual(first);
    expect(await a.store.replace(ID, first, second)).toBe(true);
    expect(await a.store.find(ID)).toEqual(second);
    await expect(b.store.find(ID)).rejects.toMatchObject({ code: 'STORE_AWAY' });
    await expect(b.store.remove(ID)).rejects.toMatchObject({ code: 'STORE_AWAY' });
    server.thaw();
    await eventually(() => a.redis.usable && b.redis.usable);
    await eventually(async () => (await b.store.find(ID))?.revision.number === 2);
    expect(await b.store.find(ID)).toEqual(second);
  });

  it('wait for a Redis that falters for a moment, so that processes do not go on apart', async () => {
    const [a, b] = [await join(), await join()];
    await a.store.add(ID, first);
    await a.store.add(OTHER, first);
    server.freeze();
    const found = b.store.find(ID);
    const removed = b.store.remove(OTHER);
    const replaced = a.store.replace(ID, first, second);
    await sleep(400);
    server.thaw();
    expect((await found)?.revision.number).toBeGreaterThan(0);
    expect(await removed).toBe(true);
    expect(await replaced).toBe(true);
    expect(await b.store.find(ID)).toEqual(second);
  });

  it('do not wait once Redis is known to be away', async () => {
    const [a, b] = [await join(), await join()];
    await a.store.add(ID, first);
    server.freeze();
    await expect(b.store.find(ID)).rejects.toMatchObject({ code: 'STORE_AWAY' });
    await a.store.replace(ID, first, second);
    const before = [a.waits, b.waits];
    expect(before.every((waits) => waits > 0)).toBe(true);
    await a.store.replace(ID, second, third);
    await expect(b.store.find(ID)).rejects.toMatchObject({ code: 'STORE_AWAY' });
    await expect(b.store.remove(OTHER)).rejects.toMatchObject({ code: 'STORE_AWAY' });
    expect([a.waits, b.waits]).toEqual(before);
    server.thaw();
    await eventually(() => a.redis.usable && b.redis.usable);
  });

  it('are brought back to a Redis that stood still, all but those it refuses', async () => {
    const a = await join();
    await a.store.add(ID, first);
    const key = (await server.keys())[0] ?? '';
    for (let i = 0; i < 70; i++) {
      const other = `0x${String(i).padStart(32, '0')}`;
      await a.store.add(other, first);
      await server.call('SET', key.replace(ID, other), 'not a filter');
    }
    server.freeze();
    await expect(a.store.find(OTHER)).rejects.toMatchObject({ code: 'STORE_AWAY' });
    // What is sent from here on does not wait for it to go on.
    await eventually(() => !a.redis.usable);
    expect(await a.store.replace(ID, first, second)).toBe(true);
    for (let i = 0; i < 70; i++) await a.store.find(`0x${String(i).padStart(32, '0')}`);
    server.thaw();
    await eventually(async () => String(await server.call('HGET', key, 'r')).startsWith('2:'));
  });

  it('are brought back to a Redis that restarted empty, by who got further', async () => {
    const [a, b, c] = [await join(), await join(), await join()];
    await a.store.add(ID, first);
    await a.store.add(OTHER, first);
    expect(await b.store.find(ID)).toEqual(first);
    await server.kill();
    await eventually(() => !a.redis.usable && !b.redis.usable && !c.redis.usable);
    await a.store.replace(ID, first, second);
    await a.store.replace(ID, second, third);
    await b.store.replace(ID, first, logFilter(2, 'x', [told(100, 2), told(101, 1)]));
    await server.restart();
    await eventually(() => c.redis.usable);
    // This process has no copy of either, and may be the first to be back.
    expect((await c.store.find(OTHER))?.revision.number).toBe(1);
    await eventually(() => a.redis.usable && b.redis.usable);
    await eventually(async () => (await b.store.find(ID))?.revision.number === 3);
    expect(await c.store.find(ID)).toEqual(third);
  });

  it('that were removed are not brought back by the copy of another process', async () => {
    const [a, b] = [await join(), await join()];
    await a.store.add(ID, first);
    await b.store.find(ID);
    await a.store.remove(ID);
    await b.store.bringBack();
    expect(await b.store.find(ID)).toBeUndefined();
    expect(await a.store.find(ID)).toBeUndefined();
  });

  it('need no more rights than those of a user who may not touch the server', async () => {
    const rights = '+@read +@write +@connection +@transaction +@scripting +time -@dangerous +info'.split(' ');
    await server.call('ACL', 'SETUSER', 'app', 'on', '>secret', '~test:*', '-@all', ...rights);
    const peer = new Peer(server.url, TTL_MS, { username: 'app', password: 'secret' });
    peers.push(peer);
    const { store } = await peer.up();
    await store.add(ID, first);
    expect(await (await join()).store.find(ID)).toEqual(first);
    expect(await store.replace(ID, first, second)).toBe(true);
    expect(await (await join()).store.find(ID)).toEqual(second);
    expect(await store.remove(ID)).toBe(true);
    expect((await server.keys()).length).toBe(1);
  });

  it('go on by their copies while Redis takes no more, and are written when it does again', async () => {
    const a = await join();
    await a.store.add(ID, first);
    await server.call('CONFIG', 'SET', 'maxmemory', '1');
    expect(await a.store.replace(ID, first, second)).toBe(true);
    expect(await a.store.find(ID)).toEqual(second);
    await server.call('CONFIG', 'SET', 'maxmemory', '0');
    expect(await a.store.find(ID)).toEqual(second);
    expect(await (await join()).store.find(ID)).toEqual(second);
  });

  it('are as good as in memory where no Redis is configured', async () => {
    const redis = new SharedRedis(redisEvents()).for('filters');
    const options = { redis, chainId: 1, copies: createMemory(), ttlMs: TTL_MS, timeoutMs: 250, now, sleep };
    const store = new RedisStore(options);
    await store.add(ID, first);
    expect(await store.find(ID)).toEqual(first);
    expect(await store.find(OTHER)).toBeUndefined();
    expect(await store.replace(ID, first, second)).toBe(true);
    expect(await store.remove(ID)).toBe(true);
    expect(await store.remove(ID)).toBe(false);
  });
});
