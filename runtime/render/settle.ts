import { HaproxySocketError } from '../haproxy/socket-error';
import { sleep } from '../util/loop';
import type { Master, ProcessView } from './master';

/** What came of bringing HAProxy to a revision. */
export type Settled =
  | {
      readonly kind: 'runs';
      readonly worker: number;
      readonly reload?: { readonly before: number; readonly ms: number };
    }
  /** It could not load it; the worker of before goes on. */
  | { readonly kind: 'refused'; readonly runs: string | undefined; readonly log: string | undefined }
  /** It was reloaded and runs something else: it reads another file. */
  | { readonly kind: 'elsewhere'; readonly worker: number }
  /** It does not answer, or not in time. */
  | { readonly kind: 'away'; readonly error: HaproxySocketError }
  | { readonly kind: 'stopped' };

export interface SettleOptions {
  /** Milliseconds of a clock that does not step backwards. */
  readonly clock: () => number;
  /** Milliseconds HAProxy may take to load. @default 60000 */
  readonly loadTimeoutMs?: number;
}

/**
 * Brings HAProxy to run this revision: looks what it runs, and reloads it if that is something else. That the master
 * answers first is what makes the reload count, for while it loads it hears nothing.
 *
 *     show proc, show info ─▶ is it? ─▶ reload ─▶ show proc, again and again ─▶ another worker, or a failure
 */
export async function settle(
  master: Master,
  revision: string,
  signal: AbortSignal,
  options: SettleOptions,
): Promise<Settled> {
  const { clock, loadTimeoutMs = 60_000 } = options;
  try {
    const before = await master.look(signal);
    if (before.revision === revision) return { kind: 'runs', worker: before.worker };
    const toldAt = clock();
    await master.reload(signal);
    let last: HaproxySocketError | undefined;
    while (!signal.aborted && clock() - toldAt < loadTimeoutMs) {
      try {
        const now = await master.look(signal);
        if (now.revision === revision) {
          return {
            kind: 'runs',
            worker: now.worker,
            reload: { before: before.worker, ms: Math.round(clock() - toldAt) },
          };
        }
        if (isLoaded(before, now)) {
          if (!now.lastFailed) return { kind: 'elsewhere', worker: now.worker };
          return { kind: 'refused', runs: now.revision, log: await master.startupLog(signal) };
        }
      } catch (error) {
        last = toSocketError(error);
      }
      await sleep(LOOK_MS, signal);
    }
    if (signal.aborted) return { kind: 'stopped' };
    const message = `HAProxy at ${master.where} did not come back from a reload within ${loadTimeoutMs} ms`;
    return { kind: 'away', error: last ?? new HaproxySocketError('TIMEOUT', message) };
  } catch (error) {
    return signal.aborted ? { kind: 'stopped' } : { kind: 'away', error: toSocketError(error) };
  }
}

const LOOK_MS = 50;

/** The master counts reloads; a master that was started anew counts from 0, and is looked at again. */
function isLoaded(before: ProcessView, now: ProcessView): boolean {
  return now.reloads > before.reloads;
}

/** A defect of ours stays one. */
function toSocketError(error: unknown): HaproxySocketError {
  if (error instanceof HaproxySocketError) return error;
  throw error;
}
