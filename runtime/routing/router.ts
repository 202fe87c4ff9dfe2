import type { NodeView } from '../nodes/node';
import type { BlockNeed } from '../rpc/block-need';
import { findCandidates, type NoCandidate, whyNone } from './eligibility';
import { pickTwoChoices } from './p2c';
import { toReason } from './reason';
import { type ClientHash, createClientHash, type HashedClient, pickByHash } from './rendezvous';
import {
  isServing,
  judge,
  LAST_RESORT_RANK,
  rankOf,
  type RouteRequest,
  type RoutingRules,
  type ServingVerdict,
} from './verdict';

export interface RouterOptions extends RoutingRules {
  /** The nodes of the chain now. */
  readonly nodes: () => readonly NodeView[];
  /** How a request finds its node among the candidates: by load, or always the same one for a client. */
  readonly balancing: 'p2c' | 'client-ip-hash';
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

export interface PickRequest extends RouteRequest {
  /** Whose request it is; without one `client-ip-hash` balances by load. */
  readonly client?: HashedClient | undefined;
  /**
   * Always the same node for a client, as under `client-ip-hash`: for what a node keeps count of, such as the nonces of
   * transactions it signs itself.
   */
  readonly steady?: boolean;
  /** The name of a node to take if it may serve and is not a last resort, whatever its tier and load. */
  readonly prefer?: string | undefined;
}

export type Pick = { readonly kind: 'node'; readonly node: NodeView; readonly verdict: ServingVerdict } | NoCandidate;

export interface NodeReason {
  readonly name: string;
  /** A request may be sent to the node now. */
  readonly eligible: boolean;
  readonly reason: string;
}

/** Chooses the node for each attempt of a request. */
export class Router {
  readonly #options: RouterOptions;
  readonly #hash: ClientHash = createClientHash();
  /** Filled anew by each pick, which is over before the next begins. */
  readonly #candidates: NodeView[] = [];

  constructor(options: RouterOptions) {
    this.#options = options;
  }

  /** @param now epoch milliseconds */
  pick(request: PickRequest, now: number): Pick {
    const nodes = this.#options.nodes();
    const preferred = request.prefer === undefined ? undefined : this.#pickPreferred(nodes, request, now);
    if (preferred !== undefined) return preferred;
    const verdict = findCandidates(nodes, request, this.#options, now, this.#candidates);
    const node = verdict === undefined ? undefined : this.#balance(request);
    if (verdict === undefined || node === undefined) return whyNone(nodes, request, this.#options, now);
    return { kind: 'node', node, verdict };
  }

  /**
   * Tells of every node whether a request would go to it, and why or why not. Not for the hot path.
   *
   * @param now epoch milliseconds
   */
  reasons(need: BlockNeed, now: number, method = ''): NodeReason[] {
    const nodes = this.#options.nodes();
    const request: RouteRequest = { need, method, exclude: [] };
    const candidates: NodeView[] = [];
    const best = findCandidates(nodes, request, this.#options, now, candidates);
    const tier = candidates[0]?.tier ?? 0;
    return nodes.map((node) => {
      const verdict = judge(node, request, this.#options, now);
      const eligible = candidates.includes(node);
      const waits = !eligible && verdict === best && node.tier > tier;
      const reason = toReason(verdict, node, request, now);
      return { name: node.name, eligible, reason: waits ? `${reason}, tier ${node.tier} waits for ${tier}` : reason };
    });
  }

  #balance({ client, steady }: PickRequest): NodeView | undefined {
    return client !== undefined && (steady === true || this.#options.balancing === 'client-ip-hash')
      ? pickByHash(this.#candidates, client, this.#hash)
      : pickTwoChoices(this.#candidates, this.#options.random);
  }

  #pickPreferred(nodes: readonly NodeView[], request: PickRequest, now: number): Pick | undefined {
    const node = nodes.find(({ name }) => name === request.prefer);
    if (node === undefined) return undefined;
    const verdict = judge(node, request, this.#options, now);
    return isServing(verdict) && rankOf(verdict) < LAST_RESORT_RANK ? { kind: 'node', node, verdict } : undefined;
  }
}
