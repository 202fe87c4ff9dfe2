import type { BlockRef } from '../rpc/block-ref';

/** The probe's verdict. Where a reason is given it names numbers, never a URL. */
export type NodeHealth =
  | { readonly state: 'up'; readonly head: BlockRef }
  | { readonly state: 'lagging'; readonly head: BlockRef; readonly behind: number; readonly reason: string }
  | { readonly state: 'down'; readonly reason: string; readonly wrongChain: boolean };

/** What the configuration says of a node and routing needs; the address stays with upstream/. */
export interface NodeTraits {
  readonly name: string;
  /** Share of traffic relative to the others in its tier; more than 0. */
  readonly weight: number;
  /** Lower tiers are used first. */
  readonly tier: number;
  /** Requests this node may have in flight; 0 is no bound. */
  readonly maxInFlight: number;
  /** Keeps the state of all blocks. */
  readonly archive: boolean;
}

/**
 * A node as routing sees it. The owner is nodes/registry; everybody else reads. Counts and latency move with every
 * request, so they are plain fields of one long-lived object rather than parts of a copied snapshot.
 */
export interface NodeView extends NodeTraits {
  readonly health: NodeHealth;
  /** Epoch milliseconds of the last change of `health.state`. */
  readonly healthSince: number;
  /** The newest block the node has shown; undefined until the first probe answered. */
  readonly head: BlockRef | undefined;
  readonly inFlight: number;
  /** Smoothed round trip of light requests in milliseconds; undefined before the first. */
  readonly latencyMs: number | undefined;
  /** Taken out by live traffic (the circuit is open), and why. */
  readonly ejected: string | undefined;
  /** The node asked not to be called before this time (epoch ms); 0 when it did not. */
  readonly restingUntil: number;
  /** State older than this block is known to be gone on this node; 0 when nothing is known. */
  readonly oldestState: number;
}
