import { Ewma } from '../util/ewma';
import {
  type Answered,
  faultOf,
  MAX_WEIGHT,
  type Observed,
  orAll,
  unhealthy,
  type Weighing,
  type WeightLimits,
  type WeightPolicy,
} from './weight';

export interface ProportionalOptions extends WeightLimits {
  /** Milliseconds over which latencies are averaged; 0 takes the last one. */
  readonly smoothingMs: number;
}

/**
 * A server's share follows its speed: at 500 ms a tenth of what one at 50 ms gets. The formula is the guide's,
 *
 *     weight = 1 / latency + 1 / block delay        (both in milliseconds, so that they may be added)
 *
 * with these meanings of its terms:
 *
 * - *latency* is a mean of the logarithms of the last ones, so that one answer of 3 s among many of 50 ms counts as
 *   four doublings and not as sixty answers; below 40 ms all are the same (the guide counted these as 1 ms, so that 41 ms
 *   weighed a fortieth of 40).
 * - *block delay* is how old news is when they arrive from this server: its latency and how far its newest block is
 *   behind the others'. A block's age by the clock, as in the guide, is the same for all who have that block, says how
 *   long ago the chain made one, and goes to infinity where it is 0.
 *
 * A server that has what the others have therefore weighs 2 / latency, one far behind half of that, and none
 * infinitely much. How much of the second term it earns is averaged, because to be seconds behind is the lot of each
 * server that is asked just before a block reaches it.
 *
 * The best server gets 256, the others their part of it, at least 1. A weight stays until it is off by a quarter.
 */
export class ProportionalWeights {
  private tracks: ReadonlyMap<string, Track> = new Map();

  constructor(private readonly options: ProportionalOptions) {}

  readonly decide: WeightPolicy = (servers, now) => {
    const newest = commonBlockTime(servers, now);
    const tracks = new Map<string, Track>();
    const judged = servers.map(({ name, observation }) => {
      const track = this.tracks.get(name) ?? new Track(this.options.smoothingMs);
      tracks.set(name, track);
      if (observation.answered) track.add(observation, newest, now);
      return { track, fault: faultOf(observation, this.options, now) };
    });
    // Servers that are gone are forgotten.
    this.tracks = tracks;
    const healthy = judged.filter(({ fault }) => fault === undefined);
    const best = Math.max(...healthy.map(({ track }) => track.merit));
    return orAll(
      judged.map(({ track, fault }): Weighing => {
        if (fault !== undefined) {
          track.weight = undefined;
          return unhealthy(fault);
        }
        track.weight = keepOrMove(track.weight, (MAX_WEIGHT * track.merit) / best);
        return { weight: track.weight, healthy: true, reason: track.reason };
      }),
    );
  };
}

/** What is remembered of one server. */
class Track {
  /** The weight it was given when it was last healthy; undefined when it was not since. */
  weight: number | undefined;
  private readonly logLatency: Ewma;
  private readonly freshness: Ewma;

  constructor(smoothingMs: number) {
    // The mean divides by its window.
    this.logLatency = new Ewma(Math.max(smoothingMs, Number.MIN_VALUE));
    this.freshness = new Ewma(Math.max(smoothingMs, Number.MIN_VALUE));
  }

  add({ latencyMs, blockTime }: Answered, newest: number, now: number): void {
    // A mean never forgets one of these.
    if (!Number.isFinite(latencyMs) || !Number.isFinite(blockTime)) return;
    this.logLatency.add(Math.log(normalizeLatency(latencyMs)), now);
    const behindMs = Math.max(0, newest - blockTime);
    this.freshness.add(this.latencyMs / (this.latencyMs + behindMs), now);
  }

  /** 1 / latency + 1 / (latency + behind), with the second as its mean part of the first. */
  get merit(): number {
    return (1 + (this.freshness.value ?? 1)) / this.latencyMs;
  }

  get reason(): string {
    const share = Math.round((this.freshness.value ?? 1) * 100);
    return `mean latency of ${Math.round(this.latencyMs)} ms${share < 100 ? `, ${share} % as fresh as the others` : ''}`;
  }

  private get latencyMs(): number {
    return Math.exp(this.logLatency.value ?? Math.log(GOOD_LATENCY_MS));
  }
}

/** Nobody notices the difference below; a server in the next rack shall not take all the traffic. */
const GOOD_LATENCY_MS = 40;

function normalizeLatency(latencyMs: number): number {
  return Math.max(GOOD_LATENCY_MS, latencyMs);
}

/**
 * The time of the newest block that counts as known: the second newest claim where there are three, so that one server
 * that invents blocks, or is first with one, puts no other behind. Nothing from the future.
 */
function commonBlockTime(servers: readonly Observed[], now: number): number {
  const times = servers
    .flatMap(({ observation }) => (observation.answered ? [observation.blockTime] : []))
    .filter(Number.isFinite)
    .sort((a, b) => b - a);
  return Math.min(now, (times.length > 2 ? times[1] : times[0]) ?? now);
}

/** How far, as a factor, a weight may be from what it should be before it is changed. */
const TOLERANCE = 1.25;

function keepOrMove(current: number | undefined, wanted: number): number {
  const next = Math.min(MAX_WEIGHT, Math.max(1, Math.round(wanted)));
  if (current === undefined) return next;
  // Against what is wanted before it is rounded: between 1 and 2 a hair's breadth would be a factor of two.
  const exact = Math.max(1, wanted);
  const isClose = exact < current * TOLERANCE && current < exact * TOLERANCE;
  return isClose ? current : next;
}
