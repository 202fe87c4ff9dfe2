import { setTimeout as sleep } from 'node:timers/promises';
import type { Decision, LimitedClient } from '../../runtime/limits/decision';
import { createRateLimiter, type RateLimiter } from '../../runtime/limits/rate-limiter';
import type { StageRedis } from '../../runtime/redis/shared-redis';
import { eventually } from '../support/eventually';
import { ALICE, BOB, Clock } from './clients';
import { limitsConfig } from './limits-config';
import { RedisBed } from './redis-bed';

type Limits = Parameters<typeof limitsConfig>[0];

const METHOD = 'eth_call';
/** A unit a minute: none comes back while a test runs. */
const SLOW: Limits = { perMinute: 1, burst: 5, redisTimeoutMs: 10_000 };

let bed: RedisBed;
beforeEach(async () => (bed = await RedisBed.start()));
afterEach(async () => bed.stop());

interface Limiter extends RateLimiter {
  /** How often it decided without Redis, and how. */
  readonly without: string[];
}

function limiterOf(config: Limits, redis: StageRedis = bed.stage, clock: { now(): number } = performance): Limiter {
  const without: string[] = [];
  const onWithout = (how: string, calls: number) => without.push(`${how} ${calls}`);
  const now = (): number => clock.now();
  return Object.assign(createRateLimiter(limitsConfig(config), now, { redis, onWithout }), { without });
}

async function take(limiter: RateLimiter, who: LimitedClient, ...methods: string[]): Promise<readonly Decision[]> {
  const decisions = await limiter.take(who, methods.length === 0 ? [METHOD] : methods);
  if (decisions === undefined) throw new Error('nothing is limited');
  return decisions;
}

async function passes(limiter: RateLimiter, times: number, who = ALICE): Promise<number> {
  let passed = 0;
  for (let i = 0; i < times; i++) for (const { allowed } of await take(limiter, who)) passed += allowed ? 1 : 0;
  return passed;
}

const KEY = `test:limit:${ALICE.key}`;

describe('what is kept in Redis', () => {
  it('is one key for each client, under the prefix, for as long as its buckets are not full', async () => {
    const limiter = limiterOf({ ...SLOW, perMinute: 600 });
    expect(await passes(limiter, 5)).toBe(5);
    await take(limiter, BOB);
    expect(await bed.server.keys()).toEqual([KEY, `test:limit:${BOB.key}`]);
    const lives = Number(await bed.server.call('PTTL', KEY));
    expect(lives).toBeGreaterThan(0);
    expect(lives).toBeLessThanOrEqual(501);
    await eventually(async () => (await bed.server.keys()).length === 0);
    expect(await passes(limiter, 5)).toBe(5);
  });

  it('lives until the bucket is full that takes longest, also when others are asked for', async () => {
    const limiter = limiterOf({ ...SLOW, perMinute: 6000, burst: 10, methods: { eth_getLogs: { perMinute: 6 } } });
    await take(limiter, ALICE, 'eth_getLogs');
    await take(limiter, ALICE, METHOD);
    expect(Number(await bed.server.call('PTTL', KEY))).toBeGreaterThan(5000);
    expect(Object.keys(await hash())).toEqual(['t', 'm:eth_getLogs']);
  });

  it('is not touched by what is refused', async () => {
    expect(await passes(limiterOf(SLOW), 5)).toBe(5);
    const before = await hash();
    expect(await passes(limiterOf(SLOW), 5)).toBe(0);
    expect(await hash()).toEqual(before);
  });

  /** Redis refused to go on from it, and each process limited the client for itself for as long as it was there. */
  it.each([
    ['another type', ['SET', KEY, 'x']],
    ['no number', ['HSET', KEY, 't', 'x']],
  ] as const)('is none where somebody else wrote %s', async (_, [name, ...args]) => {
    await bed.server.call(name, ...args);
    const [a, b] = [limiterOf(SLOW), limiterOf(SLOW)];
    expect(await passes(a, 3)).toBe(3);
    expect(await passes(b, 3)).toBe(2);
    expect([...a.without, ...b.without]).toEqual([]);
    expect(Number(await bed.server.call('PTTL', KEY))).toBeGreaterThan(0);
  });

  async function hash(): Promise<Record<string, string>> {
    const flat = (await bed.server.call('HGETALL', KEY)) as string[];
    return Object.fromEntries(flat.flatMap((text, i) => (i % 2 === 0 ? [[text, flat[i + 1] ?? '']] : [])));
  }
});

describe('one limit', () => {
  it('holds over processes, for single requests and for batches', async () => {
    const [a, b] = [limiterOf(SLOW), limiterOf(SLOW)];
    expect(await passes(a, 2)).toBe(2);
    expect((await take(b, ALICE, METHOD, METHOD, METHOD, METHOD)).map(({ allowed }) => allowed)).toEqual([
      true,
      true,
      true,
      false,
    ]);
    expect(await passes(a, 1)).toBe(0);
  });

  it('holds for whatever is asked at the same time', async () => {
    const [a, b] = [limiterOf(SLOW), limiterOf(SLOW)];
    const decisions = await Promise.all(Array.from({ length: 200 }, (_, i) => take(i % 2 ? a : b, ALICE)));
    expect(decisions.flat().filter(({ allowed }) => allowed)).toHaveLength(5);
    expect([...a.without, ...b.without]).toEqual([]);
  });

  it('does not depend on the clocks of processes', () => {
    const told: unknown[] = [];
    for (const ahead of [0, 3_600_000, -86_400_000]) {
      const clock = new Clock();
      clock.ms += ahead;
      const spy: StageRedis = {
        key: (...parts) => parts.join(':'),
        command: () => Promise.reject(new Error('no command was to be asked')),
        usable: true,
        configured: true,
        run: (_, ...question) => Promise.resolve(told.push(question)),
      };
      void limiterOf({ ...SLOW, perMinute: 7 }, spy, clock).take(ALICE, [METHOD]);
    }
    expect(told).toHaveLength(3);
    expect(told[1]).toEqual(told[0]);
    expect(told[2]).toEqual(told[0]);
  });

  it('needs no more of Redis than the rights we ask for', async () => {
    const rights = '~test:* -@all +@read +@write +@connection +@transaction +@scripting +time -@dangerous +info';
    await bed.server.call('ACL', 'SETUSER', 'balancer', 'on', '>secret', ...rights.split(' '));
    bed.shared.apply(undefined);
    bed.connect({ username: 'balancer', password: 'secret' });
    await eventually(() => bed.shared.usable);
    const limiter = limiterOf(SLOW);
    expect(await passes(limiter, 7)).toBe(5);
    expect(limiter.without).toEqual([]);
  });

  it('survives that Redis forgets the script', async () => {
    const limiter = limiterOf(SLOW);
    expect(await passes(limiter, 2)).toBe(2);
    await bed.server.call('SCRIPT', 'FLUSH');
    expect(await passes(limiter, 5)).toBe(3);
    expect(limiter.without).toEqual([]);
  });
});

describe('a client that has nothing left', () => {
  it('costs Redis nothing until its time, and is told when that is', async () => {
    const clock = new Clock();
    const limiter = limiterOf({ ...SLOW, perMinute: 60_000, burst: 20 }, bed.stage, clock);
    await take(limiter, ALICE, ...Array<string>(20).fill(METHOD));
    const before = await bed.runs();
    for (let i = 0; i < 50; i++) expect(limiter.take(ALICE, [METHOD])).toMatchObject([{ retryAfterMs: 1 }]);
    expect(limiter.take(ALICE, [METHOD, METHOD])).toMatchObject([{ allowed: false }, { allowed: false }]);
    expect(await bed.runs()).toBe(before);
    clock.ms += 1;
    await sleep(2);
    expect((await take(limiter, ALICE, METHOD, METHOD)).map(({ allowed }) => allowed)[0]).toBe(true);
    expect(await bed.runs()).toBe(before + 1);
  });

  it('is asked about again when any item of a batch may pass', async () => {
    const limiter = limiterOf({ ...SLOW, methods: { eth_getLogs: { perMinute: 1, burst: 1 } } });
    const first = await take(limiter, ALICE, 'eth_getLogs', 'eth_getLogs', METHOD);
    expect(first.map(({ allowed }) => allowed)).toEqual([true, false, true]);
    const before = await bed.runs();
    expect(limiter.take(ALICE, ['eth_getLogs', 'eth_getLogs'])).not.toBeInstanceOf(Promise);
    expect(await bed.runs()).toBe(before);
    const second = await take(limiter, ALICE, 'eth_getLogs', METHOD);
    expect(second.map(({ allowed }) => allowed)).toEqual([false, true]);
    expect(await bed.runs()).toBe(before + 1);
  });

  it('may still call what is free, and Redis is not asked for that', async () => {
    const limiter = limiterOf({ ...SLOW, cost: { eth_chainId: 0 } });
    expect(await passes(limiter, 6)).toBe(5);
    const before = await bed.runs();
    expect(limiter.take(ALICE, ['eth_chainId', METHOD])).toMatchObject([{ allowed: true }, { allowed: false }]);
    expect(await bed.runs()).toBe(before);
  });

  it('is known whatever order the answers come in', async () => {
    const answers: (() => void)[] = [];
    const { stage } = bed;
    const slow: StageRedis = {
      key: (...parts) => stage.key(...parts),
      command: (...question) => stage.command(...question),
      usable: true,
      configured: true,
      run: async (...question) => {
        const answer = await stage.run(...question);
        await new Promise<void>((resolve) => answers.push(resolve));
        return answer;
      },
    };
    const limiter = limiterOf(SLOW, slow);
    const asked = Array.from({ length: 5 }, () => take(limiter, ALICE));
    await eventually(() => answers.length === 5);
    answers.pop()?.();
    await asked[4];
    expect(limiter.take(ALICE, [METHOD])).toMatchObject([{ allowed: false }]);
    for (const answer of answers) answer();
    expect((await Promise.all(asked)).flat().filter(({ allowed }) => allowed)).toHaveLength(5);
    expect(limiter.take(ALICE, [METHOD])).toMatchObject([{ allowed: false }]);
  });

  it('has its burst again when Redis has started anew, once it may be asked about', async () => {
    const clock = new Clock();
    const limiter = limiterOf(SLOW, bed.stage, clock);
    expect(await passes(limiter, 6)).toBe(5);
    await bed.server.call('FLUSHALL');
    expect(await passes(limiter, 1)).toBe(0);
    clock.ms += 60_000;
    expect((await take(limiter, ALICE))[0]).toMatchObject({ allowed: true, remaining: 4 });
    expect(await passes(limiter, 6)).toBe(4);
  });
});

describe('without Redis', () => {
  async function die(): Promise<void> {
    await bed.server.kill();
    await eventually(() => !bed.shared.usable);
  }

  it('local: each goes on from what Redis told last, and Redis counts again when it is back', async () => {
    const [a, b] = [limiterOf(SLOW), limiterOf(SLOW)];
    expect(await passes(a, 3)).toBe(3);
    await die();
    expect(await passes(a, 10)).toBe(2);
    expect(await passes(b, 10)).toBe(5);
    expect(a.without).toEqual(Array(10).fill('local 1'));
    await bed.server.restart();
    await eventually(() => bed.shared.usable);
    expect(await passes(limiterOf(SLOW), 10)).toBe(5);
    expect(await bed.server.keys()).toEqual([KEY]);
  });

  it('open: nothing is limited', async () => {
    const limiter = limiterOf({ ...SLOW, onRedisFailure: 'open' });
    expect(await passes(limiter, 6)).toBe(5);
    await die();
    expect(await take(limiter, ALICE, METHOD, METHOD)).toEqual([{ allowed: true }, { allowed: true }]);
    expect(limiter.without).toEqual(['open 2']);
  });

  it('closed: whoever has a limit is refused for a second, what is free is not', async () => {
    const limiter = limiterOf({
      ...SLOW,
      onRedisFailure: 'closed',
      cost: { eth_chainId: 0 },
      overrides: [{ cidrs: [BOB.address], unlimited: true }],
    });
    await die();
    expect(await take(limiter, ALICE, METHOD, 'eth_chainId')).toMatchObject([
      { allowed: false, retryAfterMs: 1000, bucket: 'total', limit: 1 },
      { allowed: true },
    ]);
    expect(await take(limiter, BOB, METHOD)).toEqual([{ allowed: true }]);
    expect(await passes(limiter, 3)).toBe(0);
  });

  it('closed: the limit of a method is one', async () => {
    const methods = { eth_getLogs: { perMinute: 60 } };
    const limiter = limiterOf({ onRedisFailure: 'closed', methods });
    await die();
    expect(await take(limiter, ALICE, METHOD, 'eth_getLogs')).toMatchObject([
      { allowed: true },
      { allowed: false, retryAfterMs: 1000, bucket: 'method', limit: 60 },
    ]);
  });

  it('that does not answer in time, it is as without', async () => {
    const limiter = limiterOf({ ...SLOW, redisTimeoutMs: 100 });
    bed.server.freeze();
    try {
      expect(await passes(limiter, 10)).toBe(5);
      expect(limiter.without).toHaveLength(10);
    } finally {
      bed.server.thaw();
    }
  });

  it('that has no memory left, it is as without', async () => {
    const limiter = limiterOf(SLOW);
    expect(await passes(limiter, 2)).toBe(2);
    await bed.server.call('CONFIG', 'SET', 'maxmemory', '1mb');
    expect(await passes(limiter, 10)).toBe(3);
    expect(limiter.without).toEqual(Array(3).fill('local 1'));
    expect(bed.shared.usable).toBe(true);
  });

  it('because none is configured any more, nobody waits for one, and it is asked when there is one again', async () => {
    const limiter = limiterOf(SLOW);
    expect(await passes(limiter, 3)).toBe(3);
    bed.shared.apply(undefined);
    expect(limiter.take(ALICE, [METHOD])).toMatchObject([{ allowed: true, remaining: 1 }]);
    expect(limiter.without).toEqual([]);
    bed.connect();
    await eventually(() => bed.shared.usable);
    expect(await passes(limiter, 5)).toBe(2);
  });
});
