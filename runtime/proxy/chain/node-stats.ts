const WINDOW_MS = 60_000;
const SLOTS = 12;

/** What each node of a chain was asked and how it failed, for people to look at; metrics are kept apart. */
export class NodeStats {
  private readonly nodes = new Map<string, Tally>();

  constructor(private readonly now: () => number) {}

  attempted(node: string): void {
    const tally = this.of(node);
    tally.attempts++;
    this.turn(tally);
    const slot = tally.slot % SLOTS;
    tally.recent[slot] = (tally.recent[slot] ?? 0) + 1;
  }

  failed(node: string, code: string, message: string): void {
    const tally = this.of(node);
    tally.errors[code] = (tally.errors[code] ?? 0) + 1;
    tally.lastError = { code, message, at: new Date(this.now()).toISOString() };
  }

  attempts(node: string): number {
    return this.nodes.get(node)?.attempts ?? 0;
  }

  errors(node: string): Readonly<Record<string, number>> {
    return this.nodes.get(node)?.errors ?? {};
  }

  lastError(node: string): { readonly code: string; readonly message: string; readonly at: string } | undefined {
    return this.nodes.get(node)?.lastError;
  }

  /** Attempts in the last minute. */
  recent(node: string): number {
    const tally = this.nodes.get(node);
    if (tally === undefined) return 0;
    this.turn(tally);
    return tally.recent.reduce((sum, count) => sum + count, 0);
  }

  /** The node is gone; one that comes under its name begins anew. */
  forget(node: string): void {
    this.nodes.delete(node);
  }

  private of(node: string): Tally {
    let tally = this.nodes.get(node);
    if (tally === undefined) {
      tally = { attempts: 0, recent: new Array<number>(SLOTS).fill(0), slot: 0, errors: {}, lastError: undefined };
      this.nodes.set(node, tally);
    }
    return tally;
  }

  private turn(tally: Tally): void {
    const slot = Math.floor((this.now() * SLOTS) / WINDOW_MS);
    for (let passed = Math.max(tally.slot + 1, slot - SLOTS + 1); passed <= slot; passed++)
      tally.recent[passed % SLOTS] = 0;
    tally.slot = slot;
  }
}

interface Tally {
  attempts: number;
  readonly recent: number[];
  slot: number;
  readonly errors: Record<string, number>;
  lastError: { readonly code: string; readonly message: string; readonly at: string } | undefined;
}
