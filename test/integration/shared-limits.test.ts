import { setTimeout as sleep } from 'node:timers/promises';
import { SharedLimitsBed, SKEWS_MS } from './shared-limits-bed';

const MINUTE_MS = 60_000;
const PER_MINUTE = 600;
const BURST = 100;

// A unit a minute: what is taken does not come back while a test runs.
const limits = {
  perMinute: PER_MINUTE,
  redisTimeoutMs: 2000,
  overrides: [{ cidrs: ['203.0.113.0/24'], perMinute: 1, burst: 20 }],
};

/** The statuses of so many requests, one after the other. */
async function askMany(bed: SharedLimitsBed, proxy: number, client: string, times: number): Promise<number[]> {
  const found: number[] = [];
  for (let i = 0; i < times; i++) found.push(await bed.ask(proxy, client));
  return found;
}

const all = (status: number, times: number): number[] => Array<number>(times).fill(status);

describe('three proxies whose clocks are an hour off, and one Redis', () => {
  let bed: SharedLimitsBed;

  beforeAll(async () => (bed = await SharedLimitsBed.start(limits)));

  afterAll(async () => expect(await bed.stop()).toEqual([0, 0, 0]));

  it('are three proxies whose clocks are an hour off', async () => {
    for (const [index, skew] of SKEWS_MS.entries()) {
      const { startedAt } = (await bed.proxies[index]?.status()) ?? { startedAt: '' };
      expect(Math.abs(Date.parse(startedAt) - Date.now() - skew)).toBeLessThan(10 * MINUTE_MS);
    }
  });

  it('have one limit, whichever is asked', async () => {
    const client = '203.0.113.1';
    for (let i = 0; i < 20; i++) expect(await bed.ask(i, client)).toBe(200);
    for (let i = 0; i < 6; i++) expect(await bed.ask(i, client)).toBe(429);
    expect(await bed.ask(0, '203.0.113.2')).toBe(200);
  });

  it('count single requests and items of batches alike', async () => {
    const client = '203.0.113.3';
    const batch = Array.from({ length: 15 }, (_, id) => ({ jsonrpc: '2.0', id, method: 'eth_chainId' }));
    expect(await bed.ask(0, client, batch)).toBe(200);
    expect(await askMany(bed, 1, client, 5)).toEqual(all(200, 5));
    expect(await bed.ask(2, client)).toBe(429);
    expect(await bed.ask(0, client, batch.slice(3))).toBe(429);
  });

  it('ask Redis nothing more about a client once it is refused', async () => {
    const client = '203.0.113.4';
    const before = await bed.runs();
    expect(await askMany(bed, 0, client, 20)).toEqual(all(200, 20));
    expect((await bed.runs()) - before).toBe(20);
    expect(await askMany(bed, 0, client, 50)).toEqual(all(429, 50));
    expect((await bed.runs()) - before).toBe(20);
    expect(await askMany(bed, 1, client, 50)).toEqual(all(429, 50));
    expect((await bed.runs()) - before).toBe(21);
  });

  it('let a client that asks three times too much have its rate for three minutes, no more and no less', async () => {
    const offered = await bed.offer((3 * PER_MINUTE) / 60, 180, '198.51.100.1');
    const passed = offered.count(200);
    const due = (PER_MINUTE * offered.ms) / MINUTE_MS;
    expect(offered.statuses).toEqual([200, 429]);
    expect(passed).toBeLessThanOrEqual(due * 1.02 + BURST);
    expect(passed).toBeGreaterThanOrEqual((due + BURST) * 0.98);
    for (const proxy of bed.proxies) expect(await proxy.metric('rpc_balancer_limits_alone_total')).toBe(0);
  }, 240_000);
});

describe('three proxies whose Redis dies and comes back empty', () => {
  let bed: SharedLimitsBed;

  beforeAll(async () => (bed = await SharedLimitsBed.start({ perMinute: PER_MINUTE, redisTimeoutMs: 2000 })));

  afterAll(async () => expect(await bed.stop()).toEqual([0, 0, 0]));

  it('fail no request, limit for themselves meanwhile, going on from what they knew, and share again', async () => {
    const client = '198.51.100.2';
    const perSecond = PER_MINUTE / 60;
    // Shared, the burst is used up after two seconds of the four.
    const running = bed.offer(6 * perSecond, 12, client);
    await sleep(4000);
    const diedAt = performance.now();
    await bed.redis.kill();
    await sleep(4000);
    const awayMs = performance.now() - diedAt;
    await bed.redis.restart();
    const offered = await running;
    expect(offered.statuses).toEqual([200, 429]);

    // Of the minute's share each gives all, so three times as much passes as before; not the burst, which is used up.
    const passed = offered.count(200, 4500, 4000 + awayMs);
    const due = (perSecond * (awayMs - 500)) / 1000;
    expect(passed).toBeLessThanOrEqual(3 * due * 1.02 + BURST / 4);
    expect(passed).toBeGreaterThan(1.5 * due);
    for (const { count } of await withoutRedis()) expect(count).toBeGreaterThan(0);

    await bed.untilShared();
    const before = await withoutRedis();
    const again = await bed.offer(6 * perSecond, 3, client);
    expect(again.statuses).toEqual([200, 429]);
    expect(await withoutRedis()).toEqual(before);
    // Beside it stands the head, which processes share too.
    const limitKeys = (await bed.redis.keys()).filter((key) => key.startsWith('shared:limit:'));
    expect(limitKeys).toEqual([`shared:limit:${client}`]);
    expect(await bed.redis.call('PTTL', `shared:limit:${client}`)).toBeGreaterThan(0);
  }, 60_000);

  async function withoutRedis(): Promise<{ count: number }[]> {
    return Promise.all(
      bed.proxies.map(async (proxy) => ({
        count: await proxy.metric('rpc_balancer_limits_alone_total', { how: 'local' }),
      })),
    );
  }
});
