import { LRUCache } from 'lru-cache';

export interface QuotaRules {
  /** Filters of one client, of those made here. */
  readonly maxPerClient: number;
  /** Filters made here that may be open at once. */
  readonly maxFilters: number;
  /** How long one counts that is not used here, in milliseconds. */
  readonly ttlMs: number;
}

/** How many filters this process made that are still open, in all and for each client. */
export class Quota {
  private owners: LRUCache<string, string>;
  private readonly counts = new Map<string, number>();

  /** @param now milliseconds of any clock that does not step backwards */
  constructor(
    private rules: QuotaRules,
    private readonly now: () => number,
  ) {
    this.owners = this.create();
  }

  /** Other rules. Who has more than they allow keeps them, as far as they are counted, and gets no more. */
  apply(rules: QuotaRules): void {
    this.owners.purgeStale();
    const kept = [...this.owners.entries()].reverse();
    this.rules = rules;
    this.owners = this.create();
    this.counts.clear();
    for (const [id, client] of kept) this.made(id, client);
  }

  /** The rule that forbids the client one more; undefined where none does. */
  refuses(client: string): string | undefined {
    const { maxPerClient, maxFilters } = this.rules;
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

  private create(): LRUCache<string, string> {
    const { maxFilters, ttlMs } = this.rules;
    return new LRUCache({
      max: maxFilters,
      ttl: ttlMs,
      ttlResolution: 0,
      updateAgeOnGet: true,
      perf: { now: this.now },
      dispose: (client) => this.count(client, -1),
    });
  }

  private isFull(client: string): boolean {
    return this.owners.size >= this.rules.maxFilters || this.of(client) >= this.rules.maxPerClient;
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
