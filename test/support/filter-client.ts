import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from './eventually';
import { toTold, type Told } from './filter-sequence';
import { ask, resultOf } from './oracle-client';

export type FilterKind = 'eth_newFilter' | 'eth_newBlockFilter' | 'eth_newPendingTransactionFilter';

/**
 * A client with one filter, made at one URL and polled at all of them in turn, one poll after the other.
 *
 *     const client = await FilterClient.create('eth_newFilter', [{ address }], [proxyA.url, proxyB.url]);
 *     client.start(50);                      // a poll, and the next 50 ms after its answer
 *     await client.heard(hash);
 *     await client.stop();
 *     client.told; client.refusals;
 */
export class FilterClient {
  /** All it was told, in order. */
  readonly told: Told[] = [];
  /** Polls that were answered with an error or not at all. */
  readonly refusals: string[] = [];
  polls = 0;
  #turn = 0;
  #running: { readonly stop: AbortController; readonly ended: Promise<void> } | undefined;

  /** @param urls the filter is made at the first; may be changed while it runs. */
  static async create(kind: FilterKind, params: readonly unknown[], urls: string[]): Promise<FilterClient> {
    const id = await resultOf(urls[0] ?? '', kind, params);
    return new FilterClient(String(id), urls);
  }

  private constructor(
    readonly id: string,
    readonly urls: string[],
  ) {}

  /** One poll, at the next URL. */
  async poll(): Promise<void> {
    const url = this.urls[++this.#turn % this.urls.length] ?? '';
    this.polls++;
    try {
      const { result, error } = await ask(url, 'eth_getFilterChanges', [this.id]);
      if (error !== undefined) this.refusals.push(`${error.code} ${error.message}`);
      else this.told.push(...(result as unknown[]).map(toTold));
    } catch (error) {
      this.refusals.push(error instanceof Error ? error.message : String(error));
    }
  }

  /** A poll at each URL. */
  async pollEach(): Promise<void> {
    for (let left = this.urls.length; left > 0; left--) await this.poll();
  }

  start(pauseMs: number): void {
    const stop = new AbortController();
    this.#running = { stop, ended: this.#run(pauseMs, stop.signal) };
  }

  /** Resolves when the poll under way is answered. */
  async stop(): Promise<void> {
    this.#running?.stop.abort();
    await this.#running?.ended;
    this.#running = undefined;
  }

  /** For messages: how it stands. */
  get state(): string {
    const [told, refused] = [this.told, this.refusals].map((list) => `${list.length} (${list.slice(-2).join(' | ')})`);
    return `${this.polls} polls, told ${told}, refused ${refused}`;
  }

  /** Waits until it was told this. @throws Error with its state. */
  async heard(what: Told, timeoutMs?: number): Promise<void> {
    await eventually(
      () => this.told.includes(what),
      () => `${what}; ${this.state}`,
      timeoutMs,
    );
  }

  async #run(pauseMs: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.poll();
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }
}
