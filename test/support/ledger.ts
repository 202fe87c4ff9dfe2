import { describeOutcome, type Outcome, type OutcomeKind } from './load-outcome';

/** One request as the client sent it. */
export interface SentRequest {
  /** Raw JSON, unique in the run. */
  readonly id: string;
  /** `0x` and 40 lower-case hex digits, unique in the run. */
  readonly nonce: string;
  readonly method: string;
  /** The params hold the nonce, so arrivals at nodes can be counted. */
  readonly carriesNonce: boolean;
  readonly idempotent: boolean;
  /** Which simulated client, from 0. */
  readonly client: number;
  /** Milliseconds since 1970. */
  readonly sentAt: number;
}

export interface LedgerEntry extends SentRequest {
  readonly outcomes: readonly Settled[];
}

export interface Settled {
  readonly outcome: Outcome;
  readonly latencyMs: number;
}

/** What arrived at a node; {@link ScriptedNode} is one. */
export interface NodeLog {
  readonly name: string;
  readonly requests: readonly { readonly method: string; readonly params: unknown }[];
}

export interface LedgerSummary {
  readonly sent: number;
  /** By class; a result that is not the right one counts as `wrongResult`. Classes that did not occur are absent. */
  readonly outcomes: Readonly<Partial<Record<OutcomeKind | 'wrongResult', number>>>;
  /** Of all requests that ended other than by the client's own abort; 0 when there are none. */
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly max: number };
}

/**
 * Both sides of a run, joined: what clients sent and what became of it, against what arrived at the nodes. "Nothing
 * lost" is four lists of problems being empty.
 *
 * @example
 * const ledger = await runLoad({ url, clients: 32, durationMs: 2_000, mix: echoMix, timeoutMs: 5_000 });
 * expect(ledger.check({ nodes, maxAttempts: 3 })).toEqual([]);
 * expect(ledger.failures()).toEqual([]);
 * console.log(ledger.summary());
 */
export class Ledger {
  readonly #entries: Entry[] = [];
  readonly #byId = new Map<string, Entry>();
  readonly #strays: string[] = [];

  get entries(): readonly LedgerEntry[] {
    return this.#entries;
  }

  sent(request: SentRequest): void {
    const entry = { ...request, outcomes: [] };
    if (this.#byId.has(request.id)) this.#strays.push(`${label(request)}: this id was used before`);
    this.#entries.push(entry);
    this.#byId.set(request.id, entry);
  }

  settled(id: string, outcome: Outcome, latencyMs: number): void {
    const entry = this.#byId.get(id);
    if (entry === undefined) this.#strays.push(`id ${id} was never sent and ended as ${describeOutcome(outcome)}`);
    else entry.outcomes.push({ outcome, latencyMs });
  }

  /** All four lists. */
  check({ nodes, maxAttempts }: { readonly nodes: readonly NodeLog[]; readonly maxAttempts: number }): string[] {
    return [...this.checkL1(), ...this.checkL2(), ...this.checkL3(nodes), ...this.checkL4(nodes, maxAttempts)];
  }

  /**
   * Every sent id has exactly one outcome, and that is one a client can rely on: a result, a JSON-RPC error, an HTTP
   * error with a JSON body, or its own abort. `alsoFine` adds classes a test expects.
   */
  checkL1(alsoFine: readonly OutcomeKind[] = []): string[] {
    const fine = (kind: OutcomeKind): boolean => DECLARED[kind] || alsoFine.includes(kind);
    const problems = this.#entries.flatMap((entry) => {
      const [first, ...more] = entry.outcomes;
      if (first === undefined) return [`${label(entry)}: has no outcome`];
      if (more.length > 0) return [`${label(entry)}: has ${entry.outcomes.length} outcomes`];
      return fine(first.outcome.kind) ? [] : [`${label(entry)}: lost as ${describeOutcome(first.outcome)}`];
    });
    return [...this.#strays, ...problems].map((problem) => `L1 ${problem}`);
  }

  /** An answer belongs to the request: its id came back byte for byte, and the result is that of its nonce. */
  checkL2(): string[] {
    return this.#entries.flatMap((entry) =>
      entry.outcomes
        .filter(({ outcome }) => isOfAnother(outcome))
        .map(({ outcome }) => `L2 ${label(entry)}: got what is not its own, ${describeOutcome(outcome)}`),
    );
  }

  /** A non-idempotent nonce reached all nodes together at most once. */
  checkL3(nodes: readonly NodeLog[]): string[] {
    return this.#tooOften(nodes, (entry) => (entry.idempotent ? Infinity : 1)).map((problem) => `L3 ${problem}`);
  }

  /** No request reached the nodes more often than `maxAttempts`; requests without a nonce cannot be counted. */
  checkL4(nodes: readonly NodeLog[], maxAttempts: number): string[] {
    return this.#tooOften(nodes, () => maxAttempts).map((problem) => `L4 ${problem}`);
  }

  /** Everything that did not end as one right result with the right id. */
  failures(): readonly LedgerEntry[] {
    return this.#entries.filter(({ outcomes }) => outcomes.length !== 1 || !outcomes.every(isSuccess));
  }

  summary(): LedgerSummary {
    const settled = this.#entries.flatMap((entry) => entry.outcomes);
    const outcomes: Partial<Record<OutcomeKind | 'wrongResult', number>> = {};
    for (const { outcome } of settled) {
      const kind = outcome.kind === 'result' && !outcome.right ? 'wrongResult' : outcome.kind;
      outcomes[kind] = (outcomes[kind] ?? 0) + 1;
    }
    const waited = settled.filter(({ outcome }) => outcome.kind !== 'clientAbort').map(({ latencyMs }) => latencyMs);
    waited.sort((a, b) => a - b);
    const at = (share: number): number => waited[Math.ceil(share * waited.length) - 1] ?? 0;
    return { sent: this.#entries.length, outcomes, latencyMs: { p50: at(0.5), p99: at(0.99), max: at(1) } };
  }

  #tooOften(nodes: readonly NodeLog[], bound: (entry: LedgerEntry) => number): string[] {
    const arrivals = countArrivals(nodes);
    return this.#entries.flatMap((entry) => {
      const names = entry.carriesNonce ? (arrivals.get(arrivalKey(entry.method, entry.nonce)) ?? []) : [];
      const most = bound(entry);
      return names.length > most
        ? [`${label(entry)}: arrived ${names.length} times (${names.join(', ')}), at most ${most} allowed`]
        : [];
    });
  }
}

interface Entry extends SentRequest {
  readonly outcomes: Settled[];
}

const DECLARED: Record<OutcomeKind, boolean> = {
  result: true,
  rpcError: true,
  httpJsonError: true,
  clientAbort: true,
  httpBareError: false,
  malformed: false,
  networkError: false,
  timeout: false,
};

function isOfAnother(outcome: Outcome): boolean {
  switch (outcome.kind) {
    case 'result':
      return !outcome.right || outcome.id !== 'ours';
    case 'rpcError':
      return outcome.id !== 'ours';
    // Whoever refuses a request unread cannot know its id.
    case 'httpJsonError':
      return outcome.id === 'anothers';
    case 'httpBareError':
    case 'malformed':
    case 'networkError':
    case 'clientAbort':
    case 'timeout':
      return false;
  }
}

function isSuccess({ outcome }: Settled): boolean {
  return outcome.kind === 'result' && outcome.right && outcome.id === 'ours';
}

/** Method and nonce -> the name of the node, once for each arrival. */
function countArrivals(nodes: readonly NodeLog[]): Map<string, string[]> {
  const arrivals = new Map<string, string[]>();
  for (const { name, requests } of nodes) {
    for (const { method, params } of requests) {
      // One request may name its nonce in several places.
      for (const nonce of new Set(JSON.stringify(params ?? []).match(NONCE))) {
        const key = arrivalKey(method, nonce);
        arrivals.set(key, [...(arrivals.get(key) ?? []), name]);
      }
    }
  }
  return arrivals;
}

const NONCE = /0x[0-9a-f]{40}/g;

function arrivalKey(method: string, nonce: string): string {
  return `${method} ${nonce}`;
}

function label({ method, id, nonce, client }: SentRequest): string {
  return `${method} id ${id} nonce ${nonce} of client ${client}`;
}
