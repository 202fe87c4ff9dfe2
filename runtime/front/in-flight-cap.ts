/** Bounds the messages one client identity may have in flight, however many connections it uses. */
export class InFlightCap {
  private readonly counts = new Map<string, number>();

  /** @param most 0 is no bound; another one counts from the next message on */
  constructor(public most: number) {}

  /** @returns whether there was room; if so, `leave` must follow. */
  tryEnter(client: string): boolean {
    const count = this.counts.get(client) ?? 0;
    if (this.most > 0 && count >= this.most) return false;
    this.counts.set(client, count + 1);
    return true;
  }

  leave(client: string): void {
    const count = this.counts.get(client) ?? 0;
    if (count <= 1) this.counts.delete(client);
    else this.counts.set(client, count - 1);
  }
}
