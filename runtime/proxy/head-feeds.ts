import type { HeadTracker } from '../chain/head-tracker';
import type { NodeConfig } from '../config/schema';
import type { NodeView } from '../nodes/node';
import type { Registry } from '../nodes/registry';
import type { BlockRef } from '../rpc/block-ref';
import type { NodeError } from '../upstream/errors';
import { NodeSocket } from '../upstream/node-socket';
import type { BlockWaiters } from './block-waiters';
import { HeadFeed } from './head-feed';

export interface HeadFeedsOptions {
  /** Those without `wsUrl` are left to the prober. */
  readonly nodes: readonly NodeConfig[];
  readonly chainId: number;
  /** For the TCP handshake, in milliseconds. */
  readonly connectTimeoutMs: number;
  readonly tracker: HeadTracker;
  readonly registry: Registry;
  readonly waiters: BlockWaiters;
  /** A node's newest block, asked for over HTTP; undefined where it does not answer. */
  readonly latest: (node: string) => Promise<BlockRef | undefined>;
  readonly events: HeadFeedEvents;
}

export interface HeadFeedEvents {
  /** The node's new blocks are followed, again or for the first time. */
  readonly onSocketOpen: (event: { readonly node: string }) => void;
  /** They are not any more, or could not be from the start; told once until they are. */
  readonly onSocketLost: (event: { readonly node: string; readonly code: string; readonly reason: string }) => void;
  /** A question of our own was sent to the node. */
  readonly onProbe: (node: string) => void;
}

type State = 'new' | 'following' | 'lost';

/**
 * Raises the head between probes: nodes with a WebSocket tell of their new blocks themselves. Such a block is believed
 * as one a probe found. Whether a node is healthy stays with its probes, and a lost socket says nothing of that.
 */
export class HeadFeeds {
  private readonly sockets: readonly NodeSocket[];
  private readonly states = new Map<string, State>();

  constructor(private readonly options: HeadFeedsOptions) {
    this.sockets = options.nodes.flatMap(({ name, wsUrl }) => (wsUrl === undefined ? [] : [this.create(name, wsUrl)]));
  }

  start(): void {
    for (const socket of this.sockets) socket.start();
  }

  async close(): Promise<void> {
    await Promise.all(this.sockets.map((socket) => socket.close()));
  }

  /** Whether the node's new blocks are followed; undefined where it has no WebSocket. */
  isFollowing(node: string): boolean | undefined {
    const state = this.states.get(node);
    return state === undefined ? undefined : state === 'following';
  }

  private create(node: string, url: string): NodeSocket {
    const { chainId, connectTimeoutMs, latest, events } = this.options;
    this.states.set(node, 'new');
    return new NodeSocket({
      node,
      url,
      connectTimeoutMs,
      random: Math.random,
      onLost: (error) => this.lost(node, error),
      onOpen: (connection) => {
        const feed = new HeadFeed(connection, {
          node,
          chainId,
          latest: () => latest(node),
          onFollowing: () => this.following(node),
          onBlocks: (blocks) => this.told(node, blocks),
          onAsk: () => events.onProbe(node),
        });
        void feed.start();
      },
    });
  }

  private told(name: string, blocks: readonly BlockRef[]): void {
    const { tracker, registry, waiters } = this.options;
    const node = registry.nodes.find((one) => one.name === name);
    // Not probed yet, on another chain, or silent to its probes: what it tells does not count before they are content.
    if (node === undefined || node.health.state === 'down') return;
    const news = blocks.filter((block) => !this.isOld(node, block));
    for (const block of news) tracker.observe(name, block);
    // Of a reorganisation told block by block only the end is where the node stands; before that it would seem to lag.
    const newest = news.at(-1);
    if (newest === undefined) return;
    registry.told(node, newest);
    waiters.wake();
  }

  /** Behind one address may be several machines: one that is late does not take back what another has shown. */
  private isOld({ head }: NodeView, { number, hash }: BlockRef): boolean {
    const { tracker } = this.options;
    return head !== undefined && number <= head.number && tracker.has(hash) && tracker.has(head.hash);
  }

  private following(node: string): void {
    if (this.states.get(node) === 'following') return;
    this.states.set(node, 'following');
    this.options.events.onSocketOpen({ node });
  }

  private lost(node: string, { code, message }: NodeError): void {
    if (this.states.get(node) === 'lost') return;
    this.states.set(node, 'lost');
    this.options.events.onSocketLost({ node, code, reason: message });
  }
}
