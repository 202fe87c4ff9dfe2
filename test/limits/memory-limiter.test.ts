import fc from 'fast-check';
import { compileLimitPolicy } from '../../runtime/limits/limit-policy';
import { createMemoryLimiter, type MemoryLimiter } from '../../runtime/limits/memory-limiter';
import { createRateLimiter, type Decision, type LimitedClient } from '../../runtime/limits/rate-limiter';
import { limitsConfig } from './limits-config';

const EPOCH_MS = 1_750_000_000_000;

class Clock {
  ms = EPOCH_MS;
  readonly now = (): number => this.ms;
}

function client(address: string): LimitedClient {
  return { key: address, address };
}

const ALICE = client('203.0.113.7');
const BOB = client('203.0.113.8');

type Limits = Parameters<typeof limitsConfig>[0];

function limiterOf(config: Limits, clock = new Clock(), maxClients?: number): MemoryLimiter {
  const policy = compileLimitPolicy(limitsConfig(config));
  if (policy === undefined) throw new Error('no limits');
  return createMemoryLimiter(policy, clock.now, maxClients);
}

function takeMany(limiter: MemoryLimiter, who: LimitedClient, method: string, times: number): Decision[] {
  return Array.from({ length: times }, () => takeOne(limiter, who, method));
}

function takeOne(limiter: MemoryLimiter, who: LimitedClient, method: string): Decision {
  const [decision] = limiter.take(who, [method]);
  if (decision === undefined) throw new Error('no decision');
  return decision;
}

const countAllowed = (decisions: readonly Decision[]): number => decisions.filter(({ allowed }) => allowed).length;

test('is off when nothing is limited, and on when something is', () => {
  expect(createRateLimiter(limitsConfig({}), Date.now)).toBeUndefined();
  expect(createRateLimiter(limitsConfig({ perMinute: 60 }), Date.now)).toBeDefined();
});

describe('a client', () => {
  test('has its burst, then its rate, and each its own', () => {
    const clock = new Clock();
    const limiter = limiterOf({ perMinute: 60, burst: 3 }, clock);
    expect(takeMany(limiter, ALICE, 'eth_call', 4)).toEqual([
      { allowed: true, bucket: 'total', limit: 60, burst: 3, remaining: 2, resetMs: 1000 },
      { allowed: true, bucket: 'total', limit: 60, burst: 3, remaining: 1, resetMs: 2000 },
      { allowed: true, bucket: 'total', limit: 60, burst: 3, remaining: 0, resetMs: 3000 },
      { allowed: false, bucket: 'total', limit: 60, burst: 3, remaining: 0, resetMs: 3000, retryAfterMs: 1000 },
    ]);
    expect(countAllowed(takeMany(limiter, BOB, 'eth_call', 4))).toBe(3);
    clock.ms += 999;
    expect(takeOne(limiter, ALICE, 'eth_call')).toMatchObject({ allowed: false, retryAfterMs: 1 });
    clock.ms += 1;
    expect(countAllowed(takeMany(limiter, ALICE, 'eth_call', 2))).toBe(1);
  });

  test('keeps to 50 million a minute on a clock that counts from 1970', () => {
    const clock = new Clock();
    const limiter = limiterOf({ perMinute: 50_000_000, burst: 20 }, clock);
    const methods = Array.from({ length: 1000 }, () => 'eth_call');
    let passed = 0;
    for (let i = 0; i < 100; i++) {
      clock.ms += 0.25;
      passed += countAllowed(limiter.take(ALICE, methods));
    }
    // 24.75 ms after the first burst of 20, at 833.3 a millisecond; no more than 20 at a time are there.
    expect(passed).toBe(2000);
  });

  test('that is not over its limit is told of the bucket that is nearest to its end', () => {
    const limiter = limiterOf({ perMinute: 600, methods: { eth_getLogs: { perMinute: 30, burst: 2 } } });
    expect(takeOne(limiter, ALICE, 'eth_getLogs')).toMatchObject({ bucket: 'method', limit: 30, remaining: 1 });
    expect(takeOne(limiter, ALICE, 'eth_call')).toMatchObject({ bucket: 'total', limit: 600, remaining: 98 });
  });

  test('without a limit is told of none', () => {
    const limiter = limiterOf({ methods: { eth_getLogs: { perMinute: 30 } } });
    expect(takeMany(limiter, ALICE, 'eth_call', 100)).toEqual(Array(100).fill({ allowed: true }));
  });
});

describe('one step', () => {
  const config: Limits = {
    perMinute: 60,
    burst: 10,
    methods: { eth_getLogs: { perMinute: 6, burst: 2 } },
    cost: { eth_getLogs: 3 },
  };

  test('a request refused for its method costs nothing of the total', () => {
    const limiter = limiterOf(config);
    expect(countAllowed(takeMany(limiter, ALICE, 'eth_getLogs', 100))).toBe(2);
    expect(takeOne(limiter, ALICE, 'eth_getLogs')).toMatchObject({
      allowed: false,
      bucket: 'method',
      retryAfterMs: 10_000,
    });
    expect(countAllowed(takeMany(limiter, ALICE, 'eth_call', 100))).toBe(10 - 2 * 3);
  });

  test('a request refused for the total costs nothing of its method', () => {
    const clock = new Clock();
    const limiter = limiterOf(config, clock);
    takeMany(limiter, ALICE, 'eth_call', 10);
    expect(takeOne(limiter, ALICE, 'eth_getLogs')).toMatchObject({
      allowed: false,
      bucket: 'total',
      retryAfterMs: 3000,
    });
    takeMany(limiter, ALICE, 'eth_getLogs', 100);
    clock.ms += 6000;
    expect(countAllowed(takeMany(limiter, ALICE, 'eth_getLogs', 3))).toBe(2);
  });

  test('refused by both, the longer wait is told', () => {
    const limiter = limiterOf(config);
    takeMany(limiter, ALICE, 'eth_getLogs', 2);
    takeMany(limiter, ALICE, 'eth_call', 4);
    expect(takeOne(limiter, ALICE, 'eth_getLogs')).toMatchObject({ bucket: 'method', retryAfterMs: 10_000 });
    expect(takeOne(limiter, ALICE, 'eth_call')).toMatchObject({ bucket: 'total', retryAfterMs: 1000 });
  });

  test('the items of a batch count in order, and one refused does not stop those after it', () => {
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
    const decided = limiter.take(ALICE, batch).map(({ allowed, bucket }) => (allowed ? 'yes' : bucket));
    expect(decided).toEqual(['yes', 'yes', 'method', 'yes', 'yes', 'yes', 'yes', 'total']);
  });

  test('a batch is decided as its items would be one by one', () => {
    const calls = fc.array(fc.constantFrom('eth_call', 'eth_getLogs', 'eth_chainId'), { maxLength: 40 });
    fc.assert(
      fc.property(calls, (methods) => {
        const alone = limiterOf(config);
        expect(limiterOf(config).take(ALICE, methods)).toEqual(methods.map((method) => takeOne(alone, ALICE, method)));
      }),
    );
  });

  test('a free method is never refused', () => {
    const limiter = limiterOf({ perMinute: 60, burst: 1, cost: { eth_chainId: 0 } });
    takeMany(limiter, ALICE, 'eth_call', 5);
    expect(countAllowed(takeMany(limiter, ALICE, 'eth_chainId', 50))).toBe(50);
  });
});

describe('memory', () => {
  test('however many addresses come, 100 000 are remembered', () => {
    const clock = new Clock();
    const limiter = limiterOf({ perMinute: 60, methods: { eth_call: { perMinute: 6 } } }, clock);
    let most = 0;
    for (let i = 0; i < 250_000; i++) {
      if (i % 100 === 0) clock.ms += 1;
      limiter.take(client(`${i}`), METHODS);
      most = Math.max(most, limiter.size);
    }
    expect(most).toBe(100_000);
  });

  test('clients whose buckets are full again are dropped', () => {
    const clock = new Clock();
    const limiter = limiterOf({ perMinute: 60 }, clock);
    for (let i = 0; i < 1000; i++) limiter.take(client(`old ${i}`), METHODS);
    expect(limiter.size).toBe(1000);
    clock.ms += 60_000;
    for (let i = 0; i < 600; i++) limiter.take(client(`new ${i}`), METHODS);
    expect(limiter.size).toBe(600);
  });

  test('a client that comes back rested has its burst once', () => {
    const clock = new Clock();
    const limiter = limiterOf({ perMinute: 60, burst: 3 }, clock);
    takeMany(limiter, ALICE, 'eth_call', 3);
    clock.ms += 60_000;
    expect(countAllowed(takeMany(limiter, ALICE, 'eth_call', 10))).toBe(3);
  });

  test('when full, the least recently used client goes and the others stay limited', () => {
    const limiter = limiterOf({ perMinute: 60, burst: 1 }, new Clock(), 3);
    const [a, b, c, d] = [client('a'), client('b'), client('c'), client('d')];
    for (const each of [a, b, c]) takeOne(limiter, each, 'eth_call');
    expect(takeOne(limiter, a, 'eth_call').allowed).toBe(false);
    takeOne(limiter, d, 'eth_call');
    expect(limiter.size).toBe(3);
    for (const kept of [a, c, d]) expect(takeOne(limiter, kept, 'eth_call').allowed).toBe(false);
    expect(takeOne(limiter, b, 'eth_call').allowed).toBe(true);
  });

  const METHODS = ['eth_call'];
});

test('a clock that steps back an hour locks nobody out', () => {
  const clock = new Clock();
  const limiter = limiterOf({ perMinute: 60, burst: 20 }, clock);
  clock.ms += 3_600_000;
  takeMany(limiter, ALICE, 'eth_call', 20);
  clock.ms -= 7_200_000;
  expect(takeOne(limiter, ALICE, 'eth_call')).toMatchObject({ allowed: false, retryAfterMs: 1000 });
  clock.ms += 1000;
  expect(takeOne(limiter, ALICE, 'eth_call').allowed).toBe(true);
});

test('overrides by network apply to the client as it is first seen', () => {
  const limiter = limiterOf({ perMinute: 60, overrides: [{ cidrs: ['203.0.113.8/32'], unlimited: true }] });
  expect(countAllowed(takeMany(limiter, ALICE, 'eth_call', 1000))).toBe(20);
  expect(countAllowed(takeMany(limiter, BOB, 'eth_call', 1000))).toBe(1000);
});
