/** What this process has seen of a node's run, in epoch milliseconds. */
export interface NodeRun {
  /** When it last went down, and may have forgotten what it held; 0 where it never did. */
  readonly downAt: number;
  /** Since when it was there whenever it was asked; before that it may have run anew without going down here. */
  readonly unbrokenSince: number;
}

/** Which nodes ran on all the time, as far as this process can tell: what was left at another may be gone, or another's. */
export class NodeRuns {
  private readonly runs = new Map<string, NodeRun>();

  constructor(private readonly now: () => number) {}

  /** It is known from now on, or as another from now on. */
  begin(node: string): void {
    this.runs.set(node, { downAt: 0, unbrokenSince: this.now() });
  }

  /** It was not there for a moment. */
  broke(node: string): void {
    const run = this.runs.get(node);
    if (run !== undefined) this.runs.set(node, { ...run, unbrokenSince: this.now() });
  }

  wentDown(node: string): void {
    const now = this.now();
    if (this.runs.has(node)) this.runs.set(node, { downAt: now, unbrokenSince: now });
  }

  forget(node: string): void {
    this.runs.delete(node);
  }

  /** Undefined where there is no node of that name. */
  of(node: string): NodeRun | undefined {
    return this.runs.get(node);
  }
}
