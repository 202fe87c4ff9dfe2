import { Redis } from 'ioredis';
import { accessString } from '../../lib/cache-access';
import { CACHE_KEY_PREFIX, CACHE_USER } from '../../lib/cache-names';
import { RedisProcess } from '../support/redis-process';

const PASSWORD = 'a-password-of-a-test';

/** What stages ask, as the user of ElastiCache: test/redis runs the stages themselves. */
const ALLOWED: readonly (readonly [string, ...string[]])[] = [
  ['PING'],
  ['SET', `${CACHE_KEY_PREFIX}a`, '1', 'PX', '1000'],
  ['GET', `${CACHE_KEY_PREFIX}a`],
  ['DEL', `${CACHE_KEY_PREFIX}a`],
  ['HSET', `${CACHE_KEY_PREFIX}h`, 'f', '1'],
  ['PEXPIRE', `${CACHE_KEY_PREFIX}h`, '1000'],
  ['TIME'],
  ['INFO', 'server'],
  ['SCRIPT', 'LOAD', 'return 1'],
  ['EVAL', "redis.call('TIME'); return redis.call('SET', KEYS[1], '1', 'PX', 10)", '1', `${CACHE_KEY_PREFIX}s`],
  ['MULTI'],
  ['DISCARD'],
  ['CLIENT', 'SETNAME', 'rpc'],
];

const REFUSED: readonly (readonly [string, ...string[]])[] = [
  ['GET', 'somebody-elses'],
  ['SET', 'somebody-elses', '1'],
  ['EVAL', "return redis.call('GET', KEYS[1])", '1', 'somebody-elses'],
  ['KEYS', '*'],
  ['FLUSHALL'],
  ['FLUSHDB'],
  ['CONFIG', 'GET', '*'],
  ['ACL', 'LIST'],
  ['PUBLISH', 'channel', 'text'],
  ['SHUTDOWN'],
  ['REPLICAOF', 'NO', 'ONE'],
];

describe("the cache's access string", () => {
  let server: RedisProcess;
  let user: Redis;

  beforeAll(async () => {
    server = await RedisProcess.start();
    const rules = accessString(CACHE_KEY_PREFIX).split(' ');
    await server.call('ACL', 'SETUSER', CACHE_USER, 'reset', `>${PASSWORD}`, ...rules);
    const { host, port } = server;
    user = new Redis({ host, port, username: CACHE_USER, password: PASSWORD, enableReadyCheck: false });
  });

  afterAll(async () => {
    user.disconnect();
    await server.stop();
  });

  it.each(ALLOWED)('allows %s %s', async (command, ...args) => {
    await expect(user.call(command, ...args)).resolves.toBeDefined();
  });

  it.each(REFUSED)('refuses %s %s', async (command, ...args) => {
    await expect(user.call(command, ...args)).rejects.toThrow(/NOPERM|No permissions/);
  });

  it('is written as ElastiCache takes it: the order counts', () => {
    expect(accessString('p:')).toBe(
      'on ~p:* -@all +@read +@write +@connection +@transaction +@scripting +time -@dangerous +info',
    );
  });
});
