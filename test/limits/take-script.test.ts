import fc from 'fast-check';
import { compileLimitPolicy } from '../../runtime/limits/limit-policy';
import { type Buckets, takeAll } from '../../runtime/limits/take';
import { TAKE, toBuckets, toQuestion } from '../../runtime/limits/take-script';
import { ALICE, Clock, withClock } from './clients';
import { limitsConfig } from './limits-config';
import { RedisBed } from './redis-bed';

/** What the script counts its milliseconds from, in seconds since 1970. */
const BASE_S = Date.UTC(2026, 0, 1) / 1000;
const DEADLINE_MS = 10_000;
/** A double of that size is finer than that, and one call is always longer. */
const FINE_MS = 1e-5;

let bed: RedisBed;
beforeAll(async () => (bed = await RedisBed.start()));
afterAll(async () => bed.stop());

const perMinute = fc.integer({ min: 1, max: 1_000_000 });
const rate = fc.record({ perMinute, burst: fc.integer({ min: 5, max: 60 }) });
const methods = ['a', 'b', 'c'];
const rates = fc.record({
  total: fc.option(rate, { nil: undefined }),
  methods: fc.dictionary(fc.constantFrom(...methods), rate),
  cost: fc.dictionary(fc.constantFrom(...methods), fc.integer({ min: 0, max: 5 })),
});
const step = fc.record({
  waitMs: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 5000, noNaN: true })),
  calls: fc.array(fc.constantFrom(...methods), { minLength: 1, maxLength: 120 }),
});

test('Redis and this process do the same sums', async () => {
  const decided = { allowed: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(rates, fc.array(step, { minLength: 1, maxLength: 6 }), async ({ total, ...others }, steps) => {
      const policy = compileLimitPolicy(limitsConfig({ ...total, ...others }))?.forAddress(ALICE.address);
      if (policy === undefined) return;
      const clock = new Clock();
      const redis = withClock(bed.freshStage(), clock);
      const key = redis.key('limit', ALICE.key);
      for (const { waitMs, calls } of steps) {
        clock.ms = Math.round((clock.ms + waitMs) * 1000) / 1000;
        const question = toQuestion(policy, calls);
        if (question.args[0] === 0) continue;
        const here = toBuckets(policy, question, await redis.run(DEADLINE_MS, TAKE, [key], question.args));
        if (here === undefined) throw new Error('no answer');
        for (const { allowed } of takeAll(here, calls, 0)) decided[allowed ? 'allowed' : 'refused']++;
        for (const [field, ahead] of fieldsOf(here)) {
          const stored = (await redis.command(DEADLINE_MS, 'HGET', key, field)) as string | null;
          const there = stored === null ? 0 : Math.max(0, Number(stored) - scriptTime(clock));
          expect(Math.abs(there - ahead)).toBeLessThan(FINE_MS);
        }
      }
    }),
    { numRuns: 200 },
  );
  expect(decided.allowed).toBeGreaterThan(1000);
  expect(decided.refused).toBeGreaterThan(1000);
});

/** From whole seconds and microseconds, as the script finds it: milliseconds since 1970 are too coarse. */
function scriptTime({ ms }: Clock): number {
  const micros = Math.round(ms * 1000);
  return (Math.floor(micros / 1e6) - BASE_S) * 1000 + (micros % 1e6) / 1000;
}

function fieldsOf({ policy, total, methods: tats }: Buckets): [field: string, ahead: number][] {
  const own = [...policy.methods].map(([name, { slot }]): [string, number] => [`m:${name}`, tats?.[slot] ?? 0]);
  return [['t', total] as [string, number], ...own].filter(([, ahead]) => Number.isFinite(ahead));
}
