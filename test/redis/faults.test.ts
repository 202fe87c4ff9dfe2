import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisFailure } from '../../runtime/redis/failure';
import { createScript } from '../../runtime/redis/script';
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

  /** Every question that was tried after a pause was a caller's, who waited a whole deadline for nothing, every two seconds. */
  it('that is slower than one deadline costs that stage one question, and others nothing', async () => {
    await start();
    await eventually(() => redis.usable);
    wire.delayMs = 60;
    const codes: string[] = [];
    for (let i = 0; i < 200; i++) {
      await cache().catch((error: unknown) => codes.push((error as RedisFailure).code));
      if (i % 20 === 0) expect(await limits(1000)).toBe('PONG');
      await sleep(2);
    }
    expect(codes).toEqual(['TIMEOUT', ...Array<string>(199).fill('PAUSED')]);
    expect(redis.usable).toBe(true);
    expect(redis.troubles).toEqual({ cache: 'TIMEOUT' });
    wire.delayMs = 0;
    await eventually(async () => (await cache().catch(() => 'away')) !== 'away');
    expect(events).toEqual(['up', 'cache TIMEOUT']);
  });

  /** With little traffic each late question was taken for silence: filters were down while Redis answered all they asked. */
  it('that is slow is not silent, however little it is asked', async () => {
    await start();
    await eventually(() => redis.usable);
    wire.delayMs = 80;
    await expect(limits()).rejects.toMatchObject({ code: 'TIMEOUT' });
    await eventually(() => redis.usable);
    for (let i = 0; i < 10; i++) {
      await limits().catch(() => undefined);
      expect(await redis.for('filters').command(1000, 'PING')).toBe('PONG');
      await sleep(50);
    }
  });

  /** The client library kept it back until every answer was there that was under way: so each took up to twice the time. */
  it('is asked at once, also while answers are under way', async () => {
    await start();
    await eventually(() => redis.usable);
    wire.delayMs = 3000;
    let answers = 0;
    for (let asked = 1; asked <= 3; asked++) {
      cache(60_000).then(
        () => answers++,
        () => undefined,
      );
      await eventually(async () => (await server.commandCounts())['get'] === asked);
    }
    expect(answers).toBe(0);
  });

  /** As in a planned fail-over. It answered what reads, so each time it was believed to be well until a caller had waited. */
  it('that holds all writes back costs one question', async () => {
    await start();
    await eventually(() => redis.usable);
    await server.call('CLIENT', 'PAUSE', 60_000, 'WRITE');
    const script = createScript('return 1');
    const codes: string[] = [];
    for (let i = 0; i < 150; i++) {
      await redis
        .for('limits')
        .run(50, script, [], [])
        .catch((error: unknown) => codes.push((error as RedisFailure).code));
      await sleep(20);
    }
    expect(codes).toHaveLength(150);
    expect(codes.filter((code) => code === 'TIMEOUT')).toHaveLength(1);
    await server.call('CLIENT', 'UNPAUSE');
    await eventually(async () => (await limits().catch(() => 'away')) === 'PONG', undefined, 5000);
  }, 30_000);

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

  /** Reads went on to be answered, and each told that all was well: two lines of the log for every request. */
  it('that refuses what one stage asks is told of, once, and when it has not for a while', async () => {
    await start();
    await eventually(() => redis.usable);
    await server.call('CONFIG', 'SET', 'maxmemory', '1mb');
    const write = (): Promise<unknown> => redis.for('cache').command(1000, 'SET', 'test:a', 'x'.repeat(100_000));
    for (let i = 0; i < 3; i++) {
      await expect(write()).rejects.toMatchObject({ code: 'FULL' });
      expect(await cache(1000)).toBeNull();
    }
    expect(events).toEqual(['up', 'cache FULL']);
    expect(redis.troubles).toEqual({ cache: 'FULL' });
    await server.call('CONFIG', 'SET', 'maxmemory', '0');
    expect(await write()).toBe('OK');
    expect(events).toEqual(['up', 'cache FULL']);
    await eventually(async () => (await cache(1000)) !== null && redis.troubles.cache === undefined, undefined, 15_000);
    expect(events).toEqual(['up', 'cache FULL', 'cache over']);
  }, 30_000);
});
