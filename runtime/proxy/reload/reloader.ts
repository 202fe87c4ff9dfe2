import { FileWatcher } from '../../config/watch';
import type { ConfigReading } from './config-source';

export interface ReloaderOptions {
  readonly read: () => Promise<ConfigReading>;
  /**
   * What is done with what was read, or is not.
   *
   * @param asked somebody asked for it; else a file has changed
   */
  readonly take: (reading: ConfigReading, asked: boolean) => Promise<void>;
  readonly onError: (error: unknown) => void;
}

/**
 * Has the configuration read again when one of its files has changed, or when told to. Reloads run one after another, and
 * what was read last is what is taken last, however many changes came in between.
 */
export class Reloader {
  private readonly stop = new AbortController();
  private readonly watcher = new FileWatcher({ onChange: () => void this.reload(false) });
  private files: readonly string[] = [];
  private running: Promise<void> | undefined;
  private started = false;
  private stale = false;
  private asked = false;

  constructor(private readonly options: ReloaderOptions) {}

  /** @param files those that were read at the start; they may have changed since, which is found out at once */
  start(files: readonly string[]): void {
    this.started = true;
    this.watch(files);
    void this.watcher.run(this.stop.signal);
  }

  /** Reads at once, where it was started. Resolves when it is done, with all that was asked for meanwhile. */
  now(): Promise<void> {
    return this.reload(true);
  }

  /** Begins no more. */
  close(): void {
    this.stop.abort();
  }

  private reload(asked: boolean): Promise<void> {
    if (!this.started || this.stop.signal.aborted) return Promise.resolve();
    this.stale = true;
    this.asked ||= asked;
    this.running ??= this.run().finally(() => (this.running = undefined));
    return this.running;
  }

  private async run(): Promise<void> {
    while (this.stale && !this.stop.signal.aborted) {
      const { asked } = this;
      this.stale = this.asked = false;
      try {
        const reading = await this.options.read();
        // Where they are refused, some may not have been come to.
        this.watch(reading.ok ? reading.files : [...this.files, ...reading.files]);
        await this.options.take(reading, asked);
      } catch (error) {
        this.options.onError(error);
      }
    }
  }

  private watch(files: readonly string[]): void {
    this.files = [...new Set(files)];
    this.watcher.watch(this.files);
  }
}
