import type { Counter } from 'prom-client';

/** Counts one thing; adding to it is adding to a number. */
export interface Tally {
  /** @param count default 1 */
  add(count?: number): void;
}

/**
 * Counters of the hot path: the metrics library looks labels up at every increment, so they are counted here and told
 * to it when somebody looks.
 */
export class Tallies {
  private readonly all = new Set<CountedTally>();
  private readonly scopes = new Set<Tallies>();

  private constructor(private readonly parent: Tallies | undefined) {}

  static create(): Tallies {
    return new Tallies(undefined);
  }

  /** Those of something that may come to its end before the others. */
  scope(): Tallies {
    const scope = new Tallies(this);
    this.scopes.add(scope);
    return scope;
  }

  of<L extends string>(counter: Counter<L>, labels: Partial<Record<L, string>>): Tally {
    const tally = new CountedTally((count) => counter.inc(labels, count));
    this.all.add(tally);
    return tally;
  }

  /** What it counted last is told, and it is looked at no more. */
  drop(tally: Tally | undefined): void {
    if (!(tally instanceof CountedTally)) return;
    tally.flush();
    this.all.delete(tally);
  }

  /** Brings the counters up to date. */
  flush(): void {
    for (const tally of this.all) tally.flush();
    for (const scope of this.scopes) scope.flush();
  }

  /** As `drop`, for all of a scope. */
  close(): void {
    this.flush();
    this.parent?.scopes.delete(this);
  }
}

class CountedTally implements Tally {
  private count = 0;

  constructor(private readonly tell: (count: number) => void) {}

  add(count = 1): void {
    this.count += count;
  }

  flush(): void {
    if (this.count === 0) return;
    this.tell(this.count);
    this.count = 0;
  }
}
