import { Coalescer } from '../cache/coalesce';
import { type Keeping, keepingOf } from '../cache/policy';
import { type CachedAnswer, type ResponseCache } from '../cache/response-cache';
import type { RequestContext } from '../front/exchange';
import type { BlockName } from '../rpc/block-ref';
import { refusal } from '../rpc/errors';
import type { HeadView } from '../rpc/head-view';
import type { RpcRequest } from '../rpc/message';
import type { MethodPolicy } from '../rpc/method-policy';
import type { Outcome } from '../rpc/outcome';
import { byHash } from '../rpc/pin';
import { plan, type PlanRules, type RoutedRequest } from '../rpc/plan';
import type { UpstreamRequest } from '../upstream/failover-parts';
import type { Cancel } from '../util/cancellation';

/** `hit_redis` where another process had kept it, `shared` with a request that was under way. */
export type CacheLookup = 'hit' | 'hit_redis' | 'miss' | 'shared' | 'uncached';

export interface PipelineStages {
  readonly rules: PlanRules;
  /** Undefined where answers are neither kept nor shared. */
  readonly cache: ResponseCache | undefined;
  /** Methods whose answers are not kept although they could be. */
  readonly isUncached: (method: string) => boolean;
  /** Keeps an answer that meets its rule; takes its time, as nobody waits for it. */
  readonly keep: (keeping: Keeping, outcome: Outcome) => void;
  /** What another process kept. Undefined, and not a promise, where there is nobody to ask: that costs no time then. */
  readonly recall: (keeping: Keeping, request: RoutedRequest) => Promise<CachedAnswer | undefined> | undefined;
  /** Routing and failover together: sends the request to nodes until one answers. */
  readonly upstream: (request: UpstreamRequest, context: RequestContext) => Promise<Outcome>;
  /** The filter methods. */
  readonly filters: (request: RpcRequest, context: RequestContext) => Promise<Outcome>;
  readonly onCache: (what: CacheLookup) => void;
  readonly onHandled: (method: string, outcome: Outcome, ms: number) => void;
  readonly onError: (error: unknown) => void;
}

/**
 * The path of one request, in one screen:
 *
 * ```text
 * plan ─┬─ refused            a method that is denied
 *       ├─ answered           what we know ourselves, such as the head
 *       ├─ filters            which ask for blocks and logs by `ask`
 *       └─ routed ─▶ cache ─▶ coalesce ─▶ recall ─▶ upstream (route ▸ send ▸ fail over)
 *                      ▲                               │
 *                      └──── keep ◀────────────────────┘
 * ```
 *
 * An exception of ours becomes −32603 for this request and touches no other.
 */
export class Pipeline {
  private readonly flights = new Coalescer<Landing>();

  constructor(private readonly stages: PipelineStages) {}

  async handle(request: RpcRequest, context: RequestContext): Promise<Outcome> {
    const startedAt = performance.now();
    let outcome: Outcome;
    try {
      outcome = await this.decide(request, context);
    } catch (error) {
      this.stages.onError(error);
      outcome = { kind: 'refused', refused: refusal('INTERNAL') };
    }
    this.stages.onHandled(request.method, outcome, performance.now() - startedAt);
    return outcome;
  }

  /**
   * A question of our own on a caller's behalf: it goes the way of requests, and is not counted as one. What is asked by
   * number is proven to be of the branch of the caller's head; {@link Via.asAsked} tells where it could not be.
   */
  async ask(request: RpcRequest, context: RequestContext): Promise<Outcome> {
    const { isExtraRead } = this.stages.rules;
    const planned = plan(request, { policy: OWN_POLICY, isExtraRead }, context.head);
    if (planned.kind !== 'route') throw new Error(`${request.method} is no question for a node`);
    return this.answer(planned.request, request, context, proofOf(planned.request, context.head));
  }

  private decide(request: RpcRequest, context: RequestContext): Outcome | Promise<Outcome> {
    const planned = plan(request, this.stages.rules, context.head);
    switch (planned.kind) {
      case 'refused':
        return planned;
      case 'answer':
        return { kind: 'result', result: planned.result };
      case 'filter':
        return this.stages.filters(request, context);
      case 'route':
        return this.answer(planned.request, request, context);
    }
  }

  private answer(
    routed: RoutedRequest,
    request: RpcRequest,
    context: RequestContext,
    proof?: BlockName,
  ): Outcome | Promise<Outcome> {
    const { cache, isUncached, onCache, rules, upstream } = this.stages;
    const keeping =
      cache === undefined || isUncached(routed.method) ? undefined : keepingOf(routed, context.head?.finalized);
    if (cache === undefined || keeping === undefined) {
      onCache('uncached');
      return upstream(new PlannedRequest(routed, request, rules, false, proof), context);
    }
    const kept = cache.get(keeping.key);
    if (kept !== undefined) {
      onCache('hit');
      return toOutcome(kept);
    }
    return this.share(keeping, routed, new PlannedRequest(routed, request, rules, true, proof), context);
  }

  /** Asks once for all who want the same at the same time. */
  private async share(
    keeping: Keeping,
    routed: RoutedRequest,
    request: UpstreamRequest,
    context: RequestContext,
  ): Promise<Outcome> {
    const { cache, keep, onCache, recall, upstream } = this.stages;
    const own: { lookup: CacheLookup } = { lookup: 'shared' };
    const joined = await this.flights.join(flightKey(keeping, context.head, request.proof), context, async (shared) => {
      own.lookup = 'miss';
      const recalling = recall(keeping, routed);
      const recalled = recalling && (await recalling);
      if (recalled !== undefined) {
        own.lookup = 'hit_redis';
        cache?.set(keeping.key, recalled, 0);
        return new Landing(toOutcome(recalled));
      }
      const outcome = await upstream(request, new SharedContext(context, shared));
      // What streams is over 1 MiB, too large to keep, and can be read once.
      if (outcome.kind !== 'stream') keep(keeping, outcome);
      else if (shared.cancel.cancelled) outcome.stream.destroy();
      return new Landing(outcome);
    });
    onCache(own.lookup);
    if (joined.kind === 'late') return { kind: 'refused', refused: refusal('DEADLINE', 'the deadline passed') };
    return joined.value.take() ?? upstream(request, context);
  }
}

/** What we ask ourselves is not for the configuration to deny. */
const OWN_POLICY: MethodPolicy = { allows: () => true, names: () => false };

/**
 * What is about no block that is known by its hash may have another answer at the next head, such as a receipt that was
 * null before. So who came at another head does not share it, or a client could see less than it saw already. Nor does
 * who asks for proof share what needs none.
 */
function flightKey({ key, rule }: Keeping, head: HeadView | undefined, proof: BlockName | undefined): string {
  const namesBlock = rule.kind === 'checked' || rule.kind === 'block-hash';
  const plain = namesBlock || head === undefined ? key : `${key}\n${head.hash}`;
  return proof === undefined ? plain : `${plain}\nproven by ${proof.hash}`;
}

/** What shows of which branch an answer is; undefined where it is final, or about no number. */
function proofOf({ need, at }: RoutedRequest, head: HeadView | undefined): BlockName | undefined {
  if (need.kind === 'none' || need.number <= (head?.finalized ?? -1)) return undefined;
  return at ?? head;
}

/** The end of a shared request: for everybody who waits, but for a stream, which the first of them gets. */
class Landing {
  private taken = false;

  constructor(private readonly outcome: Outcome) {}

  take(): Outcome | undefined {
    if (this.outcome.kind === 'stream' && this.taken) return undefined;
    this.taken = true;
    return this.outcome;
  }
}

/** What a shared request is sent with: its first caller's identity, and the time of all who wait. */
class SharedContext implements RequestContext {
  constructor(
    private readonly first: RequestContext,
    private readonly shared: { readonly deadline: number; readonly cancel: Cancel },
  ) {}

  get client() {
    return this.first.client;
  }

  get head() {
    return this.first.head;
  }

  get deadline() {
    return this.shared.deadline;
  }

  get cancel() {
    return this.shared.cancel;
  }
}

function toOutcome({ kind, text }: CachedAnswer): Outcome {
  const bytes = Buffer.from(text, 'latin1');
  return kind === 'result' ? { kind, result: bytes } : { kind, error: bytes };
}

/** A routed request as upstream takes it. What is rarely needed is made when it is. */
class PlannedRequest implements UpstreamRequest {
  readonly method;
  readonly row;
  readonly params;
  readonly need;
  readonly readsPending;
  readonly at;
  readonly wholeWanted;

  constructor(
    routed: RoutedRequest,
    private readonly request: RpcRequest,
    private readonly rules: PlanRules,
    private readonly shared: boolean,
    readonly proof: BlockName | undefined,
  ) {
    this.wholeWanted = shared || routed.row.namesBlock === true;
    this.method = routed.method;
    this.row = routed.row;
    this.params = routed.params;
    this.need = routed.need;
    this.readsPending = routed.readsPending;
    this.at = routed.at;
  }

  get paramsByHash(): Buffer | undefined {
    const { at, row } = this;
    return at?.span !== undefined && row.block?.takes === 'eip1898' ? byHash(this.params, at) : undefined;
  }

  pinnedTo({ number, hash }: BlockName): UpstreamRequest {
    const again = plan(this.request, this.rules, { number, hash, hashAt: () => undefined, finalized: undefined });
    return again.kind === 'route'
      ? new PlannedRequest(again.request, this.request, this.rules, this.shared, this.proof)
      : this;
  }
}
