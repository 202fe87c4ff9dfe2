import type { WeighterConfig } from '../config/weighter-config';
import type { HaproxySocket } from '../haproxy/socket';
import { HaproxySocketError } from '../haproxy/socket-error';
import { ProportionalWeights } from '../routing/proportional-weights';
import { equalWeights, type Observation, type Weighing, type WeightPolicy } from '../routing/weight';
import type { Probe } from './ethers-probe';
import { ProbePool } from './probe-pool';
import { type Change, Reconciler } from './reconcile';
import type { RoundReport, ServerReport } from './round-report';
import {
  type HaproxyView,
  isRestart,
  parseView,
  type ProcessInfo,
  type ServerState,
  VIEW_COMMANDS,
} from './server-state';
import { configuredTargets, discoveredTargets, nameOf, type Target } from './targets';

export interface WeighterOptions {
  readonly config: Pick<WeighterConfig, 'servers' | 'policy' | 'maxBlockAgeMs' | 'maxLatencyMs' | 'smoothingMs'>;
  readonly socket: Pick<HaproxySocket, 'ask'>;
  readonly createProbe: (url: string) => Probe;
  /** Milliseconds since 1970: blocks' timestamps are compared with it. */
  readonly clock: () => number;
}

/**
 * Probes every server, decides what it should weigh, and brings HAProxy to it.
 *
 *     targets (file, or show servers state) ─▶ probes ─▶ a policy per backend ─▶ show servers state ─▶ set weight
 */
export class Weighter {
  private readonly probes: ProbePool;
  private readonly reconciler: Reconciler;
  private policies: ReadonlyMap<string, WeightPolicy> = new Map();
  private targets: readonly Target[] = [];
  /** As HAProxy last told. */
  private states: ReadonlyMap<string, ServerState> = new Map();
  private process: ProcessInfo | undefined;
  private last: RoundReport | undefined;

  constructor(private readonly options: WeighterOptions) {
    this.probes = new ProbePool(options.createProbe);
    this.reconciler = new Reconciler(options.socket);
  }

  /**
   * One round. Never rejects for anything a server or HAProxy does.
   *
   * @param write false to leave HAProxy as it is
   */
  async round(signal: AbortSignal, write = true): Promise<RoundReport> {
    const found = await this.findTargets(signal);
    const at = this.options.clock();
    const results = await this.probes.run(
      this.targets.map(({ url }) => url),
      signal,
    );
    const servers = this.weigh(
      this.targets.flatMap((target) => {
        const result = results.get(target.url);
        return result === undefined ? [] : [{ target, result }];
      }),
      at,
    );
    const settled =
      found.error === undefined
        ? await this.settle(servers, signal, write)
        : { view: undefined, changes: [], error: found.error };
    this.last = { probed: true, at, servers, ...settled };
    return this.last;
  }

  /**
   * For the time between rounds: where HAProxy has restarted, or could not be reached in the last round, gives it
   * the weights that were found then. Undefined where there was nothing to do.
   */
  async repair(signal: AbortSignal): Promise<RoundReport | undefined> {
    const { last } = this;
    if (last === undefined || last.servers.length === 0) return undefined;
    let view: HaproxyView;
    try {
      view = await this.read(signal);
    } catch (error) {
      // The next round tells, unless it has already.
      toSocketError(error);
      return undefined;
    }
    const isNeeded = last.error !== undefined || this.process === undefined || isRestart(this.process, view.process);
    if (!isNeeded) return undefined;
    const settled = await this.settle(last.servers, signal, true);
    this.last = { probed: false, at: last.at, servers: last.servers, ...settled };
    return this.last;
  }

  close(): void {
    this.probes.close();
  }

  /** Where HAProxy cannot be asked, the servers it had are probed all the same. */
  private async findTargets(signal: AbortSignal): Promise<{ readonly error?: HaproxySocketError }> {
    const { servers } = this.options.config;
    if (servers !== undefined) this.targets = configuredTargets(servers);
    try {
      const view = await this.read(signal);
      if (servers === undefined) this.targets = discoveredTargets(view.servers);
      return {};
    } catch (error) {
      return { error: toSocketError(error) };
    }
  }

  private weigh(probed: readonly Omit<ServerReport, 'weighing'>[], at: number): ServerReport[] {
    const backends = new Map<string, Omit<ServerReport, 'weighing'>[]>();
    for (const one of probed) backends.set(one.target.backend, [...(backends.get(one.target.backend) ?? []), one]);
    this.policies = new Map([...backends.keys()].map((name) => [name, this.policies.get(name) ?? this.newPolicy()]));
    return [...backends].flatMap(([backend, servers]) => {
      // A server that gets nothing must not count as the healthy one that lets the others weigh nothing.
      const present = servers.filter(({ target }) => !this.isAway(target));
      const observed = present.map(({ target, result }) => ({
        name: nameOf(target),
        observation: this.observed(target, result.observation),
      }));
      const weighings = this.policies.get(backend)?.(observed, at) ?? [];
      return servers.flatMap((one) => {
        const weighing = this.isAway(one.target) ? this.leftAlone(one.target) : weighings[present.indexOf(one)];
        return weighing === undefined ? [] : [{ ...one, weighing }];
      });
    });
  }

  private isAway(target: Target): boolean {
    return this.states.get(nameOf(target))?.isAway === true;
  }

  /** What HAProxy sends nothing is not healthy, whatever it answers to us: it may be on another chain. */
  private observed(target: Target, observation: Observation): Observation {
    const isDown = this.states.get(nameOf(target))?.isDown === true;
    return isDown && observation.answered ? { answered: false, reason: "down by HAProxy's checks" } : observation;
  }

  private leftAlone(target: Target): Weighing {
    const weight = this.states.get(nameOf(target))?.weight ?? 0;
    return { weight, healthy: false, reason: 'in maint or drain: left alone' };
  }

  private newPolicy(): WeightPolicy {
    const { config } = this.options;
    return config.policy === 'equal' ? equalWeights(config) : new ProportionalWeights(config).decide;
  }

  private async settle(servers: readonly ServerReport[], signal: AbortSignal, write: boolean): Promise<Settled> {
    let view: HaproxyView | undefined;
    let restart: Settled['restart'];
    try {
      view = await this.read(signal);
      if (this.process !== undefined && isRestart(this.process, view.process)) {
        restart = { before: this.process, now: view.process };
        this.reconciler.forget();
      }
      this.process = view.process;
      const desired = servers.map(({ target, weighing }) => ({ ...target, weight: weighing.weight }));
      const changes = write ? await this.reconciler.apply(desired, view, signal) : [];
      return { view, changes, ...(restart && { restart }) };
    } catch (error) {
      return { view, changes: [], error: toSocketError(error), ...(restart && { restart }) };
    }
  }

  private async read(signal: AbortSignal): Promise<HaproxyView> {
    const view = parseView(await this.options.socket.ask(VIEW_COMMANDS, signal));
    this.states = new Map(view.servers.map((state) => [nameOf(state), state]));
    return view;
  }
}

interface Settled {
  readonly view: HaproxyView | undefined;
  readonly changes: readonly Change[];
  readonly restart?: NonNullable<RoundReport['restart']>;
  readonly error?: HaproxySocketError;
}

/** A defect of ours stays one. */
function toSocketError(error: unknown): HaproxySocketError {
  if (error instanceof HaproxySocketError) return error;
  throw error;
}
