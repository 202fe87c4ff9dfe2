import { ChainReadError, type ChainSend } from '../chain/read-chain';
import { beginTrail } from '../chain/trail';
import { refusal, type RefusalCode } from '../rpc/errors';
import type { HeadView } from '../rpc/head-view';
import type { RpcRequest } from '../rpc/message';
import type { Outcome } from '../rpc/outcome';
import { advanceBlocks, advanceLogs, isUpToDate } from './computed';
import { type LogCriteria, parseCriteria } from './criteria';
import type { Quota } from './quota';
import type { FilterKind, FilterRecord, Revision } from './record';
import { type FilterStore, StoreAway } from './store';

/** Who calls, and what the call is pinned to. */
export interface FilterCaller {
  readonly client: { readonly key: string };
  /** The head when the message arrived: nothing above it is told. */
  readonly head: HeadView | undefined;
}

/** How the changes of a poll came about; `unchanged` where the head stood still, so that nobody was asked. */
export type PollHow = 'computed' | 'sticky' | 'unchanged';

export interface FiltersParts<C extends FilterCaller> {
  readonly store: FilterStore;
  readonly quota: Quota;
  /** Blocks one question is about at most. */
  readonly maxBlocks: number;
  /** Asks nodes on the caller's behalf, at the caller's head. */
  readonly send: (caller: C) => ChainSend;
  /** Hexadecimal digits, chosen at random. */
  readonly randomHex: (bytes: number) => string;
  readonly close: () => void;
  readonly onPoll: (kind: FilterKind, how: PollHow) => void;
}

/** How often a poll begins anew because another one was faster. */
const MAX_ROUNDS = 10;
const RETRY_SOON_MS = 1000;
/** 128 bits: an id cannot be guessed. */
const ID_BYTES = 16;

/** The filter methods. A filter is kept here, whichever node its changes come from, so it outlives every node. */
export class Filters<C extends FilterCaller> {
  private readonly methods: Readonly<Record<string, (request: RpcRequest, caller: C) => Promise<Outcome>>> = {
    eth_newFilter: (request, caller) => this.makeLogFilter(request, caller),
    eth_newBlockFilter: (_, caller) => this.makeBlockFilter(caller),
    eth_getFilterChanges: (request, caller) => this.poll(request, caller),
    eth_getFilterLogs: (request, caller) => this.logs(request, caller),
    eth_uninstallFilter: (request) => this.remove(request),
  };

  constructor(private readonly parts: FiltersParts<C>) {}

  /** Filters this process knows of, about. */
  get open(): number {
    return this.parts.store.size;
  }

  close(): void {
    this.parts.close();
  }

  async handle(request: RpcRequest, caller: C): Promise<Outcome> {
    const run = this.methods[request.method];
    if (run === undefined) return refuse('DENIED', `the method ${request.method} does not exist here`);
    try {
      return await run(request, caller);
    } catch (error) {
      return toOutcome(error);
    }
  }

  private async makeLogFilter({ params }: RpcRequest, caller: C): Promise<Outcome> {
    const parsed = parseCriteria(params.bytes);
    if (parsed.kind === 'wrong') return refuse('INVALID_PARAMS', parsed.problem);
    const { criteria } = parsed;
    return this.make(caller, (head, revision) => ({ kind: 'logs', revision, criteria, trail: begin(head) }));
  }

  private makeBlockFilter(caller: C): Promise<Outcome> {
    return this.make(caller, (head, revision) => ({ kind: 'blocks', revision, trail: begin(head) }));
  }

  private async make(
    { client, head }: C,
    create: (head: HeadView, revision: Revision) => FilterRecord,
  ): Promise<Outcome> {
    const { quota, store, randomHex } = this.parts;
    const rule = quota.refuses(client.key);
    if (rule !== undefined) return refuse('LIMITED', rule);
    if (head === undefined) return refuse('NO_NODE', 'no node has shown a block yet', RETRY_SOON_MS);
    const id = `0x${randomHex(ID_BYTES)}`;
    await store.add(id, create(head, this.revisionAfter(undefined)));
    quota.made(id, client.key);
    return toResult(`"${id}"`);
  }

  private async poll(request: RpcRequest, caller: C): Promise<Outcome> {
    const { store, quota, onPoll } = this.parts;
    const id = idOf(request);
    if (typeof id !== 'string') return id;
    quota.used(id);
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const record = await store.find(id);
      if (record === undefined) return NOT_FOUND;
      const { changes, next, how } = await this.step(record, caller);
      if (next === undefined || (await store.replace(id, record, next))) {
        onPoll(record.kind, how);
        return toList(changes);
      }
    }
    return EMPTY;
  }

  private async step(record: FilterRecord, caller: C): Promise<Step> {
    const { head } = caller;
    if (head === undefined || record.kind === 'pending' || isUpToDate(record.trail, head)) return UNCHANGED;
    const parts = { head, send: this.parts.send(caller), maxBlocks: this.parts.maxBlocks };
    const { changes, trail } =
      record.kind === 'logs'
        ? await advanceLogs(record.trail, record.criteria, parts)
        : await advanceBlocks(record.trail, parts);
    return { changes, next: { ...record, trail, revision: this.revisionAfter(record.revision) }, how: 'computed' };
  }

  /** All logs the criteria name, as eth_getLogs tells them; what was told before plays no part. */
  private async logs(request: RpcRequest, caller: C): Promise<Outcome> {
    const { store, quota, send } = this.parts;
    const id = idOf(request);
    if (typeof id !== 'string') return id;
    quota.used(id);
    const record = await store.find(id);
    return record?.kind === 'logs' ? send(caller)('eth_getLogs', [toRange(record.criteria)]) : NOT_FOUND;
  }

  private async remove(request: RpcRequest): Promise<Outcome> {
    const id = idOf(request);
    if (typeof id !== 'string') return id;
    this.parts.quota.removed(id);
    return toResult(String(await this.parts.store.remove(id)));
  }

  private revisionAfter(before: Revision | undefined): Revision {
    return { number: (before?.number ?? 0) + 1, mark: this.parts.randomHex(4) };
  }
}

interface Step {
  readonly changes: readonly string[];
  /** Undefined where the record stays as it is. */
  readonly next: FilterRecord | undefined;
  readonly how: PollHow;
}

const UNCHANGED: Step = { changes: [], next: undefined, how: 'unchanged' };
const EMPTY = toList([]);
const NOT_FOUND: Outcome = { kind: 'refused', refused: refusal('NO_FILTER') };

function begin(head: HeadView) {
  return beginTrail(head, (number) => head.hashAt(number));
}

function toRange({ from, to, ...match }: LogCriteria): Record<string, unknown> {
  const quantity = (number: number | undefined): string =>
    number === undefined ? 'latest' : `0x${number.toString(16)}`;
  return { fromBlock: quantity(from), toBlock: quantity(to), ...match };
}

/** The id, or what is said where there is none. */
function idOf({ params }: RpcRequest): string | Outcome {
  const value: unknown = JSON.parse(params.bytes.toString('utf8'));
  const id: unknown = Array.isArray(value) ? value[0] : undefined;
  return typeof id === 'string'
    ? id
    : refuse('INVALID_PARAMS', `params[0] must be the id of a filter, got ${typeof id}`);
}

/** What a caller is told where a poll came to nothing; the filter is as it was, so that nothing is lost. */
function toOutcome(error: unknown): Outcome {
  if (error instanceof StoreAway) {
    return refuse('NO_NODE', 'filters are kept in Redis, which does not answer', RETRY_SOON_MS);
  }
  if (!(error instanceof ChainReadError)) throw error;
  // The chain is changing: what became of it is told once it is known.
  if (error.code === 'STRAY') return EMPTY;
  return error.outcome ?? refuse('NO_NODE', error.message, RETRY_SOON_MS);
}

function refuse(reason: RefusalCode, detail: string, retryAfterMs?: number): Outcome {
  return { kind: 'refused', refused: refusal(reason, detail, retryAfterMs) };
}

function toResult(text: string): Outcome {
  return { kind: 'result', result: Buffer.from(text) };
}

function toList(items: readonly string[]): Outcome {
  return toResult(`[${items.join(',')}]`);
}
