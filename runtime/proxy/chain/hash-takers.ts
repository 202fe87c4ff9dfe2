/** Asks a node something; rejects with an error whose `rpcCode` is set where the node itself refused. */
export type AskNode = (node: string, method: string, params: readonly unknown[]) => Promise<unknown>;

const ZERO_ADDRESS = `0x${'0'.repeat(40)}`;

/**
 * Which nodes read state at `{blockHash}` (EIP-1898). A node does when it answers at the head's hash and refuses at a
 * hash that no block has: some nodes do not know the form, and some accept it and read latest instead.
 */
export class HashTakers {
  /** While a node is asked, the test that is under way. */
  private readonly known = new Map<string, boolean | object>();

  /** @param randomHash a hash no block has */
  constructor(
    private readonly ask: AskNode,
    private readonly randomHash: () => string,
  ) {}

  takes(node: string): boolean {
    return this.known.get(node) === true;
  }

  /** The node showed a block; it is put to the test once. */
  async noteHead(node: string, hash: string): Promise<void> {
    if (this.known.has(node)) return;
    const asking = {};
    this.known.set(node, asking);
    const verdict = await this.test(node, hash);
    // Meanwhile it went down, or another node has its name.
    if (this.known.get(node) !== asking) return;
    if (verdict === undefined) this.known.delete(node);
    else this.known.set(node, verdict);
  }

  /** The node went down; whatever comes back is tested anew. */
  forget(node: string): void {
    this.known.delete(node);
  }

  /** @returns undefined where the node did not answer */
  private async test(node: string, hash: string): Promise<boolean | undefined> {
    const works = await this.answersAt(node, hash);
    if (works !== true) return works;
    const ignores = await this.answersAt(node, this.randomHash());
    return ignores === undefined ? undefined : !ignores;
  }

  private async answersAt(node: string, blockHash: string): Promise<boolean | undefined> {
    try {
      const balance = await this.ask(node, 'eth_getBalance', [ZERO_ADDRESS, { blockHash }]);
      return typeof balance === 'string';
    } catch (error) {
      return typeof error === 'object' && error !== null && 'rpcCode' in error ? false : undefined;
    }
  }
}
