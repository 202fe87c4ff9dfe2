/**
 * Ready once the default chain can serve, or once the grace for that is over; from then on only draining ends it: one
 * chain's outage must not take every pod out of its load balancer.
 */
export class Readiness {
  private latched = false;
  private draining = false;
  private readonly startedAt: number;

  /**
   * @param graceMs as configured now
   * @param canServe whether a node of the default chain is healthy now
   */
  constructor(
    private readonly graceMs: () => number,
    private readonly canServe: () => boolean,
    private readonly now: () => number,
  ) {
    this.startedAt = now();
  }

  get ready(): boolean {
    this.latched ||= this.canServe() || this.now() - this.startedAt >= this.graceMs();
    return this.latched && !this.draining;
  }

  get isDraining(): boolean {
    return this.draining;
  }

  drain(): void {
    this.draining = true;
  }
}
