import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { HeadTracker } from '../../chain/head-tracker';
import type { ChainConfig, HttpConfig } from '../../config/schema';
import type { NodeView } from '../../nodes/node';
import type { ProbeResult } from '../../nodes/probe';
import { tickMs } from '../../nodes/probe-pace';
import { Prober } from '../../nodes/prober';
import { Registry } from '../../nodes/registry';
import type { SharedRedis } from '../../redis/shared-redis';
import type { HeadView } from '../../rpc/head-view';
import type { NodeClient } from '../../upstream/node-client';
import { now } from '../../util/clock';
import { BlockWaiters } from '../head/block-waiters';
import { ChainSharing } from '../head/chain-sharing';
import { HeadFeeds } from '../head/head-feeds';
import { NamedBlocks } from '../head/named-blocks';
import { PinnedHead } from '../head/pinned-head';
import type { ChainEvents } from '../instrument';
import { nodeChanges } from '../reload/node-changes';
import { enoughOfTheNew, tryOut, type TryOutOptions } from '../reload/try-out';
import { HashTakers } from './hash-takers';
import { NodeClients } from './node-clients';
import { markOf, type NodeIdentity } from './node-identity';
import { NodeQuestions } from './node-questions';
import { NodeRuns } from './node-runs';

/** How long nodes that come where others go may take to show that they can serve, in milliseconds. */
const TRY_OUT_MS = 2000;

/** What the configuration says, as long as it says so. */
interface Settings {
  config: ChainConfig;
  http: HttpConfig;
}

/** The nodes of one chain: what they are asked to be known by, and what follows for the head and their health. */
export class ChainNodes {
  readonly tracker: HeadTracker;
  readonly registry: Registry;
  readonly feeds: HeadFeeds;
  private readonly settings: Settings;
  private readonly blocks: NamedBlocks;
  private readonly clients: NodeClients;
  private readonly questions: NodeQuestions;
  private readonly waiters = new BlockWaiters();
  private readonly runs = new NodeRuns(now);
  private readonly takers: HashTakers;
  private readonly sharing: ChainSharing;
  private readonly pinned: PinnedHead;
  private readonly prober: Prober;
  private readonly stop = new AbortController();

  constructor(
    config: ChainConfig,
    http: HttpConfig,
    redis: SharedRedis,
    private readonly events: ChainEvents,
  ) {
    const { chainId, nodes } = config;
    const settings = (this.settings = { config, http });
    // Each question under way listens to it.
    setMaxListeners(0, this.stop.signal);
    const tick = (): number => tickMs(this.tracker.blockTimeMs, settings.config.health.intervalMs);
    this.clients = new NodeClients({
      get connectTimeoutMs() {
        return settings.config.failover.connectTimeoutMs;
      },
      get maxResponseBytes() {
        return settings.http.maxResponseBytes;
      },
    });
    this.questions = new NodeQuestions({
      client: (node) => this.client(node),
      onAsk: events.onProbe,
      signal: this.stop.signal,
    });
    const { questions } = this;
    this.tracker = new HeadTracker({
      now,
      get maxLagBlocks() {
        return settings.config.health.maxLagBlocks;
      },
      onChange: (change) => {
        this.pinned.moved(change.head);
        if (change.reorg) events.onReorg();
        this.registry.review();
        this.sharing.headChanged(change);
      },
    });
    this.pinned = new PinnedHead(this.tracker);
    this.registry = new Registry({
      now,
      chain: this.tracker,
      get health() {
        return settings.config.health;
      },
      circuit: { random: Math.random },
      get maxRestMs() {
        return settings.config.failover.maxRestMs;
      },
      tickMs: tick,
      onTransition: (event) => {
        if (event.to === 'down') {
          this.runs.wentDown(event.node);
          this.lose(event.node, event.reason);
        }
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
      (node, method, params) => questions.ask(node, method, params),
      () => `0x${randomBytes(32).toString('hex')}`,
    );
    this.prober = new Prober({
      send: (...question) => questions.ask(...question),
      chainId,
      tickMs: tick,
      get probeTimeoutMs() {
        return settings.config.health.probeTimeoutMs;
      },
      now,
      random: Math.random,
      onResult: (node, result) => this.probed(node, result),
      signal: this.stop.signal,
    });
    this.feeds = new HeadFeeds({
      chainId,
      get connectTimeoutMs() {
        return settings.config.failover.connectTimeoutMs;
      },
      tracker: this.tracker,
      registry: this.registry,
      waiters: this.waiters,
      latest: (node) => questions.blockAt(node, 'latest'),
      events,
    });
    this.blocks = new NamedBlocks({
      tracker: this.tracker,
      registry: this.registry,
      waiters: this.waiters,
      blockAt: (node, block) => questions.blockAt(node, block),
      shownAt: (node, number) => questions.shownAt(node, number),
    });
    this.sharing = new ChainSharing({
      redis,
      chainId,
      tracker: this.tracker,
      registry: this.registry,
      blockAt: (node, block) => questions.blockAt(node, block),
      isFollowing: (node) => this.feeds.isFollowing(node) === true,
      followHead: (node) => this.blocks.followHead(node),
      signal: this.stop.signal,
    });
    for (const { name } of nodes) this.runs.begin(name);
    this.registry.apply(nodes);
    this.clients.apply(this.registry.nodes, new Map(nodes.map((node) => [node.name, this.clients.make(node)])));
    this.tracker.setNodes(nodes.map(({ name }) => name));
    this.feeds.apply(nodes);
  }

  /** What requests that arrive now are pinned to. */
  get head(): HeadView | undefined {
    return this.pinned.current;
  }

  /** See {@link ChainSharing.identity}. */
  get identity(): string | undefined {
    return this.sharing.identity;
  }

  /** Undefined where there is no node of that name. */
  identityOf(name: string): NodeIdentity | undefined {
    const node = this.settings.config.nodes.find((one) => one.name === name);
    const run = this.runs.of(name);
    return node && run && { mark: markOf(node), ...run };
  }

  /** An attempt found nobody there. */
  noteBreak(node: NodeView): void {
    if (this.registry.has(node)) this.runs.broke(node.name);
  }

  /** Begins to probe. @returns when each node was probed once, well or badly. */
  async start(): Promise<void> {
    await this.prober.apply(this.settings.config.nodes.map(({ name }) => name));
    // Nothing a node tells counts before it was probed.
    this.feeds.start();
    this.sharing.start();
  }

  /**
   * Other nodes, and other rules for them. Who stays keeps all that is known of it, and its connections. Those who go
   * serve until the new have shown that they can, or have not in time: only one of them may keep old state, know a
   * method, or have room.
   */
  async apply(config: ChainConfig, http: HttpConfig): Promise<void> {
    const { added, removed, moved } = nodeChanges(this.settings.config.nodes, config.nodes);
    const isNew = new Set([...added, ...moved]);
    const newcomers = config.nodes.filter(({ name }) => isNew.has(name));
    const made = new Map(newcomers.map((node) => [node.name, this.clients.make(node)]));
    const leaving = new Set([...removed, ...moved]);
    const enough = enoughOfTheNew(this.registry.nodes, leaving);
    const found = enough === 'none' ? NOTHING_FOUND : await this.tryOut(made, enough);
    if (this.stop.signal.aborted) {
      await Promise.all(Array.from(made.values(), (client) => client.close()));
      return;
    }
    const isOtherPace = config.health.intervalMs !== this.settings.config.health.intervalMs;
    // From here to the end nothing waits, so nobody sees half of it.
    Object.assign(this.settings, { config, http });
    if (isOtherPace) this.prober.hurry();
    const names = config.nodes.map(({ name }) => name);
    const staying = names.filter((name) => !isNew.has(name));
    this.registry.apply(config.nodes, new Set(moved));
    this.clients.apply(this.registry.nodes, made);
    for (const name of leaving) {
      this.runs.forget(name);
      this.forget(name);
    }
    for (const name of isNew) this.runs.begin(name);
    for (const members of [staying, names]) {
      this.tracker.setNodes(members);
      void this.prober.apply(members);
    }
    this.feeds.apply(config.nodes);
    for (const [name, result] of found) this.probed(name, result);
    this.pinned.review();
    this.registry.review();
    for (const name of removed) this.events.onRemoved(name);
  }

  async close(): Promise<void> {
    this.stop.abort();
    await Promise.all([this.prober.ended(), this.feeds.close(), this.sharing.ended()]);
    await this.clients.close();
  }

  /**
   * By its view also of a node that was removed meanwhile.
   *
   * @throws NodeError where no node has the name any more
   */
  client(node: NodeView | string): NodeClient {
    return typeof node === 'string' ? this.clients.named(node) : this.clients.of(node);
  }

  /** See {@link NamedBlocks.admits}. */
  admits(node: NodeView, result: Buffer): Promise<boolean> {
    return this.blocks.admits(node, result);
  }

  /** See {@link NamedBlocks.knows}. */
  knows(result: Buffer): boolean {
    return this.blocks.knows(result);
  }

  /** See {@link NamedBlocks.followHead}. */
  followHead(node: NodeView): Promise<void> {
    return this.blocks.followHead(node);
  }

  /** Resolves when some node shows a block, or after `ms`. */
  nextBlock(ms: number): Promise<void> {
    return this.waiters.wait(ms);
  }

  /** Whether the node reads state at `{blockHash}`. */
  takesHash(node: NodeView): boolean {
    return this.takers.takes(node.name);
  }

  /** See {@link NodeQuestions.shownAt}. */
  shownAt(node: string, number: number): Promise<string | null | undefined> {
    return this.questions.shownAt(node, number);
  }

  private probed(node: string, result: ProbeResult): void {
    if (result.kind === 'block') {
      this.tracker.observe(node, result.block);
      if (result.finalized !== undefined) this.pinned.noteFinal(node, result.finalized);
    }
    if (result.kind !== 'block') this.runs.broke(node);
    this.registry.probed(node, result);
    const isDown = this.registry.nodes.some(({ name, health }) => name === node && health.state === 'down');
    if (isDown && result.kind !== 'block') this.tracker.forget(node);
    if (isDown || result.kind !== 'block') return;
    this.waiters.wake();
    void this.takers.noteHead(node, result.block.hash);
    this.sharing.nodeUp(node);
  }

  private lose(node: string, reason: string): void {
    this.client(node).release(reason);
    this.forget(node);
  }

  private forget(node: string): void {
    this.takers.forget(node);
    this.sharing.nodeLost(node);
    this.pinned.forget(node);
  }

  private tryOut(
    clients: ReadonlyMap<string, NodeClient>,
    enough: TryOutOptions['enough'],
  ): Promise<ReadonlyMap<string, ProbeResult>> {
    const { chainId } = this.settings.config;
    return tryOut({ clients, enough, chainId, now, mostMs: TRY_OUT_MS, onAsk: (node) => this.events.onProbe(node) });
  }
}

const NOTHING_FOUND: ReadonlyMap<string, ProbeResult> = new Map();
