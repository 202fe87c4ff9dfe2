/**
 * An exponentially weighted mean over time rather than over samples: a sample weighs by how long ago the one before it
 * came, so that a burst of answers does not count more than the calm around it.
 */
export class Ewma {
  private mean: number | undefined;
  private at = 0;

  /** @param windowMs after this time without samples a new one weighs 1 − 1/e, about 63 % */
  constructor(private readonly windowMs: number) {}

  /** Undefined before the first sample. */
  get value(): number | undefined {
    return this.mean;
  }

  /** @param now milliseconds of any clock that does not step backwards */
  add(sample: number, now: number): void {
    const weight = 1 - Math.exp(-Math.max(MIN_GAP_MS, now - this.at) / this.windowMs);
    this.mean = this.mean === undefined ? sample : this.mean + weight * (sample - this.mean);
    this.at = now;
  }
}

/** Samples of one millisecond would weigh nothing otherwise. */
const MIN_GAP_MS = 1;
