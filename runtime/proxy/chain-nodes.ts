import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { HeadTracker } from '../chain/head-tracker';
import { nodeUrl } from '../config/node-url';
import type { ChainConfig, HttpConfig, NodeConfig } from '../config/schema';
import type { NodeView } from '../nodes/node';
import { parseBlock, type ProbeResult } from '../nodes/probe';
import { tickMs } from '../nodes/probe-pace';
import { Prober } from '../nodes/prober';
import { Registry } from '../nodes/registry';
import type { SharedRedis } from '../redis/shared-redis';
import { toQuantity } from '../rpc/block-param';
import type { BlockRef } from '../rpc/block-ref';
import type { HeadView } from '../rpc/head-view';
import { type NamedBlock, namedBlock } from '../rpc/named-block';
import { now } from '../util/clock';
import { NodeClient } from '../upstream/node-client';
import { BlockWaiters } from './block-waiters';
import { HashTakers } from './hash-takers';
import { HeadFeeds } from './head-feeds';
import { Genesis } from './genesis';
import type { ChainEvents } from './instrument';
import { SharedHead } from './shared-head';

/** How long a question of our own may take, in milliseconds. */
const ASK_MS = 2000;

/** The nodes of one chain: what they are asked to be known by, and what follows for the head and their health. */
export class ChainNodes {
  readonly tracker: HeadTracker;
  readonly registry: Registry;
  readonly feeds: HeadFeeds;
  private readonly clients = new Map<string, NodeClient>();
  private readonly waiters = new BlockWaiters();
  private readonly takers: HashTakers;
  private readonly genesis: Genesis;
  private readonly sharedHead: SharedHead;
  /** Nodes that are being asked for a block that was heard of. */
  private readonly following = new Set<string>();
  private readonly finals = new Map<string, number>();
  private readonly prober: Prober;
  private readonly stop = new AbortController();
  private view: HeadView | undefined;

  constructor(
    private readonly config: ChainConfig,
    http: HttpConfig,
    redis: SharedRedis,
    private readonly events: ChainEvents,
  ) {
    const { health, failover, nodes } = config;
    // Each question under way listens to it.
    setMaxListeners(0, this.stop.signal);
    const names = nodes.map(({ name }) => name);
    const tick = (): number => tickMs(this.tracker.blockTimeMs, health.intervalMs);
    this.tracker = new HeadTracker({
      now,
      maxLagBlocks: health.maxLagBlocks,
      onChange: (change) => {
        const { head, previous, reorg } = change;
        this.look(head);
        if (reorg) events.onReorg();
        // A development chain that was set back may be another one now.
        if (reorg && head.number < (previous?.number ?? 0)) this.genesis.forget();
        this.registry.review();
        this.sharedHead.changed(change);
      },
    });
    this.registry = new Registry({
      now,
      chain: this.tracker,
      health,
      circuit: { random: Math.random },
      maxRestMs: failover.maxRestMs,
      tickMs: tick,
      onTransition: (event) => {
        if (event.to === 'down') this.lose(event.node, event.reason);
        events.onTransition(event);
      },
      onEject: (event) => {
        this.client(event.node).release(event.reason);
        events.onEject(event);
      },
      onReturn: events.onReturn,
      onRest: events.onRest,
    });
    this.takers = new HashTakers(
      (node, method, params) => this.ask(node, method, params),
      () => `0x${randomBytes(32).toString('hex')}`,
    );
    this.genesis = new Genesis({
      now,
      isWanted: () => redis.configured,
      ask: (node) => this.blockAt(node, '0x0'),
    });
    this.sharedHead = new SharedHead({
      redis: redis.for('head'),
      identity: () => this.identity,
      tracker: this.tracker,
      now,
      onHeard: ({ number }) => this.heard(number),
      signal: this.stop.signal,
    });
    for (const node of nodes) this.clients.set(node.name, createClient(node, config, http));
    this.registry.apply(nodes);
    this.tracker.setNodes(names);
    this.prober = new Prober({
      send: (node, method, params, timeoutMs, signal) => this.ask(node, method, params, timeoutMs, signal),
      chainId: config.chainId,
      tickMs: tick,
      probeTimeoutMs: health.probeTimeoutMs,
      now,
      random: Math.random,
      onResult: (node, result) => this.probed(node, result),
      signal: this.stop.signal,
    });
    this.feeds = new HeadFeeds({
      nodes,
      chainId: config.chainId,
      connectTimeoutMs: failover.connectTimeoutMs,
      tracker: this.tracker,
      registry: this.registry,
      waiters: this.waiters,
      latest: (node) => this.blockAt(node, 'latest'),
      events,
    });
  }

  /** What requests that arrive now are pinned to. */
  get head(): HeadView | undefined {
    return this.view;
  }

  /** Which chain this is, beyond its id: two development chains share that. Undefined until a node has told. */
  get identity(): string | undefined {
    const { hash } = this.genesis;
    return hash === undefined ? undefined : `${this.config.chainId}-${hash.slice(2, 18)}`;
  }

  /** Begins to probe. @returns when each node was probed once, well or badly. */
  async start(): Promise<void> {
    await this.prober.apply(this.config.nodes.map(({ name }) => name));
    // Nothing a node tells counts before it was probed.
    this.feeds.start();
    this.sharedHead.start();
  }

  async close(): Promise<void> {
    this.stop.abort();
    await Promise.all([this.prober.ended(), this.feeds.close(), this.sharedHead.ended()]);
    await Promise.all([...this.clients.values()].map((client) => client.close()));
  }

  client(node: string): NodeClient {
    const client = this.clients.get(node);
    if (client === undefined) throw new Error(`there is no client for node ${node}`);
    return client;
  }

  /** Resolves when some node shows a block, or after `ms`. */
  nextBlock(ms: number): Promise<void> {
    return this.waiters.wait(ms);
  }

  /** Whether the node reads state at `{blockHash}`. */
  takesHash(node: NodeView): boolean {
    return this.takers.takes(node.name);
  }

  /** The hash the node shows at a number now; null where it has no such block, undefined where it does not answer. */
  async shownAt(node: string, number: number): Promise<string | null | undefined> {
    try {
      const block = await this.ask(node, 'eth_getBlockByNumber', [toQuantity(number), false]);
      return block === null ? null : parseBlock(block).hash;
    } catch {
      return undefined;
    }
  }

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
    const block = await this.blockAt(node.name, reached ? 'latest' : toQuantity(named.number));
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
    const block = await this.blockAt(node.name, 'latest');
    if (block !== undefined) this.showed(node, block);
  }

  /** Our nodes may have the block that another process told of: they are asked now, not at their next probe. */
  private heard(number: number): void {
    for (const node of this.registry.nodes) {
      const { name, head, health } = node;
      const mayHaveIt = health.state !== 'down' && (head?.number ?? -1) < number;
      if (!mayHaveIt || this.feeds.isFollowing(name) === true || this.following.has(name)) continue;
      this.following.add(name);
      void this.followHead(node).then(() => this.following.delete(name));
    }
  }

  private showed(node: NodeView, block: BlockRef): void {
    this.tracker.observe(node.name, block);
    // Routing must know too, or the next read would wait for the node's next probe, and settle for an older block.
    if (block.number > (node.head?.number ?? -1)) this.registry.showed(node, block);
    this.waiters.wake();
  }

  /** What we know of older blocks may itself be of a branch given up unseen; where both have the newest, they agree. */
  private async isOnOurBranch(node: string, latest: BlockRef): Promise<boolean> {
    const number = Math.min(latest.number, this.tracker.head?.number ?? 0);
    const hash = latest.number === number ? latest.hash : await this.shownAt(node, number);
    return typeof hash === 'string' && hash === this.tracker.hashAt(number);
  }

  private isOurs(named: NamedBlock): boolean {
    if (!this.isReached(named)) return false;
    const ours = this.tracker.hashAt(named.number);
    return ours === undefined || named.hash === undefined || ours === named.hash;
  }

  private isReached({ number }: NamedBlock): boolean {
    return (this.tracker.head?.number ?? -1) >= number;
  }

  private async blockAt(node: string, block: string): Promise<BlockRef | undefined> {
    try {
      return parseBlock(await this.ask(node, 'eth_getBlockByNumber', [block, false]));
    } catch {
      return undefined;
    }
  }

  private probed(node: string, result: ProbeResult): void {
    if (result.kind === 'block') {
      this.tracker.observe(node, result.block);
      if (result.finalized !== undefined) this.noteFinal(node, result.finalized);
    }
    this.registry.probed(node, result);
    const isDown = this.registry.nodes.some(({ name, health }) => name === node && health.state === 'down');
    if (isDown && result.kind !== 'block') this.tracker.forget(node);
    if (isDown || result.kind !== 'block') return;
    this.waiters.wake();
    void this.takers.noteHead(node, result.block.hash);
    void this.genesis.noteUp(node);
  }

  private lose(node: string, reason: string): void {
    this.client(node).release(reason);
    this.takers.forget(node);
    this.genesis.forgetFrom(node);
    this.finals.delete(node);
  }

  private noteFinal(node: string, number: number): void {
    this.finals.set(node, number);
    if (this.tracker.head !== undefined) this.look(this.tracker.head);
  }

  private look({ number, hash }: BlockRef): void {
    // What the most cautious node calls final is final for all.
    const finalized = this.finals.size === 0 ? undefined : Math.min(...this.finals.values());
    this.view = { number, hash, finalized, hashAt: (at) => this.tracker.hashAt(at) };
  }

  /** A question of our own, outside failover. Rejects with an error that has a `code`. */
  private async ask(
    node: string,
    method: string,
    params: readonly unknown[],
    timeoutMs = ASK_MS,
    signal: AbortSignal = this.stop.signal,
  ): Promise<unknown> {
    const limits = { timeoutMs, deadlineMs: timeoutMs, releasable: false };
    const sending = this.client(node).send(method, Buffer.from(JSON.stringify(params)), limits);
    this.events.onProbe(node);
    const cancel = (): void => sending.cancel('TIMEOUT', `${node} did not answer a probe within ${timeoutMs} ms`);
    signal.addEventListener('abort', cancel, { once: true });
    try {
      const answer = await sending.answer;
      if (answer.kind === 'result') return JSON.parse(answer.result.toString('utf8'));
      if (answer.kind === 'error') throw new RefusedProbe(answer.code);
      answer.stream.destroy();
      throw Object.assign(new Error('a probe was answered at length'), { code: 'TOO_LARGE' });
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }
}

/** A node answered a question of ours with a JSON-RPC error. */
class RefusedProbe extends Error {
  readonly code: string;

  constructor(readonly rpcCode: number) {
    super(`a probe was refused with code ${rpcCode}`);
    this.code = String(rpcCode);
  }
}

function createClient(node: NodeConfig, { failover }: ChainConfig, { maxResponseBytes }: HttpConfig): NodeClient {
  const { connectTimeoutMs } = failover;
  const viaHaproxy = node.localPort !== undefined;
  return new NodeClient({ node: node.name, url: nodeUrl(node), connectTimeoutMs, maxResponseBytes, viaHaproxy });
}
