import { errorCode } from '../config/error-code';
import { FileWatcher } from '../config/watch';
import { backoffMs } from '../util/backoff';
import { sleep } from '../util/loop';
import type { Cfg, CfgFile, Put } from './cfg-file';
import type { FollowLog } from './follow-log';
import type { Inputs } from './inputs';
import type { Master } from './master';
import { settle, type Settled } from './settle';

export interface FollowerOptions {
  readonly read: () => Inputs;
  readonly file: CfgFile;
  /** Undefined where somebody else reloads HAProxy. */
  readonly master: Master | undefined;
  readonly log: FollowLog;
  /** Milliseconds of a clock that does not step backwards. */
  readonly clock: () => number;
}

/** What was read and written at the start. */
export interface First {
  readonly text: string;
  readonly files: readonly string[];
  readonly before: Cfg | undefined;
}

/**
 * Keeps haproxy.cfg, and the HAProxy that runs it, as the configuration says. Each turn compares what should be with what
 * is, so that it matters neither how many changes came in between nor who else writes, reloads or restarts.
 *
 *     files change ─▶ read, render ─▶ write ─▶ HAProxy runs it? ─▶ reload ─▶ again, later, where that failed
 */
export class Follower {
  private stale = false;
  private wake: () => void = () => undefined;
  /** What HAProxy should run. */
  private wanted = '';
  /** For which all was done that can be. */
  private done: string | undefined;
  /** What HAProxy may still run, newest first: to be put back where it cannot load what is newer. */
  private kept: readonly Cfg[] = [];
  private failures = 0;

  constructor(private readonly options: FollowerOptions) {}

  async run({ text, files: firstFiles, before }: First, signal: AbortSignal): Promise<void> {
    this.wanted = text;
    this.keep(before);
    let files = firstFiles;
    const watcher = new FileWatcher({ onChange: () => this.stir() });
    watcher.watch(files);
    const watching = watcher.run(signal);
    while (!signal.aborted) {
      if (this.stale) {
        this.stale = false;
        const inputs = this.options.read();
        // Where they are refused, some may not have been come to.
        files = inputs.ok ? inputs.files : [...files, ...inputs.files];
        watcher.watch(files);
        this.take(inputs);
      }
      const waitMs = this.done === this.wanted ? FOREVER_MS : await this.bring(signal);
      await this.untilStale(waitMs, signal);
    }
    await watching;
  }

  private take(inputs: Inputs): void {
    this.options.log.took(inputs);
    if (!inputs.ok || inputs.text === this.wanted) return;
    this.wanted = inputs.text;
    this.failures = 0;
  }

  /** @returns milliseconds after which to try again */
  private async bring(signal: AbortSignal): Promise<number> {
    const { log, file, master, clock } = this.options;
    const text = this.wanted;
    this.done = undefined;
    let put: Put;
    try {
      put = file.put(text);
    } catch (error) {
      log.notWritten(errorCode(error));
      return backoffMs(++this.failures, WRITE_AGAIN_MS, MAX_WRITE_AGAIN_MS, Math.random);
    }
    if (put.changed) log.wrote(put.cfg.revision);
    if (master === undefined) {
      this.done = text;
      return FOREVER_MS;
    }
    const settled = await settle(master, put.cfg.revision, signal, { clock });
    if (settled.kind !== 'stopped') log.settled(settled, put.cfg, master.where);
    return this.after(settled, put.cfg, signal);
  }

  private async after(settled: Settled, cfg: Cfg, signal: AbortSignal): Promise<number> {
    switch (settled.kind) {
      case 'runs':
        this.keep(cfg);
        this.done = cfg.text;
        this.failures = 0;
        // Each reload leaves a worker behind that may live for minutes.
        if (settled.reload) await sleep(BETWEEN_RELOADS_MS, signal);
        return FOREVER_MS;
      case 'elsewhere':
        this.done = cfg.text;
        return FOREVER_MS;
      case 'refused':
        this.putBack(settled.runs);
        return backoffMs(++this.failures, LOAD_AGAIN_MS, MAX_LOAD_AGAIN_MS, Math.random);
      case 'away':
        return backoffMs(++this.failures, LOOK_AGAIN_MS, MAX_LOOK_AGAIN_MS, Math.random);
      case 'stopped':
        return 0;
    }
  }

  /** HAProxy may be restarted at any time, and must not find what it cannot load. */
  private putBack(revision: string | undefined): void {
    const cfg = this.kept.find((one) => one.revision === revision);
    if (cfg === undefined) return;
    try {
      this.options.file.write(cfg);
    } catch (error) {
      this.options.log.notWritten(errorCode(error));
    }
  }

  private keep(cfg: Cfg | undefined): void {
    if (cfg) this.kept = [cfg, ...this.kept.filter(({ revision }) => revision !== cfg.revision)].slice(0, 2);
  }

  private stir(): void {
    this.stale = true;
    this.wake();
  }

  private async untilStale(ms: number, signal: AbortSignal): Promise<void> {
    if (this.stale || signal.aborted) return;
    const waiting = new AbortController();
    this.wake = () => waiting.abort();
    signal.addEventListener('abort', this.wake);
    await sleep(ms, waiting.signal);
    signal.removeEventListener('abort', this.wake);
  }
}

/** The longest a timer waits. */
const FOREVER_MS = 2 ** 31 - 1;
const BETWEEN_RELOADS_MS = 1000;
const WRITE_AGAIN_MS = 500;
const MAX_WRITE_AGAIN_MS = 10_000;
const LOOK_AGAIN_MS = 250;
const MAX_LOOK_AGAIN_MS = 5000;
/** What it could not load it will hardly load in a moment; but a file or a port may be there later. */
const LOAD_AGAIN_MS = 4000;
const MAX_LOAD_AGAIN_MS = 60_000;
