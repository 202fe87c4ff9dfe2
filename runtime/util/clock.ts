/** Milliseconds since 1970 that never step backwards, unlike Date.now() when the machine's clock is set. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}
