/** What a node must have to answer a request rightly. */
export type BlockNeed =
  | { readonly kind: 'none' }
  /** A read pinned to the chain's head. */
  | { readonly kind: 'head'; readonly number: number }
  /** A block, its transactions, receipts or logs: kept by every full node. */
  | { readonly kind: 'block'; readonly number: number }
  /** The state at a block: pruned by full nodes after a while. */
  | { readonly kind: 'state'; readonly number: number };

export const NO_NEED: BlockNeed = { kind: 'none' };
