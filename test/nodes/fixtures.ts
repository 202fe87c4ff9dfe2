import type { HealthRules } from '../../runtime/nodes/health';
import type { NodeTraits } from '../../runtime/nodes/node';
import type { BlockRef } from '../../runtime/rpc/block-ref';

export const RULES: HealthRules = { rise: 2, fall: 3, maxLagBlocks: 3, maxBlockAgeMs: 150_000, maxLatencyMs: 3000 };

/** A block of `ageMs` at the time `now`. */
export function blockAt(number: number, now: number, ageMs = 0): BlockRef {
  const hash = (of: number): string => `0x${of.toString(16).padStart(64, '0')}`;
  return { number, hash: hash(number), parentHash: hash(number - 1), timestamp: Math.floor((now - ageMs) / 1000) };
}

export function traits(name: string, others: Partial<NodeTraits> = {}): NodeTraits {
  return { name, weight: 1, tier: 0, maxInFlight: 0, archive: false, ...others };
}
