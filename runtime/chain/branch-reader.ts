import { parseQuantity, toQuantity } from '../rpc/block-param';
import type { BlockName } from '../rpc/block-ref';
import { toHash } from '../rpc/hash';
import type { HeadView } from '../rpc/head-view';
import { ChainReadError, type ChainSend, readChain } from './read-chain';

/** Blocks asked for at once. */
const AT_ONCE = 16;

/** The branch that ends at a head: what the ring knows of it, and what nodes tell of the rest. */
export class BranchReader {
  private readonly asked = new Map<number, string>();

  constructor(
    private readonly head: HeadView,
    private readonly send: ChainSend,
  ) {}

  /** The hash at a number as far as it is known without asking. */
  known(number: number): string | undefined {
    const { head, asked } = this;
    if (number === head.number) return head.hash;
    return number > head.number ? undefined : (head.hashAt(number) ?? asked.get(number));
  }

  /** False once the head is known to be of a branch that was given up. */
  get holds(): boolean {
    const { hash, number } = this.head;
    return (this.head.hashAt(number) ?? hash) === hash;
  }

  /** @throws ChainReadError */
  async hashAt(number: number): Promise<string> {
    const known = this.known(number);
    if (known !== undefined) return known;
    const { hash } = await this.askAt(number);
    this.asked.set(number, hash);
    return hash;
  }

  /**
   * Which of these blocks are on the branch. A block that is has all its ancestors there, so that nodes are asked only
   * until the highest such block is found.
   *
   * @param blocks in the order of their numbers
   * @throws ChainReadError
   */
  async ours(blocks: readonly BlockName[]): Promise<ReadonlySet<string>> {
    const ours = new Set<string>();
    for (const { number, hash } of blocks.toReversed()) {
      // Above the head this is about, only the ring can tell: it may have gone on meanwhile.
      const isAbove = number > this.head.number;
      const known = isAbove ? this.head.hashAt(number) : this.known(number);
      if (isAbove && known === undefined) continue;
      const there = known ?? (ours.size > 0 ? hash : await this.hashAt(number));
      if (there === hash) ours.add(hash);
    }
    return ours;
  }

  /**
   * The hashes of `from` … `to`. Blocks the ring does not know are asked for by their numbers, many at once, and
   * followed from the top down by their parents' hashes: one that does not fit is asked for by its hash.
   *
   * @param to at most the head's number
   * @throws ChainReadError
   */
  async hashes(from: number, to: number): Promise<string[]> {
    const told = await this.fetch(from, to);
    let expected = this.known(to);
    for (let number = to; number >= from; number--) {
      const known = this.known(number);
      // The ring's own word, unless what was followed down to here contradicts: then the branch changes meanwhile.
      if (known !== undefined && expected !== undefined && known !== expected) throw branchChanged(number);
      const hash = known ?? expected;
      const isNeeded = number > from && this.known(number - 1) === undefined;
      let block = told.get(number);
      if (block !== undefined && hash !== undefined && block.hash !== hash) block = undefined;
      if (block === undefined && (isNeeded || hash === undefined)) {
        block = hash === undefined ? await this.askAt(number) : await this.ask('eth_getBlockByHash', hash);
        if (hash !== undefined && block.hash !== hash) throw branchChanged(number);
      }
      this.asked.set(number, hash ?? block?.hash ?? '');
      expected = block?.parentHash;
    }
    return Array.from({ length: to - from + 1 }, (_, i) => this.asked.get(from + i) ?? '');
  }

  /** Blocks the ring does not know, and those right above them, which tell their hashes. */
  private async fetch(from: number, to: number): Promise<ReadonlyMap<number, Told>> {
    const wanted: number[] = [];
    for (let number = from; number <= to; number++) {
      const leadsDown = number > from && this.known(number - 1) === undefined;
      if (this.known(number) === undefined || leadsDown) wanted.push(number);
    }
    const told = new Map<number, Told>();
    for (let i = 0; i < wanted.length; i += AT_ONCE) {
      const blocks = wanted.slice(i, i + AT_ONCE).map(async (number) => {
        told.set(number, await this.askAt(number));
      });
      await Promise.all(blocks);
    }
    return told;
  }

  private async askAt(number: number): Promise<Told> {
    const told = await this.ask('eth_getBlockByNumber', toQuantity(number));
    if (told.number === number) return told;
    throw new ChainReadError('BROKEN', `block ${told.number} was told where ${number} was asked for`);
  }

  private async ask(method: string, block: string): Promise<Told> {
    const bytes = await readChain(this.send, method, [block, false]);
    const told = JSON.parse(bytes.toString('utf8')) as Partial<Record<string, unknown>> | null;
    if (told === null) throw new ChainReadError('STRAY', `no node has block ${block} of this branch`);
    const [hash, parentHash] = [toHash(told['hash']), toHash(told['parentHash'])];
    const number = typeof told['number'] === 'string' ? parseQuantity(told['number']) : undefined;
    if (hash === undefined || parentHash === undefined || number === undefined) {
      throw new ChainReadError('BROKEN', `${method} of ${block} was answered with something else than a block`);
    }
    return { number, hash, parentHash };
  }
}

interface Told {
  readonly number: number;
  readonly hash: string;
  readonly parentHash: string;
}

function branchChanged(number: number): ChainReadError {
  return new ChainReadError('STRAY', `the branch changed at block ${number} while it was read`);
}
