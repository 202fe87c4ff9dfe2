import type { HeadTracker } from '../../chain/head-tracker';
import type { BlockRef } from '../../rpc/block-ref';
import type { HeadView } from '../../rpc/head-view';

/** What requests that arrive now are pinned to: the head, and what is final below it. */
export class PinnedHead {
  private readonly finals = new Map<string, number>();
  private view: HeadView | undefined;

  constructor(private readonly tracker: Pick<HeadTracker, 'head' | 'hashAt'>) {}

  /** Undefined until a head is known. */
  get current(): HeadView | undefined {
    return this.view;
  }

  /** The head has changed. */
  moved(head: BlockRef): void {
    this.look(head);
  }

  /** What a node calls final. */
  noteFinal(node: string, number: number): void {
    this.finals.set(node, number);
    this.review();
  }

  /** The node's word does not count any more. */
  forget(node: string): void {
    this.finals.delete(node);
  }

  /** Looks again at what is known. */
  review(): void {
    if (this.tracker.head !== undefined) this.look(this.tracker.head);
  }

  private look({ number, hash }: BlockRef): void {
    // What the most cautious node calls final is final for all.
    const finalized = this.finals.size === 0 ? undefined : Math.min(...this.finals.values());
    this.view = { number, hash, finalized, hashAt: (at) => this.tracker.hashAt(at) };
  }
}
