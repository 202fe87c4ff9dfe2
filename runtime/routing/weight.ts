/** What one probe of a server found. */
export type Observation =
  | {
      readonly answered: true;
      readonly blockNumber: number;
      /** Milliseconds since 1970, in whole seconds, as the block states it. */
      readonly blockTime: number;
      /** Milliseconds from the question to the whole answer. */
      readonly latencyMs: number;
    }
  | {
      readonly answered: false;
      /** For people; without anything of a URL. */
      readonly reason: string;
    };

export type Answered = Extract<Observation, { answered: true }>;

export interface WeightLimits {
  /** A block as old as this is too old. */
  readonly maxBlockAgeMs: number;
  /** A latency of this is too high. */
  readonly maxLatencyMs: number;
}

/** The weight a server should have, and why. */
export interface Weighing {
  /** Whole, 0 to {@link MAX_WEIGHT}. */
  readonly weight: number;
  readonly healthy: boolean;
  /** For people. */
  readonly reason: string;
}

/** Decides the weights of one backend's servers, in the order of their observations. */
export type WeightPolicy = (servers: readonly Observed[], now: number) => Weighing[];

export interface Observed {
  /** The same from round to round. */
  readonly name: string;
  readonly observation: Observation;
}

/** What HAProxy takes at most. */
export const MAX_WEIGHT = 256;
/** What each server weighs where nothing tells them apart: the weight they have in haproxy.cfg. */
export const EVEN_WEIGHT = 100;

/** A healthy server weighs 100, an unhealthy one nothing. The only policy for `balance source`. */
export function equalWeights(limits: WeightLimits): WeightPolicy {
  return (servers, now) =>
    orAll(
      servers.map(({ observation }) => {
        const fault = faultOf(observation, limits, now);
        return fault === undefined ? { weight: EVEN_WEIGHT, healthy: true, reason: 'healthy' } : unhealthy(fault);
      }),
    );
}

/**
 * Why a server should get no traffic; undefined for a healthy one.
 *
 * @param now milliseconds since 1970. A block from the future is a fresh one: clocks differ by seconds.
 */
export function faultOf(observation: Observation, limits: WeightLimits, now: number): string | undefined {
  if (!observation.answered) return observation.reason;
  const { latencyMs } = observation;
  const ageMs = now - observation.blockTime;
  // So written that a number that is none is a fault.
  if (!(ageMs < limits.maxBlockAgeMs)) return `newest block is ${seconds(ageMs)} old`;
  if (!(latencyMs < limits.maxLatencyMs)) return `latency of ${Math.round(latencyMs)} ms`;
  return undefined;
}

/**
 * Where no server is healthy each gets the same: some traffic may get through, none would not. On an idle chain (no
 * new block for longer than the limit) that is how it should be; a dead server HAProxy's own checks take out.
 */
export function orAll(weighings: Weighing[]): Weighing[] {
  if (weighings.some(({ healthy }) => healthy)) return weighings;
  return weighings.map(({ reason }) => ({
    weight: EVEN_WEIGHT,
    healthy: false,
    reason: `no server is healthy; this one: ${reason}`,
  }));
}

export function unhealthy(reason: string): Weighing {
  return { weight: 0, healthy: false, reason };
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
