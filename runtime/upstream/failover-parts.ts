import type { NodeView } from '../nodes/node';
import type { BlockNeed } from '../rpc/block-need';
import type { BlockName, BlockRef } from '../rpc/block-ref';
import type { MethodRow } from '../rpc/methods';
import type { Cancel } from '../util/cancellation';
import type { NodeError } from './errors';
import type { NodeClient } from './node-client';
import type { RetryBudget } from './retry-budget';

export interface UpstreamRequest {
  readonly method: string;
  readonly row: MethodRow;
  readonly params: Buffer;
  readonly need: BlockNeed;
  /** The block the answer is about, where it is known to the hash. */
  readonly at: BlockName | undefined;
  /** The answer counts only if its node shows afterwards that it has this block; undefined where no proof is asked for. */
  readonly proof: BlockName | undefined;
  /** It reads what is not mined yet, on which nodes differ. */
  readonly readsPending: boolean;
  /** The answer is kept, shared or looked into, so it is held whole as far as it is small enough for that. */
  readonly wholeWanted: boolean;
  /** The params with the block named by its hash, where that can be done. */
  readonly paramsByHash: Buffer | undefined;
  /** The same request, pinned to another block; for when no node has the head. */
  pinnedTo(block: BlockName): UpstreamRequest;
}

/** Who waits for the answer, and how long. */
export interface Caller {
  /** On the clock of performance.now(). */
  readonly deadline: number;
  /** Cancelled when nobody waits any more. */
  readonly cancel: Cancel;
}

/** What routing says; each refusal asks something else of us. */
export type Picked =
  | { readonly kind: 'node'; readonly node: NodeView }
  /** No eligible node has the block yet. `best` is the newest block of those who could answer otherwise. */
  | { readonly kind: 'no-block'; readonly best: BlockRef | undefined }
  /** Everybody who could serve was tried already. */
  | { readonly kind: 'tried' }
  /** All who could serve have as much in flight as they may. */
  | { readonly kind: 'busy' }
  | { readonly kind: 'resting'; readonly retryAfterMs: number }
  | { readonly kind: 'no-method' }
  | { readonly kind: 'no-node' };

/** What nodes/registry offers here. */
export interface NodeBook {
  begin(node: NodeView): void;
  end(node: NodeView): void;
  succeeded(node: NodeView, latencyMs: number, light: boolean): void;
  failed(node: NodeView, error: NodeError, light: boolean): void;
  rest(node: NodeView, forMs: number): void;
  noteMissingState(node: NodeView, block: number): void;
  noteMissingMethod(node: NodeView, method: string): void;
}

/**
 * What is known of the block an answer is of: `certain` where the node showed afterwards that it still has the block,
 * `stray` where it is of another branch, `assumed` where nothing speaks against it.
 */
export type Confirmation = 'certain' | 'assumed' | 'stray';

export interface FailoverRules {
  readonly maxAttempts: number;
  readonly lightTimeoutMs: number;
  readonly callTimeoutMs: number;
  readonly waitForBlockMs: number;
}

export interface FailoverParts<C extends Caller> {
  readonly rules: FailoverRules;
  readonly budget: RetryBudget;
  readonly book: NodeBook;
  readonly pick: (request: UpstreamRequest, need: BlockNeed, tried: readonly NodeView[], caller: C) => Picked;
  readonly client: (node: NodeView) => NodeClient;
  /** Whether the node reads state at `{blockHash}`. */
  readonly takesHash: (node: NodeView) => boolean;
  /**
   * Whether the answer is of the block it was pinned to, as far as that can be known: by the blocks it names, or because
   * the node still has that block. `result` is undefined for what streams.
   */
  readonly confirms: (
    node: NodeView,
    request: UpstreamRequest,
    result: Buffer | undefined,
  ) => Confirmation | Promise<Confirmation>;
  /**
   * Told of an answer that may name a block above the head; raises the head where the block is believed.
   * False where it is not: such an answer is withheld.
   */
  readonly admits: (node: NodeView, result: Buffer) => Promise<boolean>;
  /** Lets the head follow the node at once; for an answer that is too large to look into. */
  readonly followHead: (node: NodeView) => Promise<void>;
  readonly head: () => BlockName | undefined;
  /** Resolves when some node shows a new block, or after `ms`. */
  readonly nextBlock: (ms: number) => Promise<void>;
  readonly random: () => number;
}
