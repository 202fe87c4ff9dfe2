import type { Readable } from 'node:stream';
import type { Refusal } from './errors';

/** What a request comes to: a node's bytes, or a refusal of ours. */
export type Outcome =
  | { readonly kind: 'result'; readonly result: Buffer }
  /** The node's own error object, passed through byte for byte. */
  | { readonly kind: 'error'; readonly error: Buffer }
  /** A result too large to hold; destroying the stream gives it up. */
  | { readonly kind: 'stream'; readonly stream: Readable }
  | { readonly kind: 'refused'; readonly refused: Refusal };
