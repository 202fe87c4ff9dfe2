const SHORTEST_TICK_MS = 250;
const LONGEST_TICK_MS = 1000;
const SHORTEST_TIMEOUT_MS = 1000;
const LONGEST_TIMEOUT_MS = 2000;

/** Milliseconds between two probes: a quarter of the block time, 250 to 1000, unless configured. */
export function tickMs(blockTimeMs: number, intervalMs?: number): number {
  return intervalMs ?? clamp(blockTimeMs / 4, SHORTEST_TICK_MS, LONGEST_TICK_MS);
}

/** Milliseconds a probe may take: four ticks, 1000 to 2000, unless configured. */
export function probeTimeoutMs(tick: number, configured?: number): number {
  return configured ?? clamp(4 * tick, SHORTEST_TIMEOUT_MS, LONGEST_TIMEOUT_MS);
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
