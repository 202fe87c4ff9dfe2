import { createScript } from '../../runtime/redis/script';
import { SharedRedis } from '../../runtime/redis/shared-redis';
import { eventually } from '../support/eventually';
import { RedisProcess } from '../support/redis-process';

const DEADLINE_MS = 1000;

describe('the user of ElastiCache', () => {
  let server: RedisProcess;
  let redis: SharedRedis;

  beforeAll(async () => {
    server = await RedisProcess.start({ restricted: true });
    const nothing = (): void => undefined;
    redis = new SharedRedis({ onUp: nothing, onDown: nothing, onAnswer: nothing, onFailure: nothing });
    redis.apply({ url: server.url, keyPrefix: 'test:', connectTimeoutMs: 1000 });
    await eventually(() => redis.usable);
  });

  afterAll(async () => {
    redis.close();
    await server.stop();
  });

  const ask = (name: string, ...args: string[]): Promise<unknown> =>
    redis.for('limits').command(DEADLINE_MS, name, ...args);

  it('reads and writes keys of the prefix, with a lifetime', async () => {
    expect(await ask('SET', 'test:a', '1', 'PX', '60000')).toBe('OK');
    expect(await ask('GET', 'test:a')).toBe('1');
    expect(await server.keys()).toEqual(['test:a']);
  });

  it('runs scripts that ask for the time', async () => {
    const script = createScript("return redis.call('TIME')[1]");
    expect(Number(await redis.for('limits').run(DEADLINE_MS, script, [], []))).toBeGreaterThan(1e9);
  });

  it('is told what the server is', async () => {
    expect(await ask('INFO')).toContain('role:master');
  });

  it.each([
    ['other keys', ['GET', 'foreign:a']],
    ['all keys', ['KEYS', '*']],
    ['emptying it', ['FLUSHALL']],
    ['its configuration', ['CONFIG', 'GET', '*']],
    ['its users', ['ACL', 'LIST']],
    ['channels', ['PUBLISH', 'test:c', 'x']],
  ])('may not have %s', async (_, [name = '', ...args]) => {
    await expect(ask(name, ...args)).rejects.toMatchObject({ code: 'AUTH' });
  });
});
