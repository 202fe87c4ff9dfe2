/** Answers that came within this time are checked together. */
const GATHER_MS = 5;

/**
 * Whether a node still shows a hash at a number, asked after an answer came. Answers of one node about one number that
 * come close together share a question, which begins after all of them.
 */
export class BlockChecks {
  private readonly gathering = new Map<string, Promise<string | undefined>>();

  /** @param ask the hash a node shows at a number; undefined where it shows none or does not answer */
  constructor(private readonly ask: (node: string, number: number) => Promise<string | undefined>) {}

  async stillShows(node: string, number: number, hash: string): Promise<boolean> {
    const key = `${number} ${node}`;
    let check = this.gathering.get(key);
    if (check === undefined) {
      check = new Promise<void>((resolve) => setTimeout(resolve, GATHER_MS)).then(() => {
        this.gathering.delete(key);
        return this.ask(node, number);
      });
      this.gathering.set(key, check);
    }
    return (await check) === hash;
  }
}
