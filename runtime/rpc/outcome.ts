import type { Readable } from 'node:stream';
import type { Refusal } from './errors';

/** What a request comes to: a node's bytes, or a refusal of ours. */
export type Outcome =
  | { readonly kind: 'result'; readonly result: Buffer; readonly via?: Via }
  /** The node's own error object, passed through byte for byte. */
  | { readonly kind: 'error'; readonly error: Buffer; readonly via?: Via }
  /** A result too large to hold; destroying the stream gives it up. */
  | { readonly kind: 'stream'; readonly stream: Readable; readonly via?: Via }
  | { readonly kind: 'refused'; readonly refused: Refusal };

/** How an answer came about. */
export interface Via {
  readonly node: string;
  /** It is that block's for certain: it was asked by the block's hash, or the node still showed that hash afterwards. */
  readonly exact: boolean;
  /**
   * False where no node had the block it was pinned to, and another was taken, or one of another branch; or where it was
   * to be proven of which branch it is, and was not.
   */
  readonly asAsked: boolean;
}
