import type { BlockRef } from '../../rpc/block-ref';

export interface GenesisOptions {
  /** Milliseconds of any clock that does not step backwards. */
  readonly now: () => number;
  /** Whether anybody wants to know; a node is not asked before. */
  readonly isWanted: () => boolean;
  /** Block 0 of a node; undefined where it has none, as one that was pruned, or does not answer. */
  readonly ask: (node: string) => Promise<BlockRef | undefined>;
}

/** After this time a node that could not tell is asked again. */
const ASK_AGAIN_MS = 30_000;

/**
 * The hash of the chain's first block, from any node that has it. What processes share is told apart by it, as one
 * chain id stands for every development chain there ever was. Nothing waits for it.
 */
export class Genesis {
  private known: { readonly hash: string; readonly from: string } | undefined;
  private readonly askedAt = new Map<string, number>();
  private turn = 0;

  constructor(private readonly options: GenesisOptions) {}

  get hash(): string | undefined {
    return this.known?.hash;
  }

  /** The node answers its probes. */
  async noteUp(node: string): Promise<void> {
    const { now, isWanted, ask } = this.options;
    if (this.known !== undefined || !isWanted()) return;
    if (now() - (this.askedAt.get(node) ?? -Infinity) < ASK_AGAIN_MS) return;
    this.askedAt.set(node, now());
    const { turn } = this;
    const block = await ask(node);
    if (block?.number !== 0 || turn !== this.turn) return;
    this.known ??= { hash: block.hash, from: node };
  }

  /** The node went down: what is at its address when it is back may be another chain. */
  forgetFrom(node: string): void {
    this.askedAt.delete(node);
    if (this.known?.from === node) this.forget();
  }

  /** It is asked for anew. */
  forget(): void {
    this.turn++;
    this.known = undefined;
    this.askedAt.clear();
  }
}
