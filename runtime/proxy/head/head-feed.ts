import { continues } from '../../nodes/continuity';
import { parseBlock, parseChainId, ProbeError } from '../../nodes/probe';
import type { BlockRef } from '../../rpc/block-ref';
import type { SocketConnection } from '../../upstream/socket-connection';

export interface HeadFeedOptions {
  /** The node's name, for messages. */
  readonly node: string;
  /** What the node must answer to `eth_chainId`. */
  readonly chainId: number;
  /** The node's newest block, asked for over HTTP; undefined where it does not answer. */
  readonly latest: () => Promise<BlockRef | undefined>;
  /** The node is on the right chain, and tells of new blocks from now on. */
  readonly onFollowing: () => void;
  /** Blocks the node has told, in its order; the last is its newest. */
  readonly onBlocks: (blocks: readonly BlockRef[]) => void;
  /** A question goes to the node. */
  readonly onAsk: () => void;
}

/** How long a question of ours may take, in milliseconds. */
const ASK_MS = 5000;
/** Blocks of a reorganisation that are kept, to be told in order, while the node's chain is asked for. */
const MOST_HELD = 64;

/**
 * The new blocks one connection tells. Nothing of them counts before the connection has named its chain, and again when
 * a block does not continue the one before: it may be a reorganisation, or another chain behind the same address.
 */
export class HeadFeed {
  private last: BlockRef | undefined;
  /** Told while the chain is asked for; undefined while it is not. */
  private held: BlockRef[] | undefined;

  constructor(
    private readonly connection: SocketConnection,
    private readonly options: HeadFeedOptions,
  ) {}

  /** Resolves when blocks are followed, or the connection has ended. */
  async start(): Promise<void> {
    const { latest, onFollowing, onAsk } = this.options;
    try {
      await this.checkChain();
      onAsk();
      await this.connection.subscribe(['newHeads'], (header) => this.told(header), ASK_MS);
      onFollowing();
      // What came while nobody listened. By HTTP: a whole block may be larger than a message should be.
      const block = await latest();
      if (block !== undefined && this.last === undefined) this.take(block);
    } catch (error) {
      this.giveUp(error);
    }
  }

  private told(header: unknown): void {
    try {
      this.take(parseBlock(header));
    } catch (error) {
      if (!(error instanceof ProbeError)) throw error;
      this.connection.fail(`${this.options.node} told of a new block that is none`);
    }
  }

  private take(block: BlockRef): void {
    if (this.held !== undefined) {
      this.held.push(block);
      if (this.held.length > MOST_HELD) this.held.shift();
    } else if (this.last === undefined || continues(this.last, block)) {
      this.pass([block]);
    } else {
      this.held = [block];
      void this.passWhenChecked();
    }
  }

  private async passWhenChecked(): Promise<void> {
    try {
      await this.checkChain();
    } catch (error) {
      this.giveUp(error);
      return;
    }
    const blocks = this.held ?? [];
    this.held = undefined;
    this.pass(blocks);
  }

  private pass(blocks: readonly BlockRef[]): void {
    this.last = blocks.at(-1);
    this.options.onBlocks(blocks);
  }

  private async checkChain(): Promise<void> {
    const { node, chainId, onAsk } = this.options;
    onAsk();
    const actual = parseChainId(await this.connection.request('eth_chainId', [], ASK_MS));
    if (actual !== chainId)
      throw new ProbeError(`the WebSocket of ${node} is on chain ${actual}, not on chain ${chainId}`);
  }

  /** All that ends up here is the node's doing; where the connection has ended already, nothing happens. */
  private giveUp(error: unknown): void {
    this.connection.fail(error instanceof Error ? error.message : String(error));
  }
}
