import type { BlockRef } from '../rpc/block-ref';
import type { Relation } from './block-ring';
import type { Claim } from './head-rule';

/** A head is not raised by more than this many blocks on the word of others. */
const MOST_ABOVE = 256;
/** Heads that were given up and are remembered. */
const MOST_GIVEN_UP = 64;

/**
 * What is known of the head by other processes only, out of what nodes showed them. It is no node's claim: it confirms
 * none, counts against none, and goes as soon as our own nodes contradict it.
 */
export class Hearsay {
  private only: string | undefined;
  private readonly givenUp = new Set<string>();

  /** Whether the head may become this block, of which `relation` is known. What we gave up ourselves is no news. */
  admits(block: BlockRef, head: BlockRef, relation: Relation): boolean {
    const above = block.number - head.number;
    return above > 0 && above <= MOST_ABOVE && relation !== 'fork' && !this.givenUp.has(block.hash);
  }

  /** The block, told by others, is the head now. */
  raised({ hash }: BlockRef): void {
    this.only = hash;
  }

  /** Whether no node of ours has reached it so far. */
  isOnly(head: BlockRef | undefined): boolean {
    return head !== undefined && this.only === head.hash;
  }

  /** What our nodes show now. */
  compare(head: BlockRef | undefined, claims: readonly Claim[]): void {
    if (!this.isOnly(head)) return;
    const number = head?.number ?? 0;
    if (claims.some(({ block, relation }) => block.number >= number && relation !== 'fork')) this.only = undefined;
  }

  /** Our nodes have moved the head. @param reorg whether `previous` was given up for it */
  moved(next: BlockRef, previous: BlockRef | undefined, reorg: boolean): void {
    this.only = undefined;
    if (reorg && previous !== undefined) this.givenUp.add(previous.hash);
    this.givenUp.delete(next.hash);
    if (this.givenUp.size <= MOST_GIVEN_UP) return;
    for (const oldest of this.givenUp) {
      this.givenUp.delete(oldest);
      return;
    }
  }
}
