/**
 * The generic cell rate algorithm (ITU-T I.371, annex A): a leaky bucket whose whole state is one number, the
 * theoretical arrival time (TAT) at which the bucket is full again. Pure arithmetic; times are milliseconds of one
 * clock. Over any t minutes at most `perMinute * t + burst` units pass.
 *
 *            now                      TAT
 *   ──────────┼────────────────────────┼──────▶ time     a unit is taken by moving TAT right by intervalMs;
 *             ├──── used up ───────────┤                 it may not pass now + toleranceMs
 *             ├──────────── toleranceMs ──────────┤
 */
export interface Bucket {
  readonly perMinute: number;
  /** Units a rested caller may take at once; at least 1. */
  readonly burst: number;
  /** One unit comes back in this time: 60 000 / perMinute. */
  readonly intervalMs: number;
  /** burst * intervalMs. */
  readonly toleranceMs: number;
}

/** The TAT of a bucket nothing was ever taken from. */
export const FULL = Number.NEGATIVE_INFINITY;

/**
 * Adding many intervals up is not exact; this share of one interval is forgiven, so that a whole burst always fits.
 */
const FORGIVEN = 1e-6;

/** @param perMinute more than 0 @param burst at least 1 */
export function toBucket(perMinute: number, burst: number): Bucket {
  const intervalMs = 60_000 / perMinute;
  return { perMinute, burst, intervalMs, toleranceMs: burst * intervalMs };
}

/** The TAT after `cost` units were taken at `now`; it becomes the new state only if it `fits`. */
export function tatAfter(bucket: Bucket, tat: number, cost: number, now: number): number {
  return Math.max(tat, now) + cost * bucket.intervalMs;
}

/** Whether a TAT that `tatAfter` gave is within the bucket. */
export function fits(bucket: Bucket, after: number, now: number): boolean {
  return after - now <= tatLimitMs(bucket);
}

/** How far ahead of now the TAT of an empty bucket is; none that was taken from goes further. */
export function tatLimitMs({ toleranceMs, intervalMs }: Bucket): number {
  return toleranceMs + FORGIVEN * intervalMs;
}

/** Whole milliseconds until a TAT that does not fit will; at least 1. A cost above `burst` never fits. */
export function retryAfterMs(bucket: Bucket, after: number, now: number): number {
  return Math.max(1, Math.ceil(after - now - bucket.toleranceMs - FORGIVEN * bucket.intervalMs));
}

/** Whole units left at `now`. */
export function remaining(bucket: Bucket, tat: number, now: number): number {
  const unused = bucket.toleranceMs - Math.max(0, tat - now);
  return Math.min(bucket.burst, Math.max(0, Math.floor(unused / bucket.intervalMs + FORGIVEN)));
}

/** Whole milliseconds until the bucket is full. */
export function resetMs(tat: number, now: number): number {
  return Math.max(0, Math.ceil(tat - now));
}
