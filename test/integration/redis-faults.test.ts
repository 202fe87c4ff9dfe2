import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { closeConnections } from '../support/oracle-client';
import { RedisProcess } from '../support/redis-process';
import { selfSigned } from '../upstream/certificate';
import { NODE_SECRET, RedisFaultsBed } from './redis-faults-bed';

/**
 * FAULTS C1 to C5: whatever happens to Redis, no request fails, each process goes on by itself, says why, and shares
 * again soon after. What was waited for is counted, not timed: after the first missed deadlines nothing is asked.
 */
const PASSWORD = 'canary-3b9f';
/** Questions that may miss their deadline before the breaker is open: those that were under way. */
const HANDFUL = 60;
/** What must suffice as a user of ElastiCache. */
const RIGHTS =
  '~rpc-balancer:* -@all +@read +@write +@connection +@transaction +@scripting +time -@dangerous +info'.split(' ');

let folder: string;
const servers: RedisProcess[] = [];
let bed: RedisFaultsBed | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'redis-faults-'));
});

afterEach(async () => {
  closeConnections();
  try {
    await bed?.close();
  } finally {
    bed = undefined;
    await Promise.all(servers.splice(0).map((server) => server.stop()));
    rmSync(folder, { recursive: true, force: true });
  }
});

async function redisServer(...options: Parameters<typeof RedisProcess.start>): Promise<RedisProcess> {
  const server = await RedisProcess.start(...options);
  servers.push(server);
  return server;
}

/** Two proxies under load that share already. */
async function sharing(redis: Record<string, unknown>, nodeArgs: readonly string[] = []): Promise<RedisFaultsBed> {
  bed = await RedisFaultsBed.start(redis, nodeArgs);
  await bed.untilShared();
  bed.load();
  await bed.untilServed(300);
  return bed;
}

it('C1 down at the start: ready at once, and shared when it is there', async () => {
  const server = await redisServer();
  await server.kill();
  bed = await RedisFaultsBed.start({ url: server.url });
  bed.load();
  await bed.untilDown('LOST');
  await bed.untilServed(1000);
  expect(await bed.isShared()).toBe(false);
  await server.restart();
  await bed.untilShared();
  expect(await bed.endLoad()).toBeGreaterThan(1000);
}, 60_000);

it('C2, C3 killed, and restarted empty', async () => {
  const server = await redisServer();
  const two = await sharing({ url: server.url });
  await server.kill();
  await two.untilDown('LOST');
  await two.untilServed(1500);
  expect(await two.failures('LOST')).toBeLessThan(HANDFUL);
  await server.restart();
  await two.untilShared();
  await server.call('FLUSHALL');
  await server.call('SCRIPT', 'FLUSH');
  await two.untilServed(500);
  await two.untilShared();
}, 60_000);

it('C2 stopped for ten seconds: a few wait one deadline, then nobody does', async () => {
  const server = await redisServer();
  const two = await sharing({ url: server.url });
  const before = await two.failures('TIMEOUT');
  server.freeze();
  const served = await two.served();
  await sleep(10_000);
  expect((await two.served()) - served).toBeGreaterThan(1500);
  expect((await two.failures('TIMEOUT')) - before).toBeLessThan(HANDFUL);
  await two.untilDown('TIMEOUT');
  server.thaw();
  await two.untilShared();
}, 60_000);

it('C4 a fail-over: the replica becomes the primary, and is found by the same name', async () => {
  const one = await redisServer();
  const other = await redisServer({ host: '127.0.0.2', port: one.port });
  await other.call('REPLICAOF', one.host, one.port);
  const file = join(folder, 'address');
  writeFileSync(file, one.host);
  const preload = join(folder, 'preload.cjs');
  const resolver = join(__dirname, '..', 'support', 'redis-name.cjs');
  writeFileSync(preload, `require(${JSON.stringify(resolver)})('primary.redis.test', ${JSON.stringify(file)});`);
  const two = await sharing({ url: `redis://primary.redis.test:${one.port}` }, ['--require', preload]);
  await other.call('REPLICAOF', 'NO', 'ONE');
  await one.call('REPLICAOF', other.host, other.port);
  writeFileSync(file, other.host);
  await two.untilShared();
  await two.untilServed(500);
  expect((await other.keys()).length).toBeGreaterThan(0);
  // Both are at the new primary, and nobody is left at the old one.
  expect(await clientsOf(other)).toBeGreaterThanOrEqual(2);
  expect(await clientsOf(one)).toBe(0);
}, 60_000);

it('C5 the password changed: told as such, never printed, and well again with the right one', async () => {
  const server = await redisServer({ args: ['--requirepass', PASSWORD], password: PASSWORD });
  const two = await sharing({ url: server.url, password: PASSWORD });
  await server.call('CONFIG', 'SET', 'requirepass', 'another');
  await server.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  await two.untilDown('AUTH');
  await two.untilServed(1000);
  expect(await two.failures('AUTH')).toBeLessThan(HANDFUL);
  await server.call('CONFIG', 'SET', 'requirepass', PASSWORD);
  await two.untilShared();
}, 60_000);

it('C5 out of memory, nothing evicted: what is there is read, what is new is not kept', async () => {
  const server = await redisServer({ args: ['--maxmemory-policy', 'noeviction'] });
  const two = await sharing({ url: server.url });
  await server.call('CONFIG', 'SET', 'maxmemory', '1mb');
  await two.untilServed(1000);
  expect(await two.failures('FULL')).toBeGreaterThan(0);
  expect(await two.isShared()).toBe(false);
  for (const proxy of two.proxies) expect((await proxy.status()).redis?.up).toBe(true);
  await server.call('CONFIG', 'SET', 'maxmemory', '0');
  await two.untilShared();
}, 60_000);

describe('over TLS', () => {
  const certificate = selfSigned('IP:127.0.0.1');

  async function tlsServer(): Promise<RedisProcess> {
    const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
    writeFileSync(files.cert, certificate.cert);
    writeFileSync(files.key, certificate.key);
    const tls = ['--tls-cert-file', files.cert, '--tls-key-file', files.key, '--tls-auth-clients', 'no'];
    return redisServer({ args: tls, tls: { ca: certificate.cert } });
  }

  it('C5 a certificate that is not trusted: told as such', async () => {
    const server = await tlsServer();
    bed = await RedisFaultsBed.start({ url: server.url, username: 'balancer', password: PASSWORD });
    bed.load();
    await bed.untilDown('TLS');
    await bed.untilServed(1000);
    expect(await bed.isShared()).toBe(false);
  }, 60_000);

  it('with its authority, a user and a password, and the rights that are documented: shared', async () => {
    const server = await tlsServer();
    await server.call('ACL', 'SETUSER', 'balancer', 'on', `>${PASSWORD}`, ...RIGHTS);
    const caFile = join(folder, 'cert.pem');
    const two = await sharing({ url: server.url, username: 'balancer', password: PASSWORD, caFile });
    await two.untilServed(500);
    expect(await two.failures('AUTH')).toBe(0);
  }, 60_000);
});

it('all keys have the prefix and a lifetime, and no value tells of a node', async () => {
  const server = await redisServer();
  const two = await sharing({ url: server.url, keyPrefix: 'ours:' });
  await two.untilServed(1000);
  await two.endLoad();
  const keys = await server.keys();
  expect(keys.length).toBeGreaterThan(100);
  const ports = two.nodes.map(({ port }) => `:${port}`);
  for (const key of keys) {
    expect(key).toMatch(/^ours:/);
    const left = Number(await server.call('PTTL', key));
    // It may have ended since it was listed.
    expect(left === -2 || left > 0).toBe(true);
    const value = await server.contents(key);
    for (const secret of ['://', NODE_SECRET, '127.0.0.1', ...ports]) expect(value).not.toContain(secret);
  }
}, 60_000);

async function clientsOf(server: RedisProcess): Promise<number> {
  const list = String(await server.call('CLIENT', 'LIST', 'TYPE', 'normal'));
  // Of programs that ask by script or for answers; the test itself lists.
  return list.split('\n').filter((line) => /cmd=(get|set|evalsha|eval|info|ping)\b/.test(line)).length;
}
