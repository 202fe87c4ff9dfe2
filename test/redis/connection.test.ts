import { RedisFailure } from '../../runtime/redis/failure';
import { createScript } from '../../runtime/redis/script';
import { SharedRedis } from '../../runtime/redis/shared-redis';
import { eventually } from '../support/eventually';
import { RedisProcess } from '../support/redis-process';
import { redisEvents } from '../support/redis-events';

const DEADLINE_MS = 200;

describe('the connection to Redis', () => {
  let server: RedisProcess;
  let events: string[];
  let redis: SharedRedis;

  beforeEach(async () => {
    server = await RedisProcess.start();
    events = [];
    redis = new SharedRedis(
      redisEvents({
        onUp: () => events.push('up'),
        onDown: ({ code }) => events.push(code),
        onFailure: (purpose, code) => events.push(`${purpose} ${code}`),
      }),
    );
    redis.apply(configFor(server.url));
    await eventually(() => redis.usable);
  });

  afterEach(async () => {
    redis.close();
    await server.stop();
  });

  const stage = () => redis.for('limits');
  const ping = () => stage().command(DEADLINE_MS, 'PING');

  it('names keys under the prefix, and runs commands and scripts', async () => {
    expect(stage().key('limit', 'a')).toBe('test:limit:a');
    const add = createScript("return redis.call('INCRBY', KEYS[1], ARGV[1])");
    expect(await stage().run(DEADLINE_MS, add, ['test:n'], [2])).toBe(2);
    expect(await stage().run(DEADLINE_MS, add, ['test:n'], [3])).toBe(5);
    expect(await stage().command(DEADLINE_MS, 'GET', 'test:n')).toBe('5');
  });

  it('sends a script again that Redis forgot', async () => {
    const one = createScript('return 1');
    expect(await stage().run(DEADLINE_MS, one, [], [])).toBe(1);
    await server.call('SCRIPT', 'FLUSH');
    expect(await stage().run(DEADLINE_MS, one, [], [])).toBe(1);
  });

  it('costs one deadline when Redis stops answering, then nothing, and is back by itself', async () => {
    server.freeze();
    const startedAt = performance.now();
    await expect(ping()).rejects.toMatchObject({ code: 'TIMEOUT' });
    expect(performance.now() - startedAt).toBeGreaterThan(DEADLINE_MS * 0.9);
    expect(redis.usable).toBe(false);
    const before = performance.now();
    for (let i = 0; i < 1000; i++) await expect(ping()).rejects.toMatchObject({ code: 'DOWN' });
    expect((performance.now() - before) / 1000).toBeLessThan(DEADLINE_MS / 10);
    server.thaw();
    await eventually(() => redis.usable);
    expect(await ping()).toBe('PONG');
    expect(events).toEqual(['up', 'TIMEOUT', 'limits TIMEOUT', 'up']);
  });

  it('is back after a restart', async () => {
    await server.kill();
    await eventually(() => !redis.usable);
    await expect(ping()).rejects.toThrow(RedisFailure);
    await server.restart();
    await eventually(() => redis.usable);
    expect(await ping()).toBe('PONG');
  });

  it('tells that memory is used up, and goes on reading', async () => {
    await server.call('CONFIG', 'SET', 'maxmemory', '1mb');
    await expect(stage().command(DEADLINE_MS, 'SET', 'test:big', 'x'.repeat(100_000))).rejects.toMatchObject({
      code: 'FULL',
    });
    expect(await ping()).toBe('PONG');
    expect(redis.usable).toBe(true);
  });

  it('leaves a primary that became a replica', async () => {
    const other = await RedisProcess.start();
    try {
      await server.call('REPLICAOF', other.host, other.port);
      await expect(stage().command(DEADLINE_MS, 'SET', 'test:a', '1')).rejects.toMatchObject({ code: 'READONLY' });
      expect(redis.usable).toBe(false);
      await server.call('REPLICAOF', 'NO', 'ONE');
      await eventually(() => redis.usable);
      await stage().command(DEADLINE_MS, 'SET', 'test:a', '1');
    } finally {
      await other.stop();
    }
  });

  it('keeps the connection when it is configured as before, and makes another when it is not', async () => {
    const id = async (): Promise<unknown> => stage().command(DEADLINE_MS, 'CLIENT', 'ID');
    const before = await id();
    redis.apply(configFor(server.url));
    expect(await id()).toBe(before);
    redis.apply({ ...configFor(server.url), keyPrefix: 'other:' });
    await eventually(async () => (await id()) !== before);
    redis.apply(undefined);
    expect(redis.configured).toBe(false);
    await expect(ping()).rejects.toMatchObject({ code: 'NONE' });
  });

  /** With `onRedisFailure: closed` each change of the password refused requests for a moment. */
  it('asks the one before until another one is there, or known not to be', async () => {
    redis.apply({ ...configFor(server.url), keyPrefix: 'other:' });
    let asked = 0;
    for (; stage().key('a') === 'test:a'; asked++) expect(await ping()).toBe('PONG');
    expect(asked).toBeGreaterThan(0);
    expect(stage().key('a')).toBe('other:a');
    expect(await ping()).toBe('PONG');
    expect(events).toEqual(['up', 'up']);
    redis.apply(configFor('redis://127.0.0.1:1'));
    await eventually(() => redis.problem?.code === 'LOST');
    expect(redis.usable).toBe(false);
    expect(events).toEqual(['up', 'up', 'LOST']);
  });
});

describe('a Redis that refuses us', () => {
  it.each([
    ['the password', ['--requirepass', 'right'], 'AUTH'],
    ['to be one, being a cluster', ['--cluster-enabled', 'yes'], 'CLUSTER'],
  ])('is told by its reason: %s', async (_, args, code) => {
    const server = await RedisProcess.start({ args, password: 'right' });
    const downs: RedisFailure[] = [];
    const redis = new SharedRedis(redisEvents({ onDown: (failure) => downs.push(failure) }));
    try {
      redis.apply({ ...configFor(server.url), password: 'wrong-password' });
      await eventually(() => redis.problem?.code === code);
      expect(JSON.stringify(downs.map(({ message }) => message))).not.toContain('wrong-password');
      expect(redis.usable).toBe(false);
    } finally {
      redis.close();
      await server.stop();
    }
  });
});

/** The client library wrote a line to the console at each dialling, which is none of our log. */
it('a password where none is needed is no matter, and nothing is written of it', async () => {
  const server = await RedisProcess.start({ restricted: false });
  const written = jest.spyOn(console, 'warn').mockImplementation(() => undefined);
  const redis = new SharedRedis(redisEvents());
  try {
    redis.apply({ ...configFor(server.url), password: 'not-needed' });
    await eventually(() => redis.usable);
    expect(written).not.toHaveBeenCalled();
  } finally {
    written.mockRestore();
    redis.close();
    await server.stop();
  }
});

function configFor(url: string) {
  return { url, keyPrefix: 'test:', connectTimeoutMs: 1000 };
}
