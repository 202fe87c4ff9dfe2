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
  private readonly all: CountedTally[] = [];

  of<L extends string>(counter: Counter<L>, labels: Partial<Record<L, string>>): Tally {
    const tally = new CountedTally((count) => counter.inc(labels, count));
    this.all.push(tally);
    return tally;
  }

  /** Brings the counters up to date. */
  flush(): void {
    for (const tally of this.all) tally.flush();
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
