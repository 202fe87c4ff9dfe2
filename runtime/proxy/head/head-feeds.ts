import type { HeadTracker } from '../../chain/head-tracker';
import type { NodeConfig } from '../../config/schema';
import type { NodeView } from '../../nodes/node';
import type { Registry } from '../../nodes/registry';
import type { BlockRef } from '../../rpc/block-ref';
import type { NodeError } from '../../upstream/errors';
import { NodeSocket } from '../../upstream/node-socket';
import type { BlockWaiters } from './block-waiters';
import { HeadFeed } from './head-feed';

export interface HeadFeedsOptions {
  readonly chainId: number;
  /** For the TCP handshake, in milliseconds; read for each. */
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

interface Feed {
  readonly url: string;
  readonly socket: NodeSocket;
  state: 'new' | 'following' | 'lost';
}

/**
 * Raises the head between probes: nodes with a WebSocket tell of their new blocks themselves. Such a block is believed
 * as one a probe found. Whether a node is healthy stays with its probes, and a lost socket says nothing of that.
 */
export class HeadFeeds {
  private readonly feeds = new Map<string, Feed>();
  private readonly closing = new Set<Promise<void>>();
  private started = false;

  constructor(private readonly options: HeadFeedsOptions) {}

  /** The nodes from now on; those without `wsUrl` are left to the prober. WebSockets to the same address stay. */
  apply(nodes: readonly NodeConfig[]): void {
    const wanted = new Map(nodes.map(({ name, wsUrl }) => [name, wsUrl]));
    for (const [name, { url, socket }] of this.feeds) {
      if (wanted.get(name) === url) continue;
      this.feeds.delete(name);
      const closed = socket.close().then(() => void this.closing.delete(closed));
      this.closing.add(closed);
    }
    for (const [name, url] of wanted) if (url !== undefined && !this.feeds.has(name)) this.add(name, url);
  }

  start(): void {
    this.started = true;
    for (const { socket } of this.feeds.values()) socket.start();
  }

  async close(): Promise<void> {
    this.apply([]);
    await Promise.all(this.closing);
  }

  /** Whether the node's new blocks are followed; undefined where it has no WebSocket. */
  isFollowing(node: string): boolean | undefined {
    const feed = this.feeds.get(node);
    return feed === undefined ? undefined : feed.state === 'following';
  }

  private add(node: string, url: string): void {
    const { options } = this;
    const { chainId, latest } = options;
    const socket = new NodeSocket({
      node,
      url,
      get connectTimeoutMs() {
        return options.connectTimeoutMs;
      },
      random: Math.random,
      onLost: (error) => this.lost(feed, node, error),
      onOpen: (connection) => {
        const following = new HeadFeed(connection, {
          node,
          chainId,
          latest: () => latest(node),
          onFollowing: () => this.following(feed, node),
          onBlocks: (blocks) => this.told(feed, node, blocks),
          onAsk: () => this.asked(feed, node),
        });
        void following.start();
      },
    });
    const feed: Feed = { url, socket, state: 'new' };
    this.feeds.set(node, feed);
    if (this.started) socket.start();
  }

  private told(feed: Feed, name: string, blocks: readonly BlockRef[]): void {
    if (this.feeds.get(name) !== feed) return;
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

  private asked(feed: Feed, node: string): void {
    if (this.feeds.get(node) === feed) this.options.events.onProbe(node);
  }

  private following(feed: Feed, node: string): void {
    if (this.feeds.get(node) !== feed || feed.state === 'following') return;
    feed.state = 'following';
    this.options.events.onSocketOpen({ node });
  }

  private lost(feed: Feed, node: string, { code, message }: NodeError): void {
    if (this.feeds.get(node) !== feed || feed.state === 'lost') return;
    feed.state = 'lost';
    this.options.events.onSocketLost({ node, code, reason: message });
  }
}
