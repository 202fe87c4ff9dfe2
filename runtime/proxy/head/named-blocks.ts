import type { HeadTracker } from '../../chain/head-tracker';
import type { NodeView } from '../../nodes/node';
import type { Registry } from '../../nodes/registry';
import { toQuantity } from '../../rpc/block-param';
import type { BlockRef } from '../../rpc/block-ref';
import { type NamedBlock, namedBlock } from '../../rpc/named-block';
import type { BlockWaiters } from './block-waiters';

export interface NamedBlocksParts {
  readonly tracker: HeadTracker;
  readonly registry: Registry;
  readonly waiters: BlockWaiters;
  /** A node's block by number or tag; undefined where it does not answer. */
  readonly blockAt: (node: string, block: string) => Promise<BlockRef | undefined>;
  /** The hash a node shows at a number; null where it has no such block, undefined where it does not answer. */
  readonly shownAt: (node: string, number: number) => Promise<string | null | undefined>;
}

/** What answers tell of new blocks, which the head must know of before anybody else. */
export class NamedBlocks {
  constructor(private readonly parts: NamedBlocksParts) {}

  /**
   * An answer that names a block above the head raises the head first, so that who saw a receipt never reads an older
   * state afterwards. One that names a block of another branch is news of a reorg, or from a node on a fork.
   *
   * @returns false where the block is not believed, and so the answer neither
   */
  async admits(node: NodeView, result: Buffer): Promise<boolean> {
    const named = namedBlock(result);
    if (named === undefined || this.isOurs(named)) return true;
    const reached = this.isReached(named);
    const block = await this.parts.blockAt(node.name, reached ? 'latest' : toQuantity(named.number));
    if (block === undefined) return false;
    this.showed(node, block);
    return this.isOurs(named) || (reached && (await this.isOnOurBranch(node.name, block)));
  }

  /** Whether the block an answer names, if any, is at or below the head and of its branch, as far as that is known. */
  knows(result: Buffer): boolean {
    const named = namedBlock(result);
    return named === undefined || this.isOurs(named);
  }

  /** Looks at the node's newest block now, as its next probe would later. */
  async followHead(node: NodeView): Promise<void> {
    const block = await this.parts.blockAt(node.name, 'latest');
    if (block !== undefined) this.showed(node, block);
  }

  private showed(node: NodeView, block: BlockRef): void {
    this.parts.tracker.observe(node.name, block);
    // Routing must know too, or the next read would wait for the node's next probe, and settle for an older block.
    if (block.number > (node.head?.number ?? -1)) this.parts.registry.showed(node, block);
    this.parts.waiters.wake();
  }

  /** What we know of older blocks may itself be of a branch given up unseen; where both have the newest, they agree. */
  private async isOnOurBranch(node: string, latest: BlockRef): Promise<boolean> {
    const number = Math.min(latest.number, this.parts.tracker.head?.number ?? 0);
    const hash = latest.number === number ? latest.hash : await this.parts.shownAt(node, number);
    return typeof hash === 'string' && hash === this.parts.tracker.hashAt(number);
  }

  private isOurs(named: NamedBlock): boolean {
    if (!this.isReached(named)) return false;
    const ours = this.parts.tracker.hashAt(named.number);
    return ours === undefined || named.hash === undefined || ours === named.hash;
  }

  private isReached({ number }: NamedBlock): boolean {
    return (this.parts.tracker.head?.number ?? -1) >= number;
  }
}
