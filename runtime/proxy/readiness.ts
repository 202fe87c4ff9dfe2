/**
 * Ready once clients can connect and the default chain can serve, or the grace for that is over; from then on only draining ends it: one
 * chain's outage must not take every pod out of its load balancer.
 */
export class Readiness {
  private listening = false;
  private latched = false;
  private draining = false;
  private readonly startedAt: number;

  /** @param canServe whether a node of the default chain is healthy now */
  constructor(
    private readonly graceMs: number,
    private readonly canServe: () => boolean,
    private readonly now: () => number,
  ) {
    this.startedAt = now();
  }

  get ready(): boolean {
    this.latched ||= this.canServe() || this.now() - this.startedAt >= this.graceMs;
    return this.listening && this.latched && !this.draining;
  }

  get isDraining(): boolean {
    return this.draining;
  }

  /** Who is told of readiness on the other port comes at once. */
  open(): void {
    this.listening = true;
  }

  drain(): void {
    this.draining = true;
  }
}
