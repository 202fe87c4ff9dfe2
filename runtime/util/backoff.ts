/**
 * How long to stay away after the `failures`-th failure in a row: doubling from `baseMs` to at most `capMs`, of which
 * the upper half is left to chance, so that those who failed together do not return together.
 *
 * @param failures 1 for the first
 * @param random uniform in [0, 1)
 */
export function backoffMs(failures: number, baseMs: number, capMs: number, random: () => number): number {
  const whole = Math.min(capMs, baseMs * 2 ** (failures - 1));
  return whole * (0.5 + 0.5 * random());
}
