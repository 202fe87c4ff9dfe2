import type { BlockRef } from '../rpc/block-ref';
import type { Relation } from './block-ring';
import type { Claim } from './head-rule';

/** A head our own nodes stood behind. */
export interface OwnHead {
  readonly block: BlockRef;
  /** When the head was raised to it, in ms. */
  readonly raisedAt: number;
}

/** What is known of a block that others tell. */
export interface News {
  readonly head: BlockRef;
  /** The highest number that is believed. */
  readonly most: number;
  readonly relation: Relation;
  readonly now: number;
  /** Whether a hash is on the head's branch. */
  readonly has: (hash: string) => boolean;
}

/** Blocks told one after another, of which our nodes have reached none from `due` on; `head` is the last of them. */
interface Tale {
  readonly head: BlockRef;
  readonly due: BlockRef;
  /** Since when they might have; undefined while no node answers. */
  readonly since: number | undefined;
  readonly own: OwnHead;
}

/** Our nodes have the time of so many blocks to reach what was heard, between the shortest and the longest. */
const BLOCKS_TO_REACH = 3;
const SHORTEST_MS = 5000;
const LONGEST_MS = 30_000;
/** How long nothing is believed of a tale that did not come true: tellers may go on, and the head must not swing. */
const DISTRUST_MS = 600_000;
/** Heads that were given up and are remembered. */
const MOST_GIVEN_UP = 64;

/**
 * What is known of the head by other processes only, out of what nodes showed them. It is no node's claim: it confirms
 * none, counts against none, goes as soon as our own nodes contradict it, and ends when they do not reach it in time.
 */
export class Hearsay {
  private tale: Tale | undefined;
  private distrusted: { readonly from: BlockRef; readonly until: number } | undefined;
  private readonly givenUp = new Set<string>();

  /** Where our own nodes stood when the head became hearsay, or since; undefined while it is none. */
  get own(): OwnHead | undefined {
    return this.tale?.own;
  }

  /** Whether the head may become this block. What we gave up ourselves is no news. */
  admits(block: BlockRef, { head, most, relation, now, has }: News): boolean {
    if (block.number <= head.number || block.number > most || relation === 'fork') return false;
    return !this.givenUp.has(block.hash) && !this.distrusts(block, now, has);
  }

  /** The block, told by others, is the head now. @param since when our nodes heard; undefined where none answers */
  raised(head: BlockRef, own: OwnHead, since: number | undefined): void {
    this.tale = { due: head, since, ...this.tale, head, own };
  }

  /** Whether no node of ours has reached it so far. */
  isOnly(head: BlockRef | undefined): boolean {
    return head !== undefined && this.tale?.head.hash === head.hash;
  }

  /** What our nodes show now. @param most the highest number that one of them is believed without being linked to ours */
  compare(claims: readonly Claim[], most: number, now: number): void {
    const { tale } = this;
    if (tale === undefined) return;
    // While no node answers, none is late.
    this.tale = { ...tale, since: claims.length === 0 ? undefined : (tale.since ?? now) };
    const reached = claims
      .filter(({ block, relation }) => relation === 'ours' || (relation === 'unknown' && block.number <= most))
      .map(({ block }) => block)
      .reduce((best: BlockRef, block) => (block.number > best.number ? block : best), tale.own.block);
    if (reached.number >= tale.head.number) this.tale = undefined;
    else if (reached.number >= tale.due.number) {
      this.tale = { head: tale.head, due: tale.head, since: now, own: { block: reached, raisedAt: now } };
    }
  }

  /**
   * Gives up what our nodes have not reached in time.
   *
   * @returns where they stood; undefined where nothing is overdue
   */
  expire(blockTimeMs: number, now: number): OwnHead | undefined {
    const { tale } = this;
    const allowedMs = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, BLOCKS_TO_REACH * blockTimeMs));
    if (tale?.since === undefined || now - tale.since < allowedMs) return undefined;
    this.tale = undefined;
    this.distrusted = { from: tale.due, until: now + DISTRUST_MS };
    return tale.own;
  }

  /** Our nodes have moved the head. @param reorg whether `previous` was given up for it */
  moved(next: BlockRef, previous: BlockRef | undefined, reorg: boolean): void {
    this.tale = undefined;
    if (reorg && previous !== undefined) this.givenUp.add(previous.hash);
    this.givenUp.delete(next.hash);
    if (this.givenUp.size <= MOST_GIVEN_UP) return;
    for (const oldest of this.givenUp) {
      this.givenUp.delete(oldest);
      return;
    }
  }

  /** Blocks from the one on that our nodes did not reach, unless they have shown since that it is right. */
  private distrusts(block: BlockRef, now: number, has: (hash: string) => boolean): boolean {
    const { distrusted } = this;
    if (distrusted === undefined) return false;
    if (now >= distrusted.until || has(distrusted.from.hash)) this.distrusted = undefined;
    else return block.number >= distrusted.from.number;
    return false;
  }
}
