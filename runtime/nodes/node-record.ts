import type { BlockRef } from '../rpc/block-ref';
import { Ewma } from '../util/ewma';
import { type HealthRecord, newHealthRecord } from './health';
import type { NodeHealth, NodeTraits, NodeView } from './node';
import { Circuit, type CircuitOptions } from './outlier';

/** Round trips count for about this long. */
const LATENCY_WINDOW_MS = 1000;
/** How long a method is believed missing, and of how many methods that is remembered. */
const MISSING_FOR_MS = 300_000;
const MAX_MISSING_METHODS = 256;

/** A node as its owner sees it: the view all others read, and what is behind it. Only registry.ts writes here. */
export class NodeRecord implements NodeView {
  readonly name: string;
  weight = 1;
  tier = 0;
  maxInFlight = 0;
  archive = false;
  inFlight = 0;
  ejected: string | undefined;
  restingUntil = 0;
  oldestState = 0;
  readonly circuit: Circuit;
  record: HealthRecord;
  private readonly latency = new Ewma(LATENCY_WINDOW_MS);
  private readonly missing = new Map<string, number>();

  constructor(traits: NodeTraits, options: CircuitOptions, now: number) {
    this.name = traits.name;
    this.circuit = new Circuit(options);
    this.record = newHealthRecord(now);
    this.assign(traits);
  }

  get health(): NodeHealth {
    return this.record.health;
  }

  get healthSince(): number {
    return this.record.since;
  }

  get head(): BlockRef | undefined {
    return this.record.head;
  }

  get latencyMs(): number | undefined {
    return this.latency.value;
  }

  /** @returns whether anything changed */
  assign({ weight, tier, maxInFlight, archive }: NodeTraits): boolean {
    const same =
      this.weight === weight && this.tier === tier && this.maxInFlight === maxInFlight && this.archive === archive;
    Object.assign(this, { weight, tier, maxInFlight, archive });
    return !same;
  }

  addLatency(ms: number, now: number): void {
    this.latency.add(ms, now);
  }

  noteMissing(method: string, now: number): void {
    // Set anew, a method is the youngest; the names are the callers', so there is an end to them.
    this.missing.delete(method);
    this.missing.set(method, now + MISSING_FOR_MS);
    if (this.missing.size <= MAX_MISSING_METHODS) return;
    for (const oldest of this.missing.keys()) {
      this.missing.delete(oldest);
      return;
    }
  }

  lacks(method: string, now: number): boolean {
    if (this.missing.size === 0) return false;
    const until = this.missing.get(method);
    if (until === undefined) return false;
    if (until > now) return true;
    this.missing.delete(method);
    return false;
  }
}
