import type { BlockName } from '../rpc/block-ref';
import type { HeadView } from '../rpc/head-view';
import type { Outcome } from '../rpc/outcome';
import type { NodeFilter } from './record';

/** Where a node that keeps a filter stands. */
export type Stand =
  /** The newest of our blocks that it has. */
  | { readonly kind: 'at'; readonly block: BlockName }
  /** It is there, but asked for a pause, or is on another branch for the moment. */
  | { readonly kind: 'unsure' }
  /** It is no node any more, or not the one it was, or not one to rely on. */
  | { readonly kind: 'gone' };

export type MadeFilter =
  { readonly kind: 'made'; readonly filter: NodeFilter } | { readonly kind: 'failed'; readonly outcome: Outcome };

/** The filters that nodes keep. @typeParam C who calls */
export interface FilterNodes<C> {
  /** Has a node keep a filter, whichever can. */
  make(caller: C, method: string, params: readonly unknown[]): Promise<MadeFilter>;
  /** The node's newest block now; undefined where it does not tell. */
  height(node: string): Promise<number | undefined>;
  stand(filter: NodeFilter, head: HeadView): Stand;
  /** Whether the node that keeps it asked for a pause. */
  rests(filter: NodeFilter): boolean;
  /**
   * What the filter tells, which it tells once; undefined where it does not within the caller's time, or nobody knows
   * whether it did.
   */
  changes(filter: NodeFilter, caller: C): Promise<Buffer | undefined>;
  /** The node need not keep it any more; nobody waits for that. */
  remove(filter: NodeFilter): void;
  /** The head after a node told a log, in a list, that may be above it; undefined where it is not believed. */
  raise(node: string, logs: Buffer): Promise<HeadView | undefined>;
}
