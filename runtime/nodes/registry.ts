import type { BlockRef } from '../rpc/block-ref';
import { type HealthEvent, type HealthFacts, type HealthRules, nextHealth } from './health';
import type { NodeHealth, NodeTraits, NodeView } from './node';
import { NodeRecord } from './node-record';
import { type CircuitOptions, maxEjected } from './outlier';
import type { ProbeResult } from './probe';

/** What the chain's side knows; read at the moment it is needed. */
export interface ChainFacts {
  readonly head: BlockRef | undefined;
  readonly blockTimeMs: number;
  /** Blocks by which the node claims to be ahead of what is confirmed, if suspiciously far; else 0. */
  suspiciousBy(name: string): number;
}

export interface RegistryHooks {
  /** `health.state` changed. */
  readonly onTransition?: (event: {
    readonly node: string;
    readonly from: NodeHealth['state'];
    readonly to: NodeHealth['state'];
    readonly reason: string;
  }) => void;
  /** Live traffic took the node out, until the time given (epoch ms) at the latest. */
  readonly onEject?: (event: { readonly node: string; readonly reason: string; readonly untilMs: number }) => void;
  /** A request succeeded at a node that was out. */
  readonly onReturn?: (event: { readonly node: string }) => void;
  /** The node is left alone until the time given (epoch ms). */
  readonly onRest?: (event: { readonly node: string; readonly untilMs: number }) => void;
}

export interface RegistryOptions extends RegistryHooks {
  /** Milliseconds since 1970 that never step backwards. */
  readonly now: () => number;
  readonly chain: ChainFacts;
  readonly health: HealthRules;
  readonly circuit: CircuitOptions;
  /** The longest a node may ask to be left alone, in milliseconds. */
  readonly maxRestMs: number;
  /** Milliseconds between two probes of a node. */
  readonly tickMs: () => number;
}

/** What came of a client's request at a node. */
export type NodeOutcome =
  | { readonly kind: 'ok'; readonly latencyMs: number; readonly light: boolean }
  /** `counts` where it speaks against the node; a heavy method's time-out (`TIMEOUT`) never does. */
  | { readonly kind: 'failure'; readonly code: string; readonly light: boolean; readonly counts: boolean }
  /** The node asked to be left alone until then (epoch ms). */
  | { readonly kind: 'rest'; readonly untilMs: number };

export interface MembershipChange {
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/**
 * The nodes of one chain and all that changes about them. Readers get long-lived views; `version` counts what may
 * change a routing decision, apart from requests in flight and latency. A view of a node that was removed stays valid for
 * those who still hold it, and no hook is called for it any more.
 */
export class Registry {
  private list: readonly NodeRecord[] = [];
  private changes = 0;

  constructor(private readonly options: RegistryOptions) {}

  /** In the order of the configuration; another array after each change of membership, else the same. */
  get nodes(): readonly NodeView[] {
    return this.list;
  }

  get version(): number {
    return this.changes;
  }

  /** Whether it is one of the nodes now; those who still hold the view of another tell nothing new by it. */
  has(node: NodeView): boolean {
    return this.list.some((one) => one === node);
  }

  /**
   * The members from now on. By name: who stays keeps health, latency, counts and circuit.
   *
   * @param renewed names of which another node is meant from now on
   */
  apply(traits: readonly NodeTraits[], renewed: ReadonlySet<string> = NONE): MembershipChange {
    const before = new Map(this.list.map((node) => [node.name, node]));
    const now = this.options.now();
    const next = traits.map((one) => {
      const known = renewed.has(one.name) ? undefined : before.get(one.name);
      return known ?? new NodeRecord(one, this.options.circuit, now);
    });
    let changed = next.length !== this.list.length || next.some((node, i) => node !== this.list[i]);
    if (changed) this.list = next;
    traits.forEach((one, i) => (changed = next[i]?.assign(one) === true || changed));
    if (changed) this.changes++;
    const names = new Set(traits.map(({ name }) => name));
    return {
      added: [...names].filter((name) => !before.has(name)),
      removed: [...before.keys()].filter((name) => !names.has(name)),
    };
  }

  /** A request leaves for the node; `end` must follow, once. */
  begin(node: NodeView): void {
    const own = asOwn(node);
    own.inFlight++;
    if (own.circuit.closed) return;
    own.circuit.begin();
    this.showCircuit(own);
  }

  end(node: NodeView): void {
    const own = asOwn(node);
    own.inFlight--;
    if (own.circuit.closed) return;
    own.circuit.end();
    this.showCircuit(own);
  }

  /** What came of it, before `end`. An outcome that says nothing of the node is not reported. */
  report(node: NodeView, outcome: NodeOutcome): void {
    const own = asOwn(node);
    switch (outcome.kind) {
      case 'ok':
        if (outcome.light) own.addLatency(outcome.latencyMs, this.options.now());
        this.succeeded(own);
        return;
      case 'failure':
        if (outcome.counts && (outcome.light || outcome.code !== 'TIMEOUT')) this.failed(own, outcome.code);
        return;
      case 'rest':
        this.rest(own, outcome.untilMs);
    }
  }

  /** An answer to a request showed that the node has this block, newer than what its probes told. */
  showed(node: NodeView, block: BlockRef): void {
    this.move(asOwn(node), { kind: 'block', block, syncing: undefined });
  }

  /**
   * The node told of this block unasked; the chain must have been told before. Nothing of a node that is down counts,
   * and failures of probes stay counted: who tells of blocks may still not answer.
   */
  told(node: NodeView, block: BlockRef): void {
    this.move(asOwn(node), { kind: 'told', block });
  }

  /** What a probe found; the chain must have been told of its block before. A name that is no member is ignored. */
  probed(name: string, result: ProbeResult): void {
    const own = this.list.find((node) => node.name === name);
    if (own === undefined) return;
    const now = this.options.now();
    own.circuit.tick(now, own.inFlight);
    switch (result.kind) {
      case 'block':
        own.addLatency(result.latencyMs, now);
        own.circuit.probeSucceeded(now - result.latencyMs, own.inFlight);
        this.move(own, result);
        break;
      case 'failure':
        this.move(own, { kind: 'failure', code: result.code, live: false });
        break;
      case 'wrong-chain':
        this.move(own, result);
    }
    this.showCircuit(own);
  }

  /** The chain's head moved: who lags may have changed. */
  review(): void {
    for (const node of this.list) this.move(node, { kind: 'review' });
  }

  /** State before `block` is gone on this node; known until the node was down. */
  noteOldestState(node: NodeView, block: number): void {
    const own = asOwn(node);
    if (block <= own.oldestState) return;
    own.oldestState = block;
    this.changes++;
  }

  /** The node answered that it does not know the method; believed for five minutes. */
  noteMethodMissing(node: NodeView, method: string): void {
    asOwn(node).noteMissing(method, this.options.now());
  }

  lacksMethod(node: NodeView, method: string): boolean {
    return asOwn(node).lacks(method, this.options.now());
  }

  private succeeded(own: NodeRecord): void {
    if (own.record.failures > 0) this.move(own, { kind: 'answer' });
    if (!own.circuit.success(this.options.now())) return;
    this.showCircuit(own);
    if (this.has(own)) this.options.onReturn?.({ node: own.name });
  }

  private failed(own: NodeRecord, code: string): void {
    this.move(own, { kind: 'failure', code, live: true });
    const opened = own.circuit.failure(code, this.options.now(), this.mayEject(own));
    this.showCircuit(own);
    const reason = own.ejected;
    if (!opened || reason === undefined || !this.has(own)) return;
    this.options.onEject?.({ node: own.name, reason, untilMs: own.circuit.until });
  }

  /** Nodes that are down leave no gap by being ejected too. */
  private mayEject(own: NodeRecord): boolean {
    let out = 0;
    for (const node of this.list) if (node !== own && !node.circuit.closed && node.health.state !== 'down') out++;
    return out < maxEjected(this.list.length);
  }

  private rest(own: NodeRecord, untilMs: number): void {
    const until = Math.min(untilMs, this.options.now() + this.options.maxRestMs);
    if (until <= own.restingUntil) return;
    own.restingUntil = until;
    this.changes++;
    if (this.has(own)) this.options.onRest?.({ node: own.name, untilMs: until });
  }

  private move(own: NodeRecord, event: HealthEvent): void {
    const from = own.health;
    own.record = nextHealth(own.record, event, this.facts(own), this.options.health);
    const to = own.health;
    if (from.state === to.state) return;
    this.changes++;
    // A node that comes back may have been synced anew.
    if (from.state === 'down') own.oldestState = 0;
    if (!this.has(own)) return;
    const reason = to.state === 'up' ? `at block ${to.head.number}` : to.reason;
    this.options.onTransition?.({ node: own.name, from: from.state, to: to.state, reason });
  }

  private facts(own: NodeRecord): HealthFacts {
    const { chain, now, tickMs } = this.options;
    return {
      now: now(),
      chainHead: chain.head,
      blockTimeMs: chain.blockTimeMs,
      tickMs: tickMs(),
      latencyMs: own.latencyMs,
      suspiciousBy: chain.suspiciousBy(own.name),
    };
  }

  private showCircuit(own: NodeRecord): void {
    const { ejected } = own.circuit;
    if (own.ejected === ejected) return;
    own.ejected = ejected;
    this.changes++;
  }
}

const NONE: ReadonlySet<string> = new Set();

/** All views are handed out by a registry; one made elsewhere is a mistake of ours. */
function asOwn(node: NodeView): NodeRecord {
  if (node instanceof NodeRecord) return node;
  throw new TypeError(`node ${node.name} does not come from a registry`);
}
