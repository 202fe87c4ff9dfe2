import { ProportionalWeights } from '../../runtime/routing/proportional-weights';

/**
 * An hour as providers have it: latencies are log-normal around a median of their own, one answer in a hundred takes
 * ten to forty times as long, blocks come every 12 s and reach each server up to 800 ms later. A weight that followed
 * each answer would change in nearly every round.
 */
const ROUNDS = 720;
const INTERVAL_MS = 5000;
const START = 1_800_000_000_000;

interface Profile {
  readonly name: string;
  readonly medianMs: number;
  /** Of the logarithm; 0.3 is a coefficient of variation of about 31 %. */
  readonly sigma: number;
}

const PROFILES: readonly Profile[] = [
  { name: 'fast', medianMs: 50, sigma: 0.3 },
  { name: 'equal', medianMs: 60, sigma: 0.3 },
  { name: 'slow', medianMs: 500, sigma: 0.4 },
];

/** mulberry32: the same hour each time. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function simulate(smoothingMs: number, seed: number) {
  const random = seeded(seed);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const policy = new ProportionalWeights({ maxBlockAgeMs: 150_000, maxLatencyMs: 3000, smoothingMs });
  const changes = new Map(PROFILES.map(({ name }) => [name, 0]));
  const sums = new Map(PROFILES.map(({ name }) => [name, 0]));
  let unhealthy = 0;
  let last: readonly number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const now = START + round * INTERVAL_MS;
    const servers = PROFILES.map(({ name, medianMs, sigma }) => {
      const spike = random() < 0.01 ? 10 + 30 * random() : 1;
      const latencyMs = medianMs * Math.exp(sigma * normal()) * spike;
      const blockNumber = Math.floor((now - START - 800 * random()) / 12_000);
      const blockTime = START + blockNumber * 12_000;
      return { name, observation: { answered: true as const, blockNumber, blockTime, latencyMs } };
    });
    unhealthy += servers.filter(({ observation }) => observation.latencyMs >= 3000).length;
    const weights = policy.decide(servers, now).map(({ weight }) => weight);
    for (const [index, { name }] of PROFILES.entries()) {
      const weight = weights[index] ?? 0;
      sums.set(name, (sums.get(name) ?? 0) + weight);
      if (round > 0 && weight !== last[index]) changes.set(name, (changes.get(name) ?? 0) + 1);
    }
    last = weights;
  }
  const total = [...changes.values()].reduce((sum, one) => sum + one, 0);
  const means = Object.fromEntries([...sums].map(([name, sum]) => [name, Math.round(sum / ROUNDS)]));
  return { total, changes: Object.fromEntries(changes), means, unhealthy };
}

it('weights change a few times an hour where latencies are only noisy', () => {
  const hours = [1, 2, 3].map((seed) => simulate(60_000, seed));
  for (const hour of hours) process.stdout.write(`an hour of noise: ${JSON.stringify(hour)}\n`);
  for (const { total, unhealthy, means } of hours) {
    // A spike over the limit is two changes more: out, and back.
    expect(total).toBeLessThan(40 + 2 * unhealthy);
    // A tenth of the speed is a tenth of the share, however noisy.
    const ratio = (means['fast'] ?? 0) / (means['slow'] ?? 1);
    expect(ratio).toBeGreaterThan(7);
    expect(ratio).toBeLessThan(14);
  }
});

it('would change nearly always without the mean', () => {
  expect(simulate(0, 1).total).toBeGreaterThan(500);
});
