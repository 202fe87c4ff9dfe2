import { randomBytes } from 'node:crypto';
import type { HeadChange, HeadTracker } from '../../chain/head-tracker';
import type { NodeView } from '../../nodes/node';
import type { Registry } from '../../nodes/registry';
import type { SharedRedis } from '../../redis/shared-redis';
import type { BlockRef } from '../../rpc/block-ref';
import { now } from '../../util/clock';
import { Genesis } from './genesis';
import { SharedHead } from './shared-head';

export interface ChainSharingParts {
  readonly redis: SharedRedis;
  readonly chainId: number;
  readonly tracker: HeadTracker;
  readonly registry: Registry;
  /** A node's block by number or tag; undefined where it does not answer. */
  readonly blockAt: (node: string, block: string) => Promise<BlockRef | undefined>;
  /** Whether the node tells of its new blocks by itself. */
  readonly isFollowing: (node: string) => boolean;
  /** Looks at the node's newest block now. */
  readonly followHead: (node: NodeView) => Promise<void>;
  readonly signal: AbortSignal;
}

/** What processes share of one chain by Redis: its head, and the name under which they know it. */
export class ChainSharing {
  private readonly genesis: Genesis;
  private readonly head: SharedHead;
  /** Nodes that are being asked for a block that was heard of. */
  private readonly following = new Set<string>();

  constructor(private readonly parts: ChainSharingParts) {
    const { redis, tracker, blockAt, signal } = parts;
    this.genesis = new Genesis({ now, isWanted: () => redis.configured, ask: (node) => blockAt(node, '0x0') });
    this.head = new SharedHead({
      redis: redis.for('head'),
      identity: () => this.identity,
      tracker,
      teller: randomBytes(8).toString('hex'),
      now,
      onHeard: ({ number }) => this.heard(number),
      signal,
    });
  }

  /** Which chain this is, beyond its id: two development chains share that. Undefined until a node has told. */
  get identity(): string | undefined {
    const { hash } = this.genesis;
    return hash === undefined ? undefined : `${this.parts.chainId}-${hash.slice(2, 18)}`;
  }

  start(): void {
    this.head.start();
  }

  /** Resolves when it has ended; abort the signal first. */
  ended(): Promise<void> {
    return this.head.ended();
  }

  headChanged(change: HeadChange): void {
    const { head, previous, reorg } = change;
    // A development chain that was set back may be another one now.
    if (reorg && head.number < (previous?.number ?? 0)) this.genesis.forget();
    this.head.changed();
  }

  /** The node answers its probes. */
  nodeUp(node: string): void {
    void this.genesis.noteUp(node);
  }

  /** The node went down, or is none of the chain's any more. */
  nodeLost(node: string): void {
    this.genesis.forgetFrom(node);
  }

  /** Our nodes may have the block that another process told of: they are asked now, not at their next probe. */
  private heard(number: number): void {
    const { registry, isFollowing, followHead } = this.parts;
    for (const node of registry.nodes) {
      const { name, head, health } = node;
      const mayHaveIt = health.state !== 'down' && (head?.number ?? -1) < number;
      if (!mayHaveIt || isFollowing(name) || this.following.has(name)) continue;
      this.following.add(name);
      void followHead(node).then(() => this.following.delete(name));
    }
  }
}
