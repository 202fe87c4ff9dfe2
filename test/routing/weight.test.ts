import fc from 'fast-check';
import { ProportionalWeights } from '../../runtime/routing/proportional-weights';
import { equalWeights, type Observation, type Observed, type WeightPolicy } from '../../runtime/routing/weight';

const LIMITS = { maxBlockAgeMs: 150_000, maxLatencyMs: 3000 };
/** Where an old program would have put milliseconds in 32 bits, or in a float of 32 bits with steps of two minutes. */
const NOW = 1_900_000_000_000;

const ok = (latencyMs: number, ageMs = 5000): Observation => ({
  answered: true,
  blockNumber: 20_000_000,
  blockTime: NOW - ageMs,
  latencyMs,
});
const failed: Observation = { answered: false, reason: 'no answer within 4000 ms' };

function weigh(policy: WeightPolicy, observations: readonly Observation[], now = NOW): number[] {
  return policy(named(observations), now).map(({ weight }) => weight);
}

function named(observations: readonly Observation[]): Observed[] {
  return observations.map((observation, index) => ({ name: `s${index}`, observation }));
}

const proportional = (smoothingMs = 0): WeightPolicy => new ProportionalWeights({ ...LIMITS, smoothingMs }).decide;

describe('equal', () => {
  const equal = equalWeights(LIMITS);

  it.each<[string, Observation, number, string]>([
    ['healthy', ok(20), 100, 'healthy'],
    ['slow, but not too slow', ok(2999.9), 100, 'healthy'],
    ['as slow as the limit', ok(3000), 0, 'latency of 3000 ms'],
    ['with a block just young enough', ok(20, 149_999), 100, 'healthy'],
    ['with a block as old as the limit', ok(20, 150_000), 0, 'newest block is 150 s old'],
    ['with a block from the future', ok(20, -60_000), 100, 'healthy'],
    ['that failed', failed, 0, 'no answer within 4000 ms'],
    ['whose block has no time', ok(20, NaN), 0, 'newest block is NaN s old'],
    ['whose latency is no number', ok(NaN), 0, 'latency of NaN ms'],
  ])('a server %s', (_, observation, weight, reason) => {
    const [, one] = equal(named([ok(10), observation]), NOW);
    expect(one).toEqual({ weight, reason, healthy: weight > 0 });
  });

  it('gives everybody 100 where nobody is healthy', () => {
    const all = equal(named([ok(20, 200_000), failed, ok(5000)]), NOW);
    expect(all.map(({ weight }) => weight)).toEqual([100, 100, 100]);
    expect(all[1]?.reason).toBe('no server is healthy; this one: no answer within 4000 ms');
  });
});

describe('proportional', () => {
  it('gives shares in proportion to speed', () => {
    expect(weigh(proportional(), [ok(50), ok(50), ok(500)])).toEqual([256, 256, 26]);
    expect(weigh(proportional(), [ok(50), ok(100), ok(200)])).toEqual([256, 128, 64]);
  });

  it('does not tell apart what nobody notices', () => {
    expect(weigh(proportional(), [ok(0), ok(40), ok(44)])).toEqual([256, 256, 233]);
  });

  it('halves the share of a server that is a block behind, and no more', () => {
    expect(weigh(proportional(), [ok(50), ok(50), ok(50, 5000 + 12_000)])).toEqual([256, 256, 129]);
  });

  it('lets one server with invented or early blocks put nobody behind', () => {
    expect(weigh(proportional(), [ok(50), ok(50), ok(50, -1_000_000)])).toEqual([256, 256, 256]);
    expect(weigh(proportional(), [ok(50, 17_000), ok(50, 17_000), ok(50)])).toEqual([256, 256, 256]);
  });

  it('takes the slowest healthy server there can be for more than nothing', () => {
    expect(weigh(proportional(), [ok(1), ok(1), ok(2999, 149_000)])).toEqual([256, 256, 2]);
  });

  it('gives an unhealthy server nothing at once, and a healthy one its share at once', () => {
    const policy = proportional(60_000);
    expect(weigh(policy, [ok(50), ok(50)])).toEqual([256, 256]);
    expect(weigh(policy, [ok(50), failed], NOW + 5000)).toEqual([256, 0]);
    expect(weigh(policy, [ok(50), ok(50)], NOW + 10_000)).toEqual([256, 256]);
  });

  it('lets a server that was too slow come back little by little', () => {
    const policy = proportional(60_000);
    // Blocks that stay fresh while the policy's clock goes on.
    const fresh = -1_000_000;
    weigh(policy, [ok(50, fresh), ok(4000, fresh)]);
    const shares = Array.from(
      { length: 60 },
      (_, round) => weigh(policy, [ok(50, fresh), ok(50, fresh)], NOW + (round + 1) * 5000)[1],
    );
    expect(shares[0]).toBeLessThan(10);
    expect(shares.at(-1)).toBeGreaterThan(200);
    expect(shares).toEqual([...shares].sort((a = 0, b = 0) => a - b));
  });

  it('keeps a weight that is off by less than a quarter', () => {
    const policy = proportional();
    expect(weigh(policy, [ok(50), ok(100)])).toEqual([256, 128]);
    expect(weigh(policy, [ok(50), ok(120)])).toEqual([256, 128]);
    expect(weigh(policy, [ok(50), ok(82)])).toEqual([256, 128]);
    expect(weigh(policy, [ok(50), ok(126)])).toEqual([256, 102]);
  });

  it('gives everybody 100 on an idle chain, and shares again after the next block', () => {
    const policy = proportional();
    expect(weigh(policy, [ok(50, 200_000), ok(500, 200_000)])).toEqual([100, 100]);
    expect(weigh(policy, [ok(50), ok(500)])).toEqual([256, 26]);
  });

  it('forgets servers that are gone', () => {
    const policy = proportional(60_000);
    weigh(policy, [ok(50), ok(2000)]);
    weigh(policy, [ok(50)], NOW + 5000);
    expect(weigh(policy, [ok(50), ok(50)], NOW + 10_000)).toEqual([256, 256]);
  });
});

describe('both, whatever the servers do', () => {
  const number = fc.oneof(
    fc.double({ min: 0, max: 10_000, noNaN: true }),
    fc.constantFrom(0, -0, -1, NaN, Infinity, -Infinity, Number.MAX_VALUE, Number.MIN_VALUE, 2999.999, 3000),
  );
  const age = fc.oneof(
    fc.integer({ min: -1_000_000, max: 1_000_000 }),
    fc.constantFrom(NaN, Infinity, -Infinity, 150_000, 149_999, 0),
  );
  const observation = fc.oneof(
    { weight: 5, arbitrary: fc.tuple(number, age).map(([latencyMs, ageMs]) => ok(latencyMs, ageMs)) },
    { weight: 1, arbitrary: fc.constant(failed) },
  );
  const rounds = fc
    .integer({ min: 1, max: 6 })
    .chain((size) =>
      fc.array(fc.array(observation, { minLength: size, maxLength: size }), { minLength: 1, maxLength: 8 }),
    );

  const isHealthy = (one: Observation, now: number): boolean =>
    one.answered && now - one.blockTime < LIMITS.maxBlockAgeMs && one.latencyMs < LIMITS.maxLatencyMs;

  const policies: [string, () => WeightPolicy][] = [
    ['equal', () => equalWeights(LIMITS)],
    ['proportional', () => proportional(60_000)],
    ['proportional without smoothing', () => proportional(0)],
  ];

  it.each(policies)(
    '%s: whole numbers 0 to 256; healthy is above 0, unhealthy 0, nobody healthy 100 each',
    (_, create) => {
      fc.assert(
        fc.property(rounds, fc.integer({ min: -10_000, max: 60_000 }), (all, stepMs) => {
          const policy = create();
          for (const [round, observations] of all.entries()) {
            const now = NOW + round * stepMs;
            const weights = weigh(policy, observations, now);
            expect(weights).toHaveLength(observations.length);
            const anybody = observations.some((one) => isHealthy(one, now));
            for (const [index, weight] of weights.entries()) {
              expect(Number.isInteger(weight) && weight >= 0 && weight <= 256).toBe(true);
              const one = observations[index];
              if (!anybody) expect(weight).toBe(100);
              else expect(weight > 0).toBe(one !== undefined && isHealthy(one, now));
            }
          }
        }),
        { numRuns: 500 },
      );
    },
  );
});
