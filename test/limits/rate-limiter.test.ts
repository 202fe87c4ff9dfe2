import fc from 'fast-check';
import type { Decision, LimitedClient } from '../../runtime/limits/decision';
import { createRateLimiter, type RateLimiter } from '../../runtime/limits/rate-limiter';
import { ALICE, BOB, Clock, withClock } from './clients';
import { limitsConfig } from './limits-config';
import { RedisBed } from './redis-bed';

type Limits = Parameters<typeof limitsConfig>[0];

let bed: RedisBed;
beforeAll(async () => (bed = await RedisBed.start()));
afterAll(async () => bed.stop());

/** A machine that is busy must not decide what is tested here. */
const PATIENT = { redisTimeoutMs: 10_000 };

const LIMITERS: Record<string, (config: Limits, clock: Clock) => RateLimiter> = {
  'in this process': (config, clock) => createRateLimiter(limitsConfig(config), clock.now),
  'in Redis': (config, clock) => {
    const redis = withClock(bed.freshStage(), clock);
    const onWithout = (how: string): never => {
      throw new Error(`decided without Redis: ${how}`);
    };
    return createRateLimiter(limitsConfig({ ...PATIENT, ...config }), clock.now, { redis, onWithout });
  },
};

async function takeAll(limiter: RateLimiter, who: LimitedClient, methods: readonly string[]) {
  const decisions = await limiter.take(who, methods);
  if (decisions === undefined) throw new Error('nothing is limited');
  return decisions;
}

async function takeOne(limiter: RateLimiter, who: LimitedClient, method: string): Promise<Decision> {
  const [decision] = await takeAll(limiter, who, [method]);
  if (decision === undefined) throw new Error('no decision');
  return decision;
}

async function takeMany(limiter: RateLimiter, who: LimitedClient, method: string, times: number): Promise<Decision[]> {
  const decisions: Decision[] = [];
  for (let i = 0; i < times; i++) decisions.push(await takeOne(limiter, who, method));
  return decisions;
}

const countAllowed = (decisions: readonly Decision[]): number => decisions.filter(({ allowed }) => allowed).length;

describe.each(Object.entries(LIMITERS))('limits %s', (_, create) => {
  const limiterOf = (config: Limits, clock = new Clock()): RateLimiter => create(config, clock);

  describe('a client', () => {
    test('has its burst, then its rate, and each its own', async () => {
      const clock = new Clock();
      const limiter = limiterOf({ perMinute: 60, burst: 3 }, clock);
      expect(await takeMany(limiter, ALICE, 'eth_call', 4)).toEqual([
        { allowed: true, bucket: 'total', limit: 60, burst: 3, remaining: 2, resetMs: 1000 },
        { allowed: true, bucket: 'total', limit: 60, burst: 3, remaining: 1, resetMs: 2000 },
        { allowed: true, bucket: 'total', limit: 60, burst: 3, remaining: 0, resetMs: 3000 },
        { allowed: false, bucket: 'total', limit: 60, burst: 3, remaining: 0, resetMs: 3000, retryAfterMs: 1000 },
      ]);
      expect(countAllowed(await takeMany(limiter, BOB, 'eth_call', 4))).toBe(3);
      clock.ms += 999;
      expect(await takeOne(limiter, ALICE, 'eth_call')).toMatchObject({ allowed: false, retryAfterMs: 1 });
      clock.ms += 1;
      expect(countAllowed(await takeMany(limiter, ALICE, 'eth_call', 2))).toBe(1);
    });

    test('keeps to 50 million a minute on a clock that counts from 1970', async () => {
      const clock = new Clock();
      const limiter = limiterOf({ perMinute: 50_000_000, burst: 20 }, clock);
      const methods = Array.from({ length: 1000 }, () => 'eth_call');
      let passed = 0;
      for (let i = 0; i < 100; i++) {
        clock.ms += 0.25;
        passed += countAllowed(await takeAll(limiter, ALICE, methods));
      }
      // 24.75 ms after the first burst of 20, at 833.3 a millisecond; no more than 20 at a time are there.
      expect(passed).toBe(2000);
    });

    test('that is not over its limit is told of the bucket that is nearest to its end', async () => {
      const limiter = limiterOf({ perMinute: 600, methods: { eth_getLogs: { perMinute: 30, burst: 2 } } });
      expect(await takeOne(limiter, ALICE, 'eth_getLogs')).toMatchObject({ bucket: 'method', limit: 30, remaining: 1 });
      expect(await takeOne(limiter, ALICE, 'eth_call')).toMatchObject({ bucket: 'total', limit: 600, remaining: 98 });
    });

    test('without a limit is told of none', async () => {
      const limiter = limiterOf({ methods: { eth_getLogs: { perMinute: 30 } } });
      expect(await takeMany(limiter, ALICE, 'eth_call', 100)).toEqual(Array(100).fill({ allowed: true }));
    });
  });

  describe('one step', () => {
    const config: Limits = {
      perMinute: 60,
      burst: 10,
      methods: { eth_getLogs: { perMinute: 6, burst: 2 } },
      cost: { eth_getLogs: 3 },
    };

    test('a request refused for its method costs nothing of the total', async () => {
      const limiter = limiterOf(config);
      expect(countAllowed(await takeMany(limiter, ALICE, 'eth_getLogs', 100))).toBe(2);
      expect(await takeOne(limiter, ALICE, 'eth_getLogs')).toMatchObject({
        allowed: false,
        bucket: 'method',
        retryAfterMs: 10_000,
      });
      expect(countAllowed(await takeMany(limiter, ALICE, 'eth_call', 100))).toBe(10 - 2 * 3);
    });

    test('a request refused for the total costs nothing of its method', async () => {
      const clock = new Clock();
      const limiter = limiterOf(config, clock);
      await takeMany(limiter, ALICE, 'eth_call', 10);
      expect(await takeOne(limiter, ALICE, 'eth_getLogs')).toMatchObject({
        allowed: false,
        bucket: 'total',
        retryAfterMs: 3000,
      });
      await takeMany(limiter, ALICE, 'eth_getLogs', 100);
      clock.ms += 6000;
      expect(countAllowed(await takeMany(limiter, ALICE, 'eth_getLogs', 3))).toBe(2);
    });

    test('refused by both, the longer wait is told', async () => {
      const limiter = limiterOf(config);
      await takeMany(limiter, ALICE, 'eth_getLogs', 2);
      await takeMany(limiter, ALICE, 'eth_call', 4);
      expect(await takeOne(limiter, ALICE, 'eth_getLogs')).toMatchObject({ bucket: 'method', retryAfterMs: 10_000 });
      expect(await takeOne(limiter, ALICE, 'eth_call')).toMatchObject({ bucket: 'total', retryAfterMs: 1000 });
    });

    test('the items of a batch count in order, and one refused does not stop those after it', async () => {
      const limiter = limiterOf(config);
      const batch = [
        'eth_getLogs',
        'eth_getLogs',
        'eth_getLogs',
        'eth_call',
        'eth_call',
        'eth_call',
        'eth_call',
        'eth_call',
      ];
      const decided = (await takeAll(limiter, ALICE, batch)).map(({ allowed, bucket }) => (allowed ? 'yes' : bucket));
      expect(decided).toEqual(['yes', 'yes', 'method', 'yes', 'yes', 'yes', 'yes', 'total']);
    });

    test('a batch is decided as its items would be one by one', async () => {
      const calls = fc.array(fc.constantFrom('eth_call', 'eth_getLogs', 'eth_chainId'), { maxLength: 40 });
      await fc.assert(
        fc.asyncProperty(calls, async (methods) => {
          const alone = limiterOf(config);
          const one: Decision[] = [];
          for (const method of methods) one.push(await takeOne(alone, ALICE, method));
          expect(await takeAll(limiterOf(config), ALICE, methods)).toEqual(one);
        }),
      );
    });

    test('a free method is never refused', async () => {
      const limiter = limiterOf({ perMinute: 60, burst: 1, cost: { eth_chainId: 0 } });
      await takeMany(limiter, ALICE, 'eth_call', 5);
      expect(countAllowed(await takeMany(limiter, ALICE, 'eth_chainId', 50))).toBe(50);
    });
  });

  test('a clock that steps back an hour locks nobody out', async () => {
    const clock = new Clock();
    const limiter = limiterOf({ perMinute: 60, burst: 20 }, clock);
    clock.ms += 3_600_000;
    await takeMany(limiter, ALICE, 'eth_call', 20);
    clock.ms -= 7_200_000;
    expect(await takeOne(limiter, ALICE, 'eth_call')).toMatchObject({ allowed: false, retryAfterMs: 1000 });
    // Redis, whose clock it is too, finds the bucket empty when it is asked next.
    clock.ms += 1000;
    await takeOne(limiter, ALICE, 'eth_call');
    clock.ms += 1001;
    expect(await takeOne(limiter, ALICE, 'eth_call')).toMatchObject({ allowed: true });
  });

  test('overrides by network apply to the client as it is first seen', async () => {
    const limiter = limiterOf({ perMinute: 60, overrides: [{ cidrs: ['203.0.113.8/32'], unlimited: true }] });
    expect(countAllowed(await takeMany(limiter, ALICE, 'eth_call', 1000))).toBe(20);
    expect(countAllowed(await takeMany(limiter, BOB, 'eth_call', 1000))).toBe(1000);
  });

  test('a client that comes back rested has its burst once', async () => {
    const clock = new Clock();
    const limiter = limiterOf({ perMinute: 60, burst: 3 }, clock);
    await takeMany(limiter, ALICE, 'eth_call', 3);
    clock.ms += 60_000;
    expect(countAllowed(await takeMany(limiter, ALICE, 'eth_call', 10))).toBe(3);
  });

  describe('other limits', () => {
    const total: Limits = { ...PATIENT, perMinute: 60, burst: 20 };
    const logs = { eth_getLogs: { perMinute: 6, burst: 5 } };
    const calls = { eth_call: { perMinute: 600, burst: 100 } };

    test('come and go, and what was used stays used', async () => {
      const clock = new Clock();
      const limiter = limiterOf({ ...total, methods: logs }, clock);
      expect(countAllowed(await takeMany(limiter, ALICE, 'eth_getLogs', 4))).toBe(4);
      limiter.apply(limitsConfig({}));
      expect(limiter.isOn).toBe(false);
      expect(await limiter.take(ALICE, ['eth_call'])).toBeUndefined();
      limiter.apply(limitsConfig({ ...total, methods: calls }));
      expect(limiter.isOn).toBe(true);
      expect(countAllowed(await takeMany(limiter, ALICE, 'eth_call', 30))).toBe(16);
      clock.ms += 5000;
      limiter.apply(limitsConfig({ ...total, methods: { ...calls, ...logs } }));
      expect(countAllowed(await takeMany(limiter, ALICE, 'eth_getLogs', 10))).toBe(1);
      limiter.apply(limitsConfig(total));
      expect(countAllowed(await takeMany(limiter, ALICE, 'eth_call', 10))).toBe(4);
    });

    test('that are wider make nobody wait for the old ones', async () => {
      const clock = new Clock();
      const limiter = limiterOf({ perMinute: 6, burst: 20, methods: { eth_call: { perMinute: 6 } } }, clock);
      expect(countAllowed(await takeMany(limiter, ALICE, 'eth_call', 30))).toBe(20);
      limiter.apply(limitsConfig({ ...PATIENT, perMinute: 600, burst: 20, methods: calls }));
      expect(countAllowed(await takeMany(limiter, ALICE, 'eth_call', 5))).toBe(0);
      // Redis learns of it when it is asked, which it is once a call may pass.
      clock.ms += 2000;
      await takeOne(limiter, ALICE, 'eth_call');
      clock.ms += 2000;
      expect(countAllowed(await takeMany(limiter, ALICE, 'eth_call', 30))).toBe(20);
    });
  });

  test('no limits are no decisions', async () => {
    const limiter = limiterOf({});
    expect(limiter.isOn).toBe(false);
    expect(await limiter.take(ALICE, ['eth_call'])).toBeUndefined();
  });
});
