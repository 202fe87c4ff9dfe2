/** How long a client's own transaction is looked for where it was sent. */
const REMEMBERED_MS = 60_000;
const MAX_CLIENTS = 10_000;

interface Sent {
  readonly node: string;
  readonly hash: string;
  readonly until: number;
}

/** Which node took a client's last transaction: until it has spread, that node knows it and others may not. */
export class LastSent {
  private recent = new Map<string, Sent>();
  private older = new Map<string, Sent>();

  constructor(private readonly now: () => number) {}

  note(client: string, node: string, hash: string): void {
    // Two generations are a bound that costs nothing per entry.
    if (this.recent.size >= MAX_CLIENTS / 2) {
      this.older = this.recent;
      this.recent = new Map();
    }
    this.recent.set(client, { node, hash, until: this.now() + REMEMBERED_MS });
  }

  /** The node to prefer for a read of pending state, or for looking up that transaction. */
  nodeFor(client: string, params: Buffer, readsPending: boolean): string | undefined {
    const sent = this.recent.get(client) ?? this.older.get(client);
    if (sent === undefined || sent.until < this.now()) return undefined;
    return readsPending || params.includes(sent.hash) ? sent.node : undefined;
  }
}
