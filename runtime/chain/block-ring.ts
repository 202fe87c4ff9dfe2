import type { BlockRef } from '../rpc/block-ref';

/**
 * How a block stands to the branch the ring holds: `ours` is in it or descends from it, `fork` contradicts it at some
 * number, and of `unknown` nothing links it to the ring either way.
 */
export type Relation = 'ours' | 'fork' | 'unknown';

/** How many blocks of other branches and of gaps are remembered, as a multiple of the ring's size. */
const SEEN_FACTOR = 4;

/**
 * The newest blocks of one branch, ending at `tip`. A block tells two hashes, its own and its parent's; blocks nobody
 * showed are gaps, of which nothing is claimed. Blocks of any branch are remembered for a while, so that a fork can be
 * followed down to where it left ours:
 *
 *     hashAt  97 ── 98 ── 99 ── 100 (tip)      ours: in it, or descends from it
 *                     └── 99' ─ 100' ─ 101'    fork: 99' is not hashAt(99)
 */
export class BlockRing {
  private readonly hashes = new Map<number, string>();
  private readonly numbers = new Map<string, number>();
  private readonly seen = new Map<string, BlockRef>();
  /** Hashes that were on our branch and are no longer held, oldest first. */
  private readonly past = new Set<string>();
  private newest: BlockRef | undefined;
  /** The lowest number from which every block up to the tip is known to be the next one's parent. */
  private linkedFrom = 0;

  /** @param size blocks kept below and with the tip; at least 2 */
  constructor(readonly size = 256) {}

  get tip(): BlockRef | undefined {
    return this.newest;
  }

  /**
   * The hash of our branch at this number; undefined outside the ring, in gaps and below them: a reorganisation within a
   * gap goes unseen, so that what is held below one is a guess.
   */
  hashAt(number: number): string | undefined {
    return number < this.linkedFrom ? undefined : this.hashes.get(number);
  }

  has(hash: string): boolean {
    return this.numbers.has(hash);
  }

  /** Whether the hash is on our branch, or was, as far as that is remembered. */
  wasOurs(hash: string): boolean {
    return this.numbers.has(hash) || this.past.has(hash);
  }

  /** Remembers a block of any branch as a link; the branch held does not change. */
  note(block: BlockRef): void {
    if (this.seen.has(block.hash)) return;
    this.seen.set(block.hash, block);
    if (this.seen.size <= this.size * SEEN_FACTOR) return;
    for (const oldest of this.seen.keys()) {
      this.seen.delete(oldest);
      return;
    }
  }

  relate(block: BlockRef): Relation {
    for (let at: BlockRef | undefined = block; at !== undefined; at = this.parentOf(at)) {
      const here = this.hashes.get(at.number);
      if (here !== undefined) return here === at.hash ? 'ours' : 'fork';
      const below = this.hashes.get(at.number - 1);
      if (below !== undefined) return below === at.parentHash ? 'ours' : 'fork';
    }
    return 'unknown';
  }

  /**
   * Whether who shows `block` as its newest has our block `number`: its branch is followed down until it meets ours.
   * Where the links are not known it is believed, unless its branch is known to be another and the number is recent.
   */
  holds(block: BlockRef, number: number): boolean {
    if (block.number < number) return false;
    let contradicts = false;
    for (let at: BlockRef | undefined = block; at !== undefined; at = this.parentOf(at)) {
      const here = this.hashes.get(at.number);
      if (here === at.hash) return true;
      if (at.number === number) return here === undefined;
      const below = this.hashes.get(at.number - 1);
      if (below === at.parentHash) return true;
      if (at.number - 1 === number) return below === undefined;
      contradicts ||= here !== undefined || below !== undefined;
    }
    return !contradicts || number <= (this.newest?.number ?? 0) - this.size;
  }

  /**
   * Makes the block the tip. What lies on another branch than the block goes; where the fork began is not known, that
   * is all of it.
   *
   * @returns whether blocks were given up (a reorg); a block beyond a gap is taken for a descendant
   */
  adopt(block: BlockRef): boolean {
    this.note(block);
    const relation = this.relate(block);
    const reorg = this.newest !== undefined && (relation === 'fork' || block.number <= this.newest.number);
    const { links, joined } = this.branchOf(block);
    const lowest = links.at(-1)?.number ?? block.number + 1;
    for (const number of [...this.hashes.keys()]) {
      if (number >= lowest || number <= block.number - this.size || (reorg && !joined)) this.drop(number);
    }
    for (const link of links) this.put(link.number, link.hash);
    this.linkedFrom = joined ? Math.min(this.linkedFrom, Math.max(0, lowest - 1)) : lowest;
    this.newest = block;
    return reorg;
  }

  /** The block and its known ancestors, newest first, down to where they join the ring. */
  private branchOf(block: BlockRef): { links: { number: number; hash: string }[]; joined: boolean } {
    const links = [];
    for (let at: BlockRef | undefined = block; at !== undefined; at = this.parentOf(at)) {
      if (at.number <= block.number - this.size) break;
      if (this.hashes.get(at.number) === at.hash) return { links, joined: true };
      links.push({ number: at.number, hash: at.hash });
      if (this.hashes.get(at.number - 1) === at.parentHash) return { links, joined: true };
      if (at.number > 0 && !this.seen.has(at.parentHash)) links.push({ number: at.number - 1, hash: at.parentHash });
    }
    return { links, joined: false };
  }

  private parentOf(block: BlockRef): BlockRef | undefined {
    const parent = this.seen.get(block.parentHash);
    // A node may claim anything; numbers that fall by one make every walk end.
    return parent?.number === block.number - 1 ? parent : undefined;
  }

  private put(number: number, hash: string): void {
    this.drop(number);
    this.hashes.set(number, hash);
    this.numbers.set(hash, number);
  }

  private drop(number: number): void {
    const hash = this.hashes.get(number);
    if (hash === undefined) return;
    this.hashes.delete(number);
    if (this.numbers.get(hash) === number) this.numbers.delete(hash);
    this.past.add(hash);
    if (this.past.size <= this.size * SEEN_FACTOR) return;
    for (const oldest of this.past) {
      this.past.delete(oldest);
      return;
    }
  }
}
