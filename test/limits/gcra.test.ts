import fc from 'fast-check';
import { fits, FULL, remaining, resetMs, retryAfterMs, tatAfter, toBucket } from '../../runtime/limits/gcra';

const HOUR_MS = 3_600_000;

test('a rested caller has exactly the burst at once, also where intervals are no exact numbers', () => {
  for (const perMinute of [1, 7, 59, 1000, 99_991, 6e6]) {
    for (const burst of [1, 3, 20, 1666]) {
      const bucket = toBucket(perMinute, burst);
      let tat = FULL;
      for (let taken = 0; taken < burst; taken++) {
        expect(remaining(bucket, tat, 5)).toBe(burst - taken);
        tat = tatAfter(bucket, tat, 1, 5);
        expect(fits(bucket, tat, 5)).toBe(true);
      }
      expect(remaining(bucket, tat, 5)).toBe(0);
      expect(fits(bucket, tatAfter(bucket, tat, 1, 5), 5)).toBe(false);
    }
  }
});

test('in any window t minutes long, perMinute * t * 1.02 + burst is not exceeded, and perMinute is reached', () => {
  const steps = fc.array(
    fc.record({ waitMs: fc.double({ min: 0, max: 700, noNaN: true }), cost: fc.constantFrom(1, 2, 5) }),
    {
      minLength: 20,
      maxLength: 400,
    },
  );
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100_000 }),
      fc.integer({ min: 5, max: 500 }),
      steps,
      (perMinute, burst, calls) => {
        const bucket = toBucket(perMinute, burst);
        const passed: { at: number; cost: number }[] = [];
        let tat = FULL;
        let now = 0;
        for (const { waitMs, cost } of calls) {
          now += waitMs;
          const after = tatAfter(bucket, tat, cost, now);
          if (!fits(bucket, after, now)) continue;
          tat = after;
          passed.push({ at: now, cost });
        }
        for (const [first, { at: start }] of passed.entries()) {
          let units = 0;
          for (const { at, cost } of passed.slice(first)) {
            units += cost;
            expect(units).toBeLessThanOrEqual((perMinute * (at - start) * 1.02) / 60_000 + burst);
          }
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('an eager caller gets the whole rate, no less', () => {
  const bucket = toBucket(600, 20);
  let tat = FULL;
  let passed = 0;
  for (let now = 0; now <= 60_000; now += 10) {
    const after = tatAfter(bucket, tat, 1, now);
    if (!fits(bucket, after, now)) continue;
    tat = after;
    passed++;
  }
  expect(passed).toBe(620);
});

test('after the told wait the same call passes, and a millisecond of its interval earlier it does not', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 6000 }),
      fc.integer({ min: 5, max: 100 }),
      fc.integer({ min: 1, max: 5 }),
      fc.nat(HOUR_MS),
      (perMinute, burst, cost, now) => {
        const bucket = toBucket(perMinute, burst);
        const tat = now + bucket.toleranceMs;
        const wait = retryAfterMs(bucket, tatAfter(bucket, tat, cost, now), now);
        expect(fits(bucket, tatAfter(bucket, tat, cost, now + wait), now + wait)).toBe(true);
        const early = now + wait - 1 - bucket.intervalMs / 100;
        expect(fits(bucket, tatAfter(bucket, tat, cost, early), early)).toBe(false);
      },
    ),
  );
});

test('a cost above the burst never fits', () => {
  const bucket = toBucket(60, 20);
  expect(fits(bucket, tatAfter(bucket, FULL, 21, 0), 0)).toBe(false);
  expect(fits(bucket, tatAfter(bucket, FULL, 20, 0), 0)).toBe(true);
});

test('tells when the bucket is full again', () => {
  const bucket = toBucket(60, 20);
  expect(resetMs(FULL, 0)).toBe(0);
  expect(resetMs(tatAfter(bucket, FULL, 3, 0), 500)).toBe(2500);
});
