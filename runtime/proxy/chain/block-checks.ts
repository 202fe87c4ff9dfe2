/** Answers that came within this time are checked together. */
const GATHER_MS = 5;

/** `unknown` where the node could not be asked: that says nothing of its branch. */
export type Shown = 'same' | 'other' | 'unknown';

/**
 * Whether a node still shows a hash at a number, asked after an answer came. Answers of one node about one number that
 * come close together share a question, which begins after all of them.
 */
export class BlockChecks {
  private readonly gathering = new Map<string, Promise<string | null | undefined>>();

  /** @param ask the hash a node shows at a number; null where it has no such block, undefined where it does not answer */
  constructor(private readonly ask: (node: string, number: number) => Promise<string | null | undefined>) {}

  async shows(node: string, number: number, hash: string): Promise<Shown> {
    const key = `${number} ${node}`;
    let check = this.gathering.get(key);
    if (check === undefined) {
      check = new Promise<void>((resolve) => setTimeout(resolve, GATHER_MS)).then(() => {
        this.gathering.delete(key);
        return this.ask(node, number);
      });
      this.gathering.set(key, check);
    }
    const shown = await check;
    if (shown === undefined) return 'unknown';
    return shown === hash ? 'same' : 'other';
  }
}
