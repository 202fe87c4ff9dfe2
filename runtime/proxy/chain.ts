import { MemoryCache } from '../cache/memory-cache';
import type { ChainConfig, HttpConfig, MethodsConfig } from '../config/schema';
import type { RequestContext } from '../front/exchange';
import type { NodeView } from '../nodes/node';
import type { Filters } from '../filters/filters';
import type { SharedRedis } from '../redis/shared-redis';
import { Router } from '../routing/router';
import type { RpcRequest } from '../rpc/message';
import { createMethodPolicy, matcher } from '../rpc/method-policy';
import { branchOf } from '../rpc/named-block';
import type { Outcome } from '../rpc/outcome';
import { rawTransactionHash } from '../rpc/transaction-hash';
import { now } from '../util/clock';
import type { NodeError } from '../upstream/errors';
import { Failover } from '../upstream/failover';
import type { Confirmation, FailoverParts, NodeBook, UpstreamRequest } from '../upstream/failover-parts';
import { RetryBudget } from '../upstream/retry-budget';
import { BlockChecks, type Shown } from './block-checks';
import { ChainNodes } from './chain-nodes';
import type { ChainEvents } from './instrument';
import { createChainFilters } from './chain-filters';
import { ChainFilterNodes } from './filter-nodes';
import { createKeeper } from './keeper';
import { LastSent } from './last-sent';
import { Pipeline } from './pipeline';

/** How many nodes are asked for a pending nonce. */
const PENDING_NODES = 3;

export interface ChainOptions {
  readonly config: ChainConfig;
  readonly http: HttpConfig;
  readonly methods: MethodsConfig;
  readonly redis: SharedRedis;
  readonly events: ChainEvents;
}

/** One chain: the stages a request passes, wired to its nodes. */
export class Chain {
  readonly nodes: ChainNodes;
  /** Undefined where it is switched off. */
  readonly cache: MemoryCache | undefined;
  readonly filters: Filters<RequestContext>;
  private readonly pipeline: Pipeline;
  private readonly lastSent = new LastSent(now);
  private underway = 0;

  constructor({ config, http, methods, redis, events }: ChainOptions) {
    const { failover, cache } = config;
    const nodes = new ChainNodes(config, http, events);
    this.nodes = nodes;
    this.cache = cache.maxBytes === 0 ? undefined : new MemoryCache(cache.maxBytes);
    const checks = new BlockChecks((node, number) => nodes.shownAt(node, number));
    const book = createBook(nodes, events);
    const upstream = this.createUpstream(config, book, checks);
    this.pipeline = new Pipeline({
      rules: { policy: createMethodPolicy(methods.allow, methods.deny), isExtraRead: matcher(failover.readMethods) },
      cache: this.cache,
      isUncached: matcher(cache.except),
      keep:
        this.cache === undefined
          ? () => undefined
          : createKeeper({
              cache: this.cache,
              shortTtlMs: cache.shortTtlMs,
              finalized: () => nodes.head?.finalized,
              stillShows: async (node, number, hash) => (await checks.shows(node, number, hash)) === 'same',
              onKept: events.onKept,
            }),
      upstream,
      filters: (request, context) => this.filters.handle(request, context),
      onCache: events.onCache,
      onHandled: events.onHandled,
      onError: events.onError,
    });
    this.filters = createChainFilters({
      config: config.filters,
      chainId: config.chainId,
      redis,
      nodes: new ChainFilterNodes({
        nodes,
        book,
        upstream,
        onError: events.onError,
        timeoutMs: failover.callTimeoutMs,
      }),
      wasOurs: (hash) => nodes.tracker.wasOurs(hash),
      pipeline: this.pipeline,
      events,
    });
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

  async close(): Promise<void> {
    this.filters.close();
    await this.nodes.close();
  }

  private createUpstream(config: ChainConfig, book: NodeBook, checks: BlockChecks) {
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
      budget: new RetryBudget(config.failover.budgetPercent, config.failover.budgetPerSecond, now),
      book,
      pick: ({ method, row, params, readsPending }, need, tried, { client }) => {
        // Only look-ups and pending reads can tell a node that has the caller's transaction from one that has not.
        const mayPrefer = readsPending || row.namesBlock === true;
        const prefer = mayPrefer ? lastSent.nodeFor(client.key, params, readsPending) : undefined;
        const steady = row.repeat === 'once';
        return router.pick({ need, method, exclude: tried, client, steady, prefer }, now());
      },
      client: (node) => nodes.client(node.name),
      takesHash: (node) => nodes.takesHash(node),
      confirms: this.createConfirm(config, checks),
      admits: (node, result) => nodes.admits(node, result),
      followHead: (node) => nodes.followHead(node),
      head: () => tracker.head,
      nextBlock: (ms) => nodes.nextBlock(ms),
      random: Math.random,
    });
    return async (request: UpstreamRequest, context: RequestContext): Promise<Outcome> => {
      if (request.readsPending && request.method === 'eth_getTransactionCount') {
        const nonce = highestQuantity(await failover.gather(request, context, PENDING_NODES));
        if (nonce !== undefined) return nonce;
      }
      const outcome = await failover.run(request, context);
      if (request.row.repeat === 'raw-transaction') this.noteSent(request, context, outcome);
      return outcome;
    };
  }

  /**
   * What is read by number may be of the branch that its node has just changed to. Where the answer does not tell, the
   * node is asked for the block's hash afterwards; not for what cannot change any more, nor where no other node could
   * do better. State is read by hash; where a node takes none, its answer is served at once and only kept if it holds.
   */
  private createConfirm({ nodes }: ChainConfig, checks: BlockChecks): FailoverParts<RequestContext>['confirms'] {
    const { tracker } = this.nodes;
    const hashAt = (number: number): string | undefined => tracker.hashAt(number);
    return (node, { method, row, at }, result) => {
      if (at === undefined) return 'assumed';
      const branch = result === undefined ? 'untold' : branchOf(method, result, at, hashAt);
      if (branch !== 'untold') return branch === 'ours' ? 'assumed' : 'stray';
      const matters =
        row.block?.takes === 'number' && nodes.length > 1 && at.number > (this.nodes.head?.finalized ?? -1);
      return matters ? confirmed(checks.shows(node.name, at.number, at.hash)) : 'assumed';
    };
  }

  private noteSent({ params }: UpstreamRequest, { client }: RequestContext, outcome: Outcome): void {
    if (outcome.kind !== 'result' || outcome.via === undefined) return;
    const hash = rawTransactionHash({ bytes: params });
    if (hash !== undefined) this.lastSent.note(client.key, outcome.via.node, hash);
  }
}

/** What a caller waits for at most, in milliseconds, for a node to show that it still has a block. */
const CONFIRM_MS = 500;

/** A node that does not tell in time may be busy: nothing is known against its answer. */
async function confirmed(shown: Promise<Shown>): Promise<Confirmation> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Shown>((resolve) => {
    timer = setTimeout(() => resolve('unknown'), CONFIRM_MS);
  });
  const verdict = await Promise.race([shown, late]);
  clearTimeout(timer);
  return ({ same: 'certain', other: 'stray', unknown: 'assumed' } as const)[verdict];
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

/** What attempts tell of nodes goes to the registry, and to whoever counts. */
function createBook({ registry }: ChainNodes, events: ChainEvents): NodeBook {
  return {
    begin: (node) => {
      registry.begin(node);
      events.onAttempt(node.name);
    },
    end: (node) => registry.end(node),
    succeeded: (node, latencyMs, light) => registry.report(node, { kind: 'ok', latencyMs, light }),
    failed: (node: NodeView, error: NodeError, light: boolean) => {
      registry.report(node, { kind: 'failure', code: error.code, light, counts: error.ejects });
      events.onFailure(node.name, error.code, error.message);
    },
    rest: (node, forMs) => registry.report(node, { kind: 'rest', untilMs: now() + forMs }),
    noteMissingState: (node, block) => registry.noteOldestState(node, block + 1),
    noteMissingMethod: (node, method) => registry.noteMethodMissing(node, method),
  };
}
