import type { AnvilNode } from '../../bin/dev-chain/anvil-node';
import type { ChainConductor } from './chain-conductor';

export interface Query {
  readonly method: string;
  /** @param block the block argument, or the upper end of a range */
  readonly params: (block: string) => unknown[];
}

/** What a node said at one block, in the order of the queries, as JSON text. */
type Answers = readonly string[];

/**
 * What each block's state is, as a node said that had the block and no proxy before it. Blocks of forks and abandoned
 * blocks are remembered too, so that an answer can be traced to the block it was read at, whichever that was.
 *
 * @example
 * const states = new OracleStates(chain, [{ method: 'eth_getBalance', params: (block) => [address, block] }]);
 * await states.learn(reference);             // after each change of its chain
 * expect(states.at(hash)).toEqual([…]);
 */
export class OracleStates {
  private readonly byHash = new Map<string, { readonly number: number; readonly answers: Answers }>();
  private readonly seen = new Map<AnvilNode, string[]>();

  constructor(
    private readonly chain: ChainConductor,
    readonly queries: readonly Query[],
  ) {}

  at(hash: string): Answers | undefined {
    return this.byHash.get(hash)?.answers;
  }

  /** All blocks of that height. */
  ofNumber(number: number): Answers[] {
    return [...this.byHash.values()].filter((one) => one.number === number).map(({ answers }) => answers);
  }

  get size(): number {
    return this.byHash.size;
  }

  /** Asks the node about its newest blocks, down to the first it was asked about before. It must not change meanwhile. */
  async learn(node: AnvilNode): Promise<void> {
    const seen = this.seen.get(node) ?? [];
    this.seen.set(node, seen);
    const { number: tip } = await this.chain.head(node);
    for (let number = tip; number >= 0; number--) {
      const block = `0x${number.toString(16)}`;
      const { hash } = (await node.rpc('eth_getBlockByNumber', [block, false])) as { hash: string };
      if (seen[number] === hash) break;
      seen[number] = hash;
      if (this.byHash.has(hash)) continue;
      const answers = await Promise.all(
        this.queries.map(async ({ method, params }) => JSON.stringify(await node.rpc(method, params(block)))),
      );
      this.byHash.set(hash, { number, answers });
    }
  }
}
