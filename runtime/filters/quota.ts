import { LRUCache } from 'lru-cache';

export interface QuotaOptions {
  /** Filters of one client, of those made here. */
  readonly maxPerClient: number;
  /** Filters made here that may be open at once. */
  readonly maxFilters: number;
  /** How long one counts that is not used here, in milliseconds. */
  readonly ttlMs: number;
  readonly now: () => number;
}

/** How many filters this process made that are still open, in all and for each client. */
export class Quota {
  private readonly owners: LRUCache<string, string>;
  private readonly counts = new Map<string, number>();

  constructor(private readonly options: QuotaOptions) {
    const { maxFilters, ttlMs, now } = options;
    this.owners = new LRUCache({
      max: maxFilters,
      ttl: ttlMs,
      ttlResolution: 0,
      updateAgeOnGet: true,
      perf: { now },
      dispose: (client) => this.count(client, -1),
    });
  }

  /** The rule that forbids the client one more; undefined where none does. */
  refuses(client: string): string | undefined {
    const { maxPerClient, maxFilters } = this.options;
    if (!this.isFull(client)) return undefined;
    // Those that have expired are counted until somebody looks.
    this.owners.purgeStale();
    if (this.owners.size >= maxFilters) return `filters.maxFilters of ${maxFilters} filters at once`;
    return this.of(client) >= maxPerClient ? `filters.maxPerClient of ${maxPerClient} filters at once` : undefined;
  }

  made(id: string, client: string): void {
    this.owners.set(id, client);
    this.count(client, 1);
  }

  used(id: string): void {
    this.owners.get(id);
  }

  removed(id: string): void {
    this.owners.delete(id);
  }

  private isFull(client: string): boolean {
    return this.owners.size >= this.options.maxFilters || this.of(client) >= this.options.maxPerClient;
  }

  private of(client: string): number {
    return this.counts.get(client) ?? 0;
  }

  private count(client: string, by: 1 | -1): void {
    const count = this.of(client) + by;
    if (count > 0) this.counts.set(client, count);
    else this.counts.delete(client);
  }
}
