import { RetryBudget } from '../../runtime/upstream/retry-budget';

function repeats(budget: RetryBudget, most = 10_000): number {
  let count = 0;
  while (count < most && budget.tryRepeat()) count++;
  return count;
}

describe('RetryBudget', () => {
  it('allows a steady number, and a share of the last ten seconds besides', () => {
    const budget = new RetryBudget(20, 10, () => 0);
    for (let i = 0; i < 1000; i++) budget.request();
    expect(repeats(budget)).toBe(10 * 10 + 200);
  });

  it('allows a quiet client its repeats at once', () => {
    expect(repeats(new RetryBudget(20, 10, () => 5_000))).toBe(100);
  });

  it('allows none where both are 0', () => {
    const budget = new RetryBudget(0, 0, () => 0);
    budget.request();
    expect(budget.tryRepeat()).toBe(false);
  });

  it('forgets what is ten seconds old, requests and repeats alike', () => {
    let now = 1_800_000_000_000;
    const budget = new RetryBudget(50, 0, () => now);
    for (let i = 0; i < 100; i++) budget.request();
    expect(repeats(budget)).toBe(50);
    now += 9_000;
    expect(repeats(budget)).toBe(0);
    for (let i = 0; i < 10; i++) budget.request();
    expect(repeats(budget)).toBe(5);
    now += 2_000;
    // The first hundred are gone, and so are their repeats; the ten and their five are not.
    expect(repeats(budget)).toBe(0);
    now += 60_000;
    budget.request();
    budget.request();
    expect(repeats(budget)).toBe(1);
  });

  it('holds the share in every stretch of ten seconds', () => {
    let now = 0;
    const budget = new RetryBudget(20, 0, () => now);
    const granted: number[] = [];
    for (; now < 60_000; now += 10) {
      budget.request();
      if (budget.tryRepeat()) granted.push(now);
    }
    expect(granted.length).toBeGreaterThan(1100);
    for (let from = 0; from < 50_000; from += 500) {
      expect(granted.filter((at) => at >= from && at < from + 10_000).length).toBeLessThanOrEqual(240);
    }
  });
});
