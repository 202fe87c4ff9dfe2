import { MAX_ANSWER_BYTES } from '../../runtime/cache/memory-cache';
import { RedisCache } from '../../runtime/cache/redis-cache';
import type { CachedAnswer } from '../../runtime/cache/response-cache';
import { SharedRedis } from '../../runtime/redis/shared-redis';
import { eventually } from '../support/eventually';
import { RedisProcess } from '../support/redis-process';
import { redisEvents } from '../support/redis-events';

const KEY = 'eth_getBalance\n0xab\n["0x1","0x2"]';
const ANSWER: CachedAnswer = { kind: 'result', text: '"0x1"' };

describe('RedisCache', () => {
  let server: RedisProcess;
  let redis: SharedRedis;
  let identity: string | undefined;
  let cache: RedisCache;

  beforeAll(async () => {
    server = await RedisProcess.start();
    redis = new SharedRedis(redisEvents());
    redis.apply({ url: server.url, keyPrefix: 'test:', connectTimeoutMs: 1000 });
    await eventually(() => redis.usable);
    cache = new RedisCache({ redis: redis.for('cache'), identity: () => identity, ttlMs: 60_000, timeoutMs: 1000 });
  });

  beforeEach(async () => {
    identity = '1-aaaa';
    await server.call('FLUSHALL');
  });

  afterAll(async () => {
    redis.close();
    await server.stop();
  });

  async function keep(answer: CachedAnswer, key = KEY): Promise<void> {
    const before = (await server.keys()).length;
    cache.set(key, answer);
    await eventually(async () => (await server.keys()).length > before);
  }

  it('finds what was kept, result or revert, with its bytes', async () => {
    const text = Buffer.from('{"name":"Zürich ✓"}').toString('latin1');
    await keep({ kind: 'result', text });
    expect(await cache.get(KEY)).toEqual({ kind: 'result', text });
    const revert = { kind: 'error', text: '{"code":3,"message":"execution reverted"}' } as const;
    await keep(revert, 'other');
    expect(await cache.get('other')).toEqual(revert);
    expect(await cache.get('neither')).toBeUndefined();
  });

  it('keeps it under the prefix, for a time, without telling what was asked', async () => {
    await keep(ANSWER);
    const keys = await server.keys();
    expect(keys).toEqual([expect.stringMatching(/^test:cache:1-aaaa:[\w-]{43}$/)]);
    expect(await server.call('PTTL', keys[0] ?? '')).toBeGreaterThan(50_000);
    expect(await server.call('PTTL', keys[0] ?? '')).toBeLessThanOrEqual(60_000);
  });

  it('does not mix chains of one id, and knows nothing while it is not known which one it is', async () => {
    await keep(ANSWER);
    identity = '1-bbbb';
    expect(await cache.get(KEY)).toBeUndefined();
    identity = undefined;
    expect(cache.usable).toBe(false);
    expect(await cache.get(KEY)).toBeUndefined();
    cache.set('more', ANSWER);
    identity = '1-aaaa';
    expect(await cache.get(KEY)).toEqual(ANSWER);
    expect(await server.keys()).toHaveLength(1);
  });

  it.each([
    ['no letter', '"0x1"'],
    ['another letter', 'x"0x1"'],
    ['nothing', ''],
    ['no text', 'r'],
    ['null', 'rnull'],
    ['half of it', 'r{"a":'],
    ['two values', 'r1,"id":2'],
    ['an error that may be another next time', 'e{"code":-32000,"message":"out of gas"}'],
    ['a character that is no byte', 'r"✓"'],
    ['bytes that are no UTF-8', 'r"\u00fc"'],
    ['too much', `r"${'x'.repeat(MAX_ANSWER_BYTES)}"`],
  ])('takes what somebody else wrote for a miss: %s', async (_, value) => {
    await keep(ANSWER);
    const [name = ''] = await server.keys();
    await server.call('SET', name, value);
    expect(await cache.get(KEY)).toBeUndefined();
    await server.call('SET', name, 'r"0x1"');
    expect(await cache.get(KEY)).toEqual(ANSWER);
  });

  it('takes a value of another type for a miss', async () => {
    await keep(ANSWER);
    const [name = ''] = await server.keys();
    await server.call('DEL', name);
    await server.call('LPUSH', name, 'r"0x1"');
    expect(await cache.get(KEY)).toBeUndefined();
    expect(redis.usable).toBe(true);
  });

  it('misses at once when Redis does not answer, after one that waited', async () => {
    const hasty = new RedisCache({
      redis: redis.for('cache'),
      identity: () => identity,
      ttlMs: 60_000,
      timeoutMs: 50,
    });
    await keep(ANSWER);
    server.freeze();
    try {
      expect(await hasty.get(KEY)).toBeUndefined();
      expect(hasty.usable).toBe(false);
      hasty.set(KEY, ANSWER);
      expect(await hasty.get(KEY)).toBeUndefined();
    } finally {
      server.thaw();
    }
    await eventually(() => hasty.usable);
    expect(await hasty.get(KEY)).toEqual(ANSWER);
  });
});
