import { MemoryCache } from '../../cache/memory-cache';
import type { ChainConfig, HttpConfig, MethodsConfig } from '../../config/schema';
import type { RequestContext } from '../../front/exchange';
import type { SharedRedis } from '../../redis/shared-redis';
import { Router } from '../../routing/router';
import type { RpcRequest } from '../../rpc/message';
import { createMethodPolicy, matcher } from '../../rpc/method-policy';
import type { Outcome } from '../../rpc/outcome';
import { rawTransactionHash } from '../../rpc/transaction-hash';
import { Failover } from '../../upstream/failover';
import type { NodeBook, UpstreamRequest } from '../../upstream/failover-parts';
import { RetryBudget } from '../../upstream/retry-budget';
import { now } from '../../util/clock';
import type { ChainEvents } from '../instrument';
import { Pipeline } from '../pipeline';
import { BlockChecks } from './block-checks';
import { ChainFilters } from './chain-filters';
import { ChainNodes } from './chain-nodes';
import { createConfirm } from './confirm';
import { ChainFilterNodes } from './filter-nodes';
import { createKeeper } from './keeper';
import { LastSent } from './last-sent';
import { createBook } from './node-book';
import { createRecall, createSharedCache } from './shared-answers';

/** How many nodes are asked for a pending nonce. */
const PENDING_NODES = 3;

export interface ChainOptions {
  readonly config: ChainConfig;
  readonly http: HttpConfig;
  readonly methods: MethodsConfig;
  readonly redis: SharedRedis;
  readonly events: ChainEvents;
}

/** What may be configured anew while the chain stays. */
export type ChainSettings = Pick<ChainOptions, 'config' | 'http' | 'methods'>;

/** Routing and failover together. */
type Upstream = (request: UpstreamRequest, context: RequestContext) => Promise<Outcome>;

/** One chain: the stages a request passes, wired to its nodes. */
export class Chain {
  readonly nodes: ChainNodes;
  readonly filters: ChainFilters;
  private settings: ChainSettings;
  private kept: MemoryCache | undefined;
  private pipeline: Pipeline;
  private upstream: Upstream;
  private readonly redis: SharedRedis;
  private readonly events: ChainEvents;
  private readonly checks: BlockChecks;
  private readonly book: NodeBook;
  private readonly budget: RetryBudget;
  private readonly lastSent = new LastSent(now);
  private underway = 0;

  constructor({ config, http, methods, redis, events }: ChainOptions) {
    this.settings = { config, http, methods };
    this.redis = redis;
    this.events = events;
    this.nodes = new ChainNodes(config, http, redis, events);
    this.checks = new BlockChecks((node, number) => this.nodes.shownAt(node, number));
    const { budgetPercent, budgetPerSecond } = config.failover;
    this.budget = new RetryBudget(budgetPercent, budgetPerSecond, now);
    this.book = createBook(this.nodes, events);
    this.kept = resized(undefined, config.cache.maxBytes);
    this.upstream = this.createUpstream(config);
    this.pipeline = this.createPipeline();
    this.filters = this.createFilters();
  }

  /**
   * Another configuration of the same chain. Requests under way end by the rules they began with; what is known of the
   * chain, its nodes and its answers stays.
   */
  async apply(settings: ChainSettings): Promise<void> {
    const { cache, failover } = settings.config;
    await this.nodes.apply(settings.config, settings.http);
    this.settings = settings;
    this.budget.apply(failover.budgetPercent, failover.budgetPerSecond);
    this.kept = resized(this.kept, cache.maxBytes);
    this.upstream = this.createUpstream(settings.config);
    this.pipeline = this.createPipeline();
    this.filters.apply(settings.config.filters);
  }

  /** Waits for nothing. */
  async close(): Promise<void> {
    this.filters.close();
    await this.nodes.close();
    this.events.onClosed();
  }

  /** Undefined where it is switched off. */
  get cache(): MemoryCache | undefined {
    return this.kept;
  }

  /** Milliseconds a request may take in all. */
  get deadlineMs(): number {
    return this.settings.config.failover.deadlineMs;
  }

  /** Requests on their way through the pipeline. */
  get inFlight(): number {
    return this.underway;
  }

  async handle(request: RpcRequest, context: RequestContext): Promise<Outcome> {
    this.underway++;
    try {
      return await this.pipeline.handle(request, context);
    } finally {
      this.underway--;
    }
  }

  /** By the settings of now. */
  private createPipeline(): Pipeline {
    const { nodes, checks, events, kept } = this;
    const { config, methods } = this.settings;
    const shared = createSharedCache(config.cache, this.redis, nodes);
    return new Pipeline({
      rules: {
        policy: createMethodPolicy(methods.allow, methods.deny),
        isExtraRead: matcher(config.failover.readMethods),
      },
      cache: kept,
      isUncached: matcher(config.cache.except),
      keep:
        kept === undefined
          ? () => undefined
          : createKeeper({
              cache: kept,
              share: shared && ((key, answer) => shared.set(key, answer)),
              shortTtlMs: config.cache.shortTtlMs,
              finalized: () => nodes.head?.finalized,
              stillShows: async (node, number, hash) => (await checks.shows(node, number, hash)) === 'same',
              onKept: events.onKept,
            }),
      recall: createRecall(shared, nodes),
      upstream: this.upstream,
      filters: (request, context) => this.filters.handle(request, context),
      onCache: events.onCache,
      onHandled: events.onHandled,
      onError: events.onError,
    });
  }

  /** They outlive what they ask by, which reloads replace. */
  private createFilters(): ChainFilters {
    const { nodes, book, events, redis } = this;
    const { config } = this.settings;
    const filterNodes = new ChainFilterNodes({
      nodes,
      book,
      upstream: (request, context) => this.upstream(request, context),
      onError: events.onError,
      timeoutMs: () => this.settings.config.failover.callTimeoutMs,
    });
    return new ChainFilters(config.filters, {
      chainId: config.chainId,
      redis,
      nodes: filterNodes,
      wasOurs: (hash) => nodes.tracker.wasOurs(hash),
      ask: (request, context) => this.pipeline.ask(request, context),
      events,
    });
  }

  private createUpstream(config: ChainConfig): Upstream {
    const { nodes, lastSent } = this;
    const { registry, tracker } = nodes;
    const router = new Router({
      nodes: () => registry.nodes,
      balancing: config.balancing,
      random: Math.random,
      recentStateBlocks: config.routing.recentStateBlocks,
      lacksMethod: (node, method) => registry.lacksMethod(node, method),
      onBranch: ({ head }, number) => head !== undefined && tracker.hasBlock(head, number),
    });
    const failover = new Failover<RequestContext>({
      rules: { ...config.failover, waitForBlockMs: config.routing.waitForBlockMs },
      budget: this.budget,
      book: this.book,
      pick: ({ method, row, params, readsPending }, need, tried, { client }) => {
        // Only look-ups and pending reads can tell a node that has the caller's transaction from one that has not.
        const mayPrefer = readsPending || row.namesBlock === true;
        const prefer = mayPrefer ? lastSent.nodeFor(client.key, params, readsPending) : undefined;
        const steady = row.repeat === 'once';
        return router.pick({ need, method, exclude: tried, client, steady, prefer }, now());
      },
      client: (node) => nodes.client(node),
      takesHash: (node) => nodes.takesHash(node),
      confirms: createConfirm(nodes, this.checks),
      admits: (node, result) => nodes.admits(node, result),
      followHead: (node) => nodes.followHead(node),
      head: () => tracker.head,
      nextBlock: (ms) => nodes.nextBlock(ms),
      random: Math.random,
    });
    return async (request, context) => {
      if (request.readsPending && request.method === 'eth_getTransactionCount') {
        const nonce = highestQuantity(await failover.gather(request, context, PENDING_NODES));
        if (nonce !== undefined) return nonce;
      }
      const outcome = await failover.run(request, context);
      if (request.row.repeat === 'raw-transaction') this.noteSent(request, context, outcome);
      return outcome;
    };
  }

  private noteSent({ params }: UpstreamRequest, { client }: RequestContext, outcome: Outcome): void {
    if (outcome.kind !== 'result' || outcome.via === undefined) return;
    const hash = rawTransactionHash({ bytes: params });
    if (hash !== undefined) this.lastSent.note(client.key, outcome.via.node, hash);
  }
}

/** What was kept stays, as far as there is room. @param maxBytes 0 keeps nothing */
function resized(cache: MemoryCache | undefined, maxBytes: number): MemoryCache | undefined {
  if (maxBytes === 0) return undefined;
  cache?.resize(maxBytes);
  return cache ?? new MemoryCache(maxBytes);
}

/** A transaction that one node has and another has not yet makes the lower count a nonce that is used already. */
function highestQuantity(outcomes: readonly Outcome[]): Outcome | undefined {
  let best: Outcome | undefined;
  let most = -1n;
  for (const outcome of outcomes) {
    const text =
      outcome.kind === 'result' ? /^"(0x[0-9a-fA-F]{1,16})"$/.exec(outcome.result.toString('latin1'))?.[1] : '';
    if (text === undefined || text === '' || BigInt(text) <= most) continue;
    most = BigInt(text);
    best = outcome;
  }
  return best;
}
