import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisFailure } from '../../runtime/redis/failure';
import { SharedRedis } from '../../runtime/redis/shared-redis';
import { eventually } from '../support/eventually';
import { redisEvents } from '../support/redis-events';
import { RedisProcess } from '../support/redis-process';
import { SlowTcp } from '../support/slow-tcp';

/** What a real Redis does at its worst, behind a wire that can be slow or lead to nobody. */
describe('a Redis', () => {
  let server: RedisProcess;
  let wire: SlowTcp;
  let events: string[];
  let redis: SharedRedis;

  async function start(options: { password?: string; path?: string; direct?: true } = {}): Promise<void> {
    const { password, path = '', direct } = options;
    const args = password === undefined ? [] : ['--requirepass', password];
    server = await RedisProcess.start({ args, ...(password !== undefined && { password }) });
    wire = await SlowTcp.to(server.port);
    events = [];
    redis = new SharedRedis(
      redisEvents({
        onUp: () => events.push('up'),
        onDown: ({ code }) => events.push(code),
        onTrouble: (purpose, { code }) => events.push(`${purpose} ${code}`),
        onTroubleOver: (purpose) => events.push(`${purpose} over`),
      }),
    );
    const auth = password === undefined ? {} : { password };
    const url = `redis://127.0.0.1:${direct ? server.port : wire.port}${path}`;
    redis.apply({ url, keyPrefix: 'test:', connectTimeoutMs: 300, ...auth });
  }

  afterEach(async () => {
    redis.close();
    await wire.close();
    await server.stop();
  });

  const limits = (deadlineMs = 50): Promise<unknown> => redis.for('limits').command(deadlineMs, 'PING');
  const cache = (deadlineMs = 20): Promise<unknown> => redis.for('cache').command(deadlineMs, 'GET', 'test:a');

  // A connection that the kernel made was never left while it waited for AUTH or SELECT to be answered.
  it.each([{ password: 'secret' }, { path: '/1' }])(
    'that lets connect and says nothing is left and dialled again, where it was to be told %j first',
    async (options) => {
      await start(options);
      await eventually(() => redis.usable);
      wire.silent = true;
      await server.kill();
      await eventually(() => wire.connections >= 4);
      expect(redis.usable).toBe(false);
      await server.restart();
      wire.silent = false;
      await eventually(() => redis.usable, undefined, 5000);
    },
  );

  it('that is slower than one deadline costs that stage now and then a question, and others nothing', async () => {
    await start();
    await eventually(() => redis.usable);
    wire.delayMs = 60;
    let late = 0;
    let notSent = 0;
    for (let i = 0; i < 200; i++) {
      await cache().catch((error: unknown) => ((error as RedisFailure).code === 'TIMEOUT' ? late++ : notSent++));
      if (i % 20 === 0) expect(await limits(1000)).toBe('PONG');
      await sleep(2);
    }
    expect(late).toBeGreaterThan(0);
    expect(late).toBeLessThan(20);
    expect(late + notSent).toBe(200);
    expect(redis.usable).toBe(true);
    expect(redis.troubles).toEqual({ cache: 'TIMEOUT' });
    wire.delayMs = 0;
    await eventually(async () => (await cache().catch(() => 'away')) !== 'away');
    expect(redis.troubles).toEqual({});
    expect(events).toEqual(['up', 'cache TIMEOUT', 'cache over']);
  });

  it('that falls silent stops all questions after one deadline', async () => {
    await start();
    await eventually(() => redis.usable);
    server.freeze();
    await expect(limits()).rejects.toMatchObject({ code: 'TIMEOUT' });
    await expect(redis.for('filters').command(250, 'PING')).rejects.toMatchObject({ code: 'DOWN' });
    expect(events).toEqual(['up', 'TIMEOUT']);
    server.thaw();
    await eventually(() => redis.usable, undefined, 5000);
  });

  it('does not count as late while we are busy ourselves', async () => {
    await start({ direct: true });
    await eventually(() => redis.usable);
    for (let i = 0; i < 10; i++) {
      const asked = cache(100);
      const until = performance.now() + 120;
      while (performance.now() < until);
      await asked;
    }
    expect(events).toEqual(['up']);
  });

  it('that has no such database is not used, nor another one in its place', async () => {
    await start({ path: '/99' });
    await eventually(() => redis.problem?.code === 'DATABASE');
    expect(redis.usable).toBe(false);
    expect(events).toEqual(['DATABASE']);
  });

  it('that is a replica is dialled more and more rarely, and told of once', async () => {
    const primary = await RedisProcess.start();
    try {
      await start();
      await eventually(() => redis.usable);
      await server.call('REPLICAOF', primary.host, primary.port);
      await expect(redis.for('limits').command(1000, 'SET', 'test:a', '1')).rejects.toMatchObject({ code: 'READONLY' });
      const before = wire.connections;
      await sleep(4000);
      expect(wire.connections - before).toBeLessThan(15);
      expect(events.filter((event) => event === 'READONLY')).toHaveLength(1);
      await server.call('REPLICAOF', 'NO', 'ONE');
      await eventually(() => redis.usable, undefined, 5000);
    } finally {
      await primary.stop();
    }
  });

  it('that refuses what one stage asks is told of, once, and when it does not any more', async () => {
    await start();
    await eventually(() => redis.usable);
    await server.call('CONFIG', 'SET', 'maxmemory', '1mb');
    const write = (): Promise<unknown> => redis.for('cache').command(1000, 'SET', 'test:a', 'x'.repeat(100_000));
    for (let i = 0; i < 3; i++) await expect(write()).rejects.toMatchObject({ code: 'FULL' });
    expect(redis.troubles).toEqual({ cache: 'FULL' });
    await server.call('CONFIG', 'SET', 'maxmemory', '0');
    expect(await write()).toBe('OK');
    expect(redis.troubles).toEqual({});
    expect(events).toEqual(['up', 'cache FULL', 'cache over']);
  });
});
