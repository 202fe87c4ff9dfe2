import { backoffMs } from '../util/backoff';

export interface CircuitOptions {
  /** Uniform in [0, 1); for jitter. */
  readonly random: () => number;
  /** How long the first ejection lasts, in milliseconds; each further one twice as long. @default 1000 */
  readonly baseEjectMs?: number;
  /** The longest ejection, and how long a node must do well to be new again. @default 30 000 */
  readonly maxEjectMs?: number;
}

/** A failure that counts weighs this much; with `EJECT_AT` in a row the circuit opens. */
const WEIGHTS: Readonly<Record<string, number>> = { CONNECT_FAILED: 2, TLS_FAILED: 2 };
const EJECT_AT = 3;

type State =
  | { readonly kind: 'closed'; score: number; readonly since: number }
  | { readonly kind: 'open'; readonly reason: string; readonly since: number; readonly until: number }
  /** `older` requests were sent before; a `trial` is on its way. */
  | { readonly kind: 'half-open'; readonly reason: string; older: number; trial: boolean };

/**
 * The circuit of one node, moved by live traffic. A node that is gone is out after two refused connections, or three
 * failures of other kinds, in a row; then one request at a time is let through until one succeeds:
 *
 *             failures in a row                back-off over, or a good probe
 *     closed ───────────────────▶ open ──────────────────────────────────────▶ half-open
 *        ▲                          ▲                  failure                     │ │
 *        │                          └──────────────────────────────────────────────┘ │
 *        └───────────────────────────────── success ─────────────────────────────────┘
 *
 * All times are milliseconds of one clock, handed in.
 */
export class Circuit {
  private state: State = { kind: 'closed', score: 0, since: Number.NEGATIVE_INFINITY };
  /** Ejections since the node last did well for long. */
  private ejections = 0;

  constructor(private readonly options: CircuitOptions) {}

  /** Why no request should go to the node now; undefined while one may. */
  get ejected(): string | undefined {
    const { state } = this;
    if (state.kind === 'closed') return undefined;
    return state.kind === 'open' || state.trial ? state.reason : undefined;
  }

  get closed(): boolean {
    return this.state.kind === 'closed';
  }

  /** When the circuit lets a request through again; 0 while it does. */
  get until(): number {
    return this.state.kind === 'open' ? this.state.until : 0;
  }

  /** A request leaves for the node. */
  begin(): void {
    if (this.state.kind === 'half-open') this.state.trial = true;
  }

  /** A request is over, whatever became of it; one without a verdict (the caller left) makes room for another. */
  end(): void {
    const { state } = this;
    if (state.kind !== 'half-open') return;
    if (state.older > 0) state.older--;
    else state.trial = false;
  }

  /** @returns whether the circuit closed */
  success(now: number): boolean {
    const { state } = this;
    if (state.kind === 'closed') state.score = 0;
    if (state.kind !== 'half-open') return false;
    this.state = { kind: 'closed', score: 0, since: now };
    return true;
  }

  /**
   * A failure that speaks against the node.
   *
   * @param mayEject false while too many other nodes are out already
   * @returns whether the circuit opened
   */
  failure(code: string, now: number, mayEject: boolean): boolean {
    const { state } = this;
    // Requests sent before the node was ejected tell nothing new.
    if (state.kind === 'open' || (state.kind === 'half-open' && !state.trial)) return false;
    if (state.kind === 'closed') {
      state.score += WEIGHTS[code] ?? 1;
      if (state.score < EJECT_AT || !mayEject) return false;
      if (now - state.since > this.maxEjectMs) this.ejections = 0;
    }
    this.ejections++;
    const lasts = backoffMs(this.ejections, this.options.baseEjectMs ?? 1000, this.maxEjectMs, this.options.random);
    this.state = { kind: 'open', reason: `ejected: ${code}`, since: now, until: now + lasts };
    return true;
  }

  /** Time passed. @param inFlight requests on their way to the node */
  tick(now: number, inFlight: number): void {
    if (this.state.kind === 'open' && now >= this.state.until) this.halfOpen(this.state.reason, inFlight);
  }

  /**
   * A probe begun at `startedAt` succeeded. It ends a first ejection early; a node whose probes do well and whose
   * requests do not has to sit out the further ones.
   */
  probeSucceeded(startedAt: number, inFlight: number): void {
    const { state } = this;
    if (state.kind === 'open' && this.ejections === 1 && startedAt > state.since) this.halfOpen(state.reason, inFlight);
  }

  private halfOpen(reason: string, inFlight: number): void {
    this.state = { kind: 'half-open', reason, older: inFlight, trial: false };
  }

  private get maxEjectMs(): number {
    return this.options.maxEjectMs ?? 30_000;
  }
}

/** Nodes of a chain that may be ejected at once: half of them, rounded down. */
export function maxEjected(nodes: number): number {
  return Math.floor(nodes / 2);
}
