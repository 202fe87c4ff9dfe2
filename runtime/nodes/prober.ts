import type { BlockRef } from '../rpc/block-ref';
import { runLoop, sleep } from '../util/loop';
import { continues } from './continuity';
import { type Ask, probe, type ProbeResult } from './probe';
import { probeTimeoutMs } from './probe-pace';

/**
 * Sends one request to a node and resolves with the `result` of its answer; rejects with an error that has a `code`,
 * for a JSON-RPC error too, and soon after the signal is aborted.
 */
export type Send = (
  node: string,
  method: string,
  params: readonly unknown[],
  timeoutMs: number,
  signal: AbortSignal,
) => Promise<unknown>;

export interface ProberOptions {
  readonly send: Send;
  /** What every node must answer to `eth_chainId`; left out, the first answer is what all others must give. */
  readonly chainId?: number | undefined;
  /** Milliseconds between two probes of a node; read before each. */
  readonly tickMs: () => number;
  /** Milliseconds a probe may take. @default four ticks, 1000 to 2000 */
  readonly probeTimeoutMs?: number | undefined;
  /** Milliseconds of any clock that does not step backwards. */
  readonly now: () => number;
  /** Uniform in [0, 1); for jitter. */
  readonly random: () => number;
  /** Each probe's result, in order for a node; not called for a node once it was removed, nor after the end. */
  readonly onResult: (node: string, result: ProbeResult) => void;
  /** Ends all probing. */
  readonly signal: AbortSignal;
}

/**
 * The chain id and whether it is syncing are asked for this often, and when a block does not continue the one before;
 * otherwise a probe is one request.
 */
const WHOLE_EVERY_MS = 30_000;
/** Ticks vary by this share, up and down, so that the pods of a deployment do not probe in step. */
const JITTER = 0.1;
/** However long a probe took, the next waits for this share of a tick. */
const LEAST_PAUSE = 0.25;

/** Probes every node in a loop of its own: a node's probes never overlap, and none waits for another node's. */
export class Prober {
  private readonly loops = new Map<string, AbortController>();
  private readonly running = new Set<Promise<void>>();
  /** What ends the rests between probes. */
  private readonly resting = new Set<() => void>();
  private learned: number | undefined;

  constructor(private readonly options: ProberOptions) {
    this.learned = options.chainId;
  }

  /** What nodes must answer to `eth_chainId`; undefined until it is known. */
  get chainId(): number | undefined {
    return this.learned;
  }

  /**
   * Starts and stops loops so that these nodes are probed; the others are left as they are.
   *
   * @returns when each new node was probed once, well or badly, or removed; at the latest after one probe's time-out
   */
  async apply(names: readonly string[]): Promise<void> {
    for (const [name, loop] of this.loops) {
      if (names.includes(name)) continue;
      this.loops.delete(name);
      loop.abort();
    }
    const added = names.filter((name) => !this.loops.has(name));
    await Promise.all(added.map((name) => this.start(name)));
  }

  /** Ends every rest between two probes: another pace counts at once, however long the old one was. */
  hurry(): void {
    for (const wake of this.resting) wake();
  }

  /** Resolves when no probe is running any more; abort the signal first. */
  async ended(): Promise<void> {
    await Promise.all(this.running);
  }

  private start(name: string): Promise<void> {
    const own = new AbortController();
    this.loops.set(name, own);
    const signal = AbortSignal.any([own.signal, this.options.signal]);
    return new Promise((resolve) => {
      // A loop rejects only when `onResult` throws; that stays unhandled, since a node nobody probes must not go unseen.
      const step = this.steps(name, signal, resolve);
      const loop = runLoop(signal, async () => {
        await this.rest(await step(), signal);
        return 0;
      }).then(() => {
        this.running.delete(loop);
        resolve();
      });
      this.running.add(loop);
    });
  }

  /** As `sleep`, until `hurry` is called at the latest. */
  private async rest(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const rest = new AbortController();
    const wake = (): void => rest.abort();
    this.resting.add(wake);
    signal.addEventListener('abort', wake);
    await sleep(ms, rest.signal);
    signal.removeEventListener('abort', wake);
    this.resting.delete(wake);
  }

  private steps(name: string, signal: AbortSignal, onFirst: () => void): () => Promise<number> {
    const { now, random, tickMs, onResult } = this.options;
    let wholeAt = Number.NEGATIVE_INFINITY;
    let last: BlockRef | undefined;
    return async () => {
      const startedAt = now();
      let whole = startedAt - wholeAt >= WHOLE_EVERY_MS;
      let result = await this.probe(name, whole, signal);
      // Something else may answer at this address since the last probe: nothing of it counts before its chain is known.
      if (!whole && !signal.aborted && result.kind === 'block' && last && !continues(last, result.block)) {
        whole = true;
        result = await this.probe(name, whole, signal);
      }
      if (signal.aborted) return 0;
      last = result.kind === 'block' ? result.block : undefined;
      // A node that failed may come back as another chain: its next good probe is a whole one.
      if (result.kind !== 'block') wholeAt = Number.NEGATIVE_INFINITY;
      else if (whole) wholeAt = startedAt;
      onResult(name, result);
      onFirst();
      const tick = tickMs() * (1 - JITTER + 2 * JITTER * random());
      return Math.max(LEAST_PAUSE * tick, tick - (now() - startedAt));
    };
  }

  /** Ends in time and when stopped, whatever `send` does; what is still on its way then is aborted. */
  private probe(name: string, whole: boolean, signal: AbortSignal): Promise<ProbeResult> {
    const { send, now, tickMs } = this.options;
    const timeoutMs = probeTimeoutMs(tickMs(), this.options.probeTimeoutMs);
    const limit = new AbortController();
    return new Promise((resolve) => {
      const end = (result: ProbeResult): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', stop);
        resolve(result);
        limit.abort();
      };
      const stop = (): void => end({ kind: 'failure', code: 'STOPPED' });
      const timer = setTimeout(() => end({ kind: 'failure', code: 'TIMEOUT' }), timeoutMs);
      signal.addEventListener('abort', stop);
      const ask: Ask = (method, params) => send(name, method, params, timeoutMs, limit.signal);
      void probe({ ask, whole, expect: (actual) => (this.learned ??= actual), now }).then(end);
    });
  }
}
