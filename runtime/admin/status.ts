/** What `/status.json` tells. Times are ISO 8601, durations are in milliseconds. */
export interface Status {
  readonly version: string;
  readonly startedAt: string;
  readonly ready: boolean;
  readonly draining: boolean;
  readonly config: ConfigStatus;
  readonly connections: number;
  /** Requests refused by a rate limit since the start; undefined when no limits are configured. */
  readonly limited: number | undefined;
  /** Undefined where none is configured. */
  readonly redis: RedisStatus | undefined;
  readonly chains: readonly ChainStatus[];
}

export interface ConfigStatus {
  /** When the configuration in force was read. */
  readonly loadedAt: string;
  /** Whether it is what was read last. */
  readonly valid: boolean;
  /** Why what was read last was refused; empty while it is valid. */
  readonly problems: readonly string[];
}

export interface RedisStatus {
  readonly up: boolean;
  /** Why it is not up. */
  readonly code: string | undefined;
  readonly reason: string | undefined;
  /** What it does not do although it is up, by what it was asked for. */
  readonly troubles: Readonly<Record<string, string>>;
}

export interface ChainStatus {
  readonly name: string;
  readonly chainId: number;
  /** Paths of the main port that serve it. */
  readonly paths: readonly string[];
  readonly balancing: string;
  readonly head: { readonly number: number; readonly hash: string; readonly time: string } | undefined;
  readonly blockTimeMs: number;
  readonly inFlight: number;
  readonly nodes: readonly NodeStatus[];
}

export interface NodeStatus {
  readonly name: string;
  readonly health: 'up' | 'lagging' | 'down';
  /** Why it is not up, or does not take traffic although it is. */
  readonly reason: string | undefined;
  readonly since: string;
  readonly head: number | undefined;
  readonly lag: number | undefined;
  readonly latencyMs: number | undefined;
  readonly inFlight: number;
  readonly weight: number;
  readonly tier: number;
  readonly ejected: string | undefined;
  readonly restingForMs: number;
  /** Share of this chain's attempts in the last minute, 0 to 1. */
  readonly share: number;
  readonly attempts: number;
  /** Failed attempts by code since the start. */
  readonly errors: Readonly<Record<string, number>>;
  readonly lastError: { readonly code: string; readonly message: string; readonly at: string } | undefined;
}
