import { HeadTracker } from '../chain/head-tracker';
import { nodeUrl } from '../config/node-url';
import type { ChainConfig, HttpConfig, MethodsConfig, NodeConfig } from '../config/schema';
import type { RequestContext } from '../front/exchange';
import type { NodeView } from '../nodes/node';
import { tickMs } from '../nodes/probe-pace';
import type { ProbeResult } from '../nodes/probe';
import { Prober } from '../nodes/prober';
import { Registry } from '../nodes/registry';
import { Router } from '../routing/router';
import { createMethodPolicy, matcher } from '../rpc/method-policy';
import type { RpcRequest } from '../rpc/message';
import type { Outcome } from '../rpc/outcome';
import { now } from '../util/clock';
import type { NodeError } from '../upstream/errors';
import { Failover, type NodeBook } from '../upstream/failover';
import { NodeClient } from '../upstream/node-client';
import { RetryBudget } from '../upstream/retry-budget';
import { BlockWaiters } from './block-waiters';
import type { ChainEvents } from './instrument';
import { createPipeline } from './pipeline';

export interface ChainOptions {
  readonly name: string;
  readonly config: ChainConfig;
  readonly http: HttpConfig;
  readonly methods: MethodsConfig;
  readonly events: ChainEvents;
}

/** One chain: its nodes, its head, and the stages a request passes, wired together. */
export class Chain {
  readonly tracker: HeadTracker;
  readonly registry: Registry;
  /** Requests on their way through the pipeline. */
  readonly inFlight = (): number => this.underway;
  /** The path of one request. */
  readonly handle: (request: RpcRequest, context: RequestContext) => Promise<Outcome>;
  private underway = 0;
  private readonly clients = new Map<string, NodeClient>();
  private readonly waiters = new BlockWaiters();
  private readonly prober: Prober;
  private readonly stop = new AbortController();

  constructor(private readonly options: ChainOptions) {
    const { config, http, methods, events } = options;
    const { health, failover, routing } = config;
    this.tracker = new HeadTracker({
      now,
      maxLagBlocks: health.maxLagBlocks,
      onChange: (change) => {
        if (change.reorg) events.onReorg();
        this.registry.review();
      },
    });
    const tick = (): number => tickMs(this.tracker.blockTimeMs, health.intervalMs);
    this.registry = new Registry({
      now,
      chain: this.tracker,
      health,
      circuit: { random: Math.random },
      maxRestMs: failover.maxRestMs,
      tickMs: tick,
      onTransition: (event) => {
        if (event.to === 'down') this.clients.get(event.node)?.release(event.reason);
        events.onTransition(event);
      },
      onEject: (event) => {
        this.clients.get(event.node)?.release(event.reason);
        events.onEject(event);
      },
      onReturn: events.onReturn,
      onRest: events.onRest,
    });
    for (const node of config.nodes) this.clients.set(node.name, createClient(node, config, http));
    this.registry.apply(config.nodes);
    this.tracker.setNodes(config.nodes.map(({ name }) => name));
    this.prober = new Prober({
      send: (node, method, params, timeoutMs, signal) => this.probe(node, method, params, timeoutMs, signal),
      chainId: config.chainId,
      tickMs: tick,
      probeTimeoutMs: health.probeTimeoutMs,
      now,
      random: Math.random,
      onResult: (node, result) => this.probed(node, result),
      signal: this.stop.signal,
    });
    const pipeline = createPipeline({
      rules: { policy: createMethodPolicy(methods.allow, methods.deny), isExtraRead: matcher(failover.readMethods) },
      upstream: this.createUpstream(routing.recentStateBlocks),
      onHandled: events.onHandled,
      onError: events.onError,
    });
    this.handle = (request, context) => {
      this.underway++;
      return pipeline(request, context).finally(() => this.underway--);
    };
  }

  /** Begins to probe. @returns when each node was probed once, well or badly. */
  start(): Promise<void> {
    return this.prober.apply(this.options.config.nodes.map(({ name }) => name));
  }

  async close(): Promise<void> {
    this.stop.abort();
    await this.prober.ended();
    await Promise.all([...this.clients.values()].map((client) => client.close()));
  }

  private createUpstream(recentStateBlocks: number) {
    const { config } = this.options;
    const router = new Router({
      nodes: () => this.registry.nodes,
      balancing: config.balancing,
      random: Math.random,
      recentStateBlocks,
      lacksMethod: (node, method) => this.registry.lacksMethod(node, method),
      onBranch: ({ head }, number) => head !== undefined && this.tracker.hasBlock(head, number),
    });
    const failover = new Failover<RequestContext>({
      rules: { ...config.failover, waitForBlockMs: config.routing.waitForBlockMs },
      budget: new RetryBudget(config.failover.budgetPercent, config.failover.budgetPerSecond, now),
      book: this.createBook(),
      pick: ({ method, row }, need, tried, { client }) =>
        router.pick({ need, method, exclude: tried, client, steady: row.repeat === 'once' }, now()),
      client: (node) => this.client(node.name),
      head: () => this.tracker.head?.number,
      nextBlock: (ms) => this.waiters.wait(ms),
      random: Math.random,
    });
    return failover.run.bind(failover);
  }

  /** What attempts tell of nodes goes to the registry, and to whoever counts. */
  private createBook(): NodeBook {
    const { registry } = this;
    const { events } = this.options;
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

  private probed(node: string, result: ProbeResult): void {
    if (result.kind === 'block') this.tracker.observe(node, result.block);
    this.registry.probed(node, result);
    const isDown = this.registry.nodes.some(({ name, health }) => name === node && health.state === 'down');
    if (result.kind !== 'block' && isDown) this.tracker.forget(node);
    if (result.kind === 'block') this.waiters.wake();
  }

  private async probe(
    node: string,
    method: string,
    params: readonly unknown[],
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<unknown> {
    const sending = this.client(node).send(method, Buffer.from(JSON.stringify(params)), timeoutMs, timeoutMs, false);
    const cancel = (): void => sending.cancel('TIMEOUT', `${node} did not answer a probe within ${timeoutMs} ms`);
    signal.addEventListener('abort', cancel, { once: true });
    try {
      const answer = await sending.answer;
      if (answer.kind === 'result') return JSON.parse(answer.result.toString('utf8'));
      if (answer.kind === 'stream') answer.stream.destroy();
      throw Object.assign(new Error(`${node} answered a probe with an error`), {
        code: answer.kind === 'error' ? String(answer.code) : 'TOO_LARGE',
      });
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }

  private client(node: string): NodeClient {
    const client = this.clients.get(node);
    if (client === undefined) throw new Error(`there is no client for node ${node}`);
    return client;
  }
}

function createClient(node: NodeConfig, { failover }: ChainConfig, { maxResponseBytes }: HttpConfig): NodeClient {
  const { connectTimeoutMs } = failover;
  return new NodeClient({ node: node.name, url: nodeUrl(node), connectTimeoutMs, maxResponseBytes });
}
