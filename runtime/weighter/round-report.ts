import type { HaproxySocketError } from '../haproxy/socket-error';
import type { Weighing } from '../routing/weight';
import type { ProbeResult } from './ethers-probe';
import type { Change } from './reconcile';
import type { HaproxyView, ProcessInfo } from './server-state';
import type { Target } from './targets';

/** What one round found and did, for logs, metrics and the table of `--dry-run`. */
export interface RoundReport {
  /** False where only HAProxy's weights were put right, with what the last round had found. */
  readonly probed: boolean;
  /** Milliseconds since 1970, when the probes began. */
  readonly at: number;
  readonly servers: readonly ServerReport[];
  /** What HAProxy reported before anything was written; undefined when it did not answer. */
  readonly view: HaproxyView | undefined;
  /** HAProxy is another process than at the last look. */
  readonly restart?: { readonly before: ProcessInfo; readonly now: ProcessInfo };
  readonly changes: readonly Change[];
  /** The conversation with HAProxy failed; the probes are good all the same. */
  readonly error?: HaproxySocketError;
}

export interface ServerReport {
  readonly target: Target;
  readonly result: ProbeResult;
  readonly weighing: Weighing;
}

/** HAProxy has every weight it should have. */
export function isDone({ servers, error, changes }: RoundReport): boolean {
  return servers.length > 0 && error === undefined && changes.every(({ refusal }) => refusal === undefined);
}
