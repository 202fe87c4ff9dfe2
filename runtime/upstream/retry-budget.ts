const WINDOW_MS = 10_000;
const SLICES = 10;

/**
 * Bounds repeated attempts to a share of recent requests plus a steady allowance, so that a failing pool is not
 * asked three times as much as a healthy one. The window and the allowance that a quiet time leaves are Finagle's
 * (RetryBudget: ten seconds).
 */
export class RetryBudget {
  private readonly requests = new Float64Array(SLICES);
  private readonly repeats = new Float64Array(SLICES);
  private slice = 0;
  private requestSum = 0;
  private repeatSum = 0;

  /**
   * @param percent of the window's requests that may be repeated
   * @param perSecond repeats allowed besides
   */
  constructor(
    private percent: number,
    private perSecond: number,
    private readonly now: () => number,
  ) {}

  /** Another share and another allowance from now on; what was counted stays. */
  apply(percent: number, perSecond: number): void {
    this.percent = percent;
    this.perSecond = perSecond;
  }

  request(): void {
    this.turn();
    const i = this.slice % SLICES;
    this.requests[i] = (this.requests[i] ?? 0) + 1;
    this.requestSum++;
  }

  /** @returns whether one more attempt fits, and counts it if so. */
  tryRepeat(): boolean {
    this.turn();
    const allowed = (this.requestSum * this.percent) / 100 + (this.perSecond * WINDOW_MS) / 1000;
    if (this.repeatSum + 1 > allowed) return false;
    const i = this.slice % SLICES;
    this.repeats[i] = (this.repeats[i] ?? 0) + 1;
    this.repeatSum++;
    return true;
  }

  /** Forgets the slices that have left the window. */
  private turn(): void {
    const current = Math.floor((this.now() * SLICES) / WINDOW_MS);
    if (current === this.slice) return;
    const steps = Math.min(current - this.slice, SLICES);
    for (let step = 0; step < steps; step++) {
      const i = (current - step) % SLICES;
      this.requestSum -= this.requests[i] ?? 0;
      this.repeatSum -= this.repeats[i] ?? 0;
      this.requests[i] = 0;
      this.repeats[i] = 0;
    }
    this.slice = current;
  }
}
