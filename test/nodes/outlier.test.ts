import { Circuit, maxEjected } from '../../runtime/nodes/outlier';

/** A circuit without jitter: a back-off is three quarters of its length. */
function circuit(): Circuit {
  return new Circuit({ random: () => 0.5 });
}

/** An open circuit; ejected at 0. */
function ejected(): Circuit {
  const open = circuit();
  open.failure('CONNECT_FAILED', 0, true);
  expect(open.failure('CONNECT_FAILED', 0, true)).toBe(true);
  return open;
}

test.each<[string[], boolean]>([
  [['CONNECT_FAILED'], false],
  [['CONNECT_FAILED', 'CONNECT_FAILED'], true],
  [['CONNECT_FAILED', 'RESET'], true],
  [['RESET', 'TIMEOUT'], false],
  [['RESET', 'TIMEOUT', 'BAD_RESPONSE'], true],
  [['RESET', 'RESET', 'ok', 'RESET', 'RESET'], false],
])('after %j the node is out: %s', (outcomes, out) => {
  const one = circuit();
  for (const outcome of outcomes) {
    if (outcome === 'ok') one.success(0);
    else one.failure(outcome, 0, true);
  }
  expect(one.ejected !== undefined).toBe(out);
  if (out) expect(one.ejected).toBe(`ejected: ${outcomes.at(-1) ?? ''}`);
});

test('is not opened while it must not be, and at the next failure when it may', () => {
  const one = circuit();
  for (let i = 0; i < 10; i++) expect(one.failure('RESET', 0, false)).toBe(false);
  expect(one.closed).toBe(true);
  expect(one.failure('RESET', 0, true)).toBe(true);
});

test('lets one request through when its time is over, and closes at its success', () => {
  const one = ejected();
  one.tick(749, 0);
  expect(one.ejected).toBeDefined();
  one.tick(750, 0);
  expect(one.ejected).toBeUndefined();
  one.begin();
  expect(one.ejected).toBe('ejected: CONNECT_FAILED');
  expect(one.success(800)).toBe(true);
  one.end();
  expect(one.ejected).toBeUndefined();
  expect(one.closed).toBe(true);
});

test('lets another through when the one ended without a verdict', () => {
  const one = ejected();
  one.tick(750, 2);
  one.begin();
  // Two that were sent before the ejection end first.
  one.end();
  one.end();
  expect(one.ejected).toBeDefined();
  one.end();
  expect(one.ejected).toBeUndefined();
  expect(one.closed).toBe(false);
});

test('stays out longer each time, up to a bound', () => {
  const one = ejected();
  const lasted = [one.until];
  for (let i = 0; i < 8; i++) {
    const now = one.until;
    one.tick(now, 0);
    one.begin();
    expect(one.failure('TIMEOUT', now, true)).toBe(true);
    one.end();
    lasted.push(one.until - now);
  }
  expect(lasted).toEqual([750, 1500, 3000, 6000, 12_000, 22_500, 22_500, 22_500, 22_500]);
});

test('after a long time of doing well the first ejection is short again', () => {
  const one = ejected();
  const again = (at: number): number => {
    one.tick(one.until, 0);
    one.begin();
    one.success(at - 40_000);
    one.end();
    one.failure('CONNECT_FAILED', at, true);
    one.failure('CONNECT_FAILED', at, true);
    return one.until - at;
  };
  expect(again(100_000)).toBe(750);
});

test('failures of requests sent before the ejection change nothing', () => {
  const one = ejected();
  const { until } = one;
  expect(one.failure('RESET', 500, true)).toBe(false);
  one.tick(750, 5);
  expect(one.failure('RESET', 760, true)).toBe(false);
  expect(one.ejected).toBeUndefined();
  expect(until).toBe(750);
});

test('a probe that began after it ends the first ejection early, and no later one', () => {
  const one = ejected();
  one.probeSucceeded(0, 0);
  expect(one.ejected).toBeDefined();
  one.probeSucceeded(10, 0);
  expect(one.ejected).toBeUndefined();
  one.begin();
  one.failure('BAD_RESPONSE', 20, true);
  one.probeSucceeded(30, 0);
  expect(one.ejected).toBe('ejected: BAD_RESPONSE');
});

test('at most half the nodes may be out', () => {
  expect([1, 2, 3, 4, 5].map(maxEjected)).toEqual([0, 1, 1, 2, 2]);
});
