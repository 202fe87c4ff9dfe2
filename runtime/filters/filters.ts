import type { ChainSend } from '../chain/read-chain';
import type { Trail } from '../chain/trail';
import type { HeadView } from '../rpc/head-view';
import type { RpcRequest } from '../rpc/message';
import type { Outcome } from '../rpc/outcome';
import { failureOutcome, filterId, isFilterId, refuse, toList, toResult } from './answers';
import { advanceBlocks, advanceLogs, isElsewhere, isUpToDate } from './computed';
import type { LogCriteria } from './criteria';
import { type FilterCaller, FilterMaker, type FilterMakerParts } from './filter-maker';
import { PENDING_METHOD, pendingChanges } from './pending';
import { type FilterKind, type FilterRecord, nextRevision } from './record';
import { type PollHow, type Step, UNCHANGED } from './step';
import { stickyLogs } from './sticky-logs';

export interface FiltersParts<C extends FilterCaller> extends FilterMakerParts<C> {
  /** Blocks one question is about at most. */
  readonly maxBlocks: number;
  /** Whether a block is, or was, on the branch of this process's head. */
  readonly wasOurs: (hash: string) => boolean;
  /** Asks nodes on the caller's behalf, at the caller's head. */
  readonly send: (caller: C) => ChainSend;
  readonly close: () => void;
  readonly onPoll: (kind: FilterKind, how: PollHow) => void;
  readonly onLost: (kind: FilterKind) => void;
}

/**
 * How often a poll begins anew because another one was faster; oftener only with what a node told and does not tell again.
 */
const MAX_ROUNDS = 10;

/** The filter methods. A filter is kept here, whichever node its changes come from, so it outlives every node. */
export class Filters<C extends FilterCaller> {
  private readonly methods: Readonly<Record<string, (request: RpcRequest, caller: C) => Outcome | Promise<Outcome>>> = {
    eth_newFilter: (request, caller) => this.maker.logs(request, caller),
    eth_newBlockFilter: (_, caller) => this.maker.blocks(caller),
    [PENDING_METHOD]: (request, caller) => this.maker.pending(request, caller),
    eth_getFilterChanges: (request, caller) => this.poll(request, caller),
    eth_getFilterLogs: (request, caller) => this.logs(request, caller),
    eth_uninstallFilter: (request) => this.remove(request),
  };

  private readonly maker: FilterMaker<C>;

  constructor(private readonly parts: FiltersParts<C>) {
    this.maker = new FilterMaker(parts);
  }

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
      return failureOutcome(error);
    }
  }

  private async poll(request: RpcRequest, caller: C): Promise<Outcome> {
    const { store, quota, randomHex, onPoll, onLost } = this.parts;
    const id = filterId(request);
    if (typeof id !== 'string') return id;
    if (!isFilterId(id)) return NOT_FOUND;
    quota.used(id);
    let carried: readonly string[] = [];
    for (let round = 0; round < MAX_ROUNDS || carried.length > 0; round++) {
      const record = await store.find(id);
      if (record === undefined) return NOT_FOUND;
      // What a node tells from here on it does not tell again, so somebody should be there to hear it.
      if (carried.length === 0 && isOver(caller)) return refuse('DEADLINE', 'the deadline passed, or the caller left');
      const step = await this.step(record, caller, carried);
      const next = step.next && { ...step.next, revision: nextRevision(record.revision, randomHex) };
      if (next === undefined || (await store.replace(id, record, next))) {
        onPoll(record.kind, step.how);
        if (step.lost) onLost(record.kind);
        return toList(step.changes);
      }
      carried = step.carried;
    }
    return EMPTY;
  }

  private async step(record: FilterRecord, caller: C, carried: readonly string[]): Promise<Step> {
    const { nodes, maxBlocks, wasOurs } = this.parts;
    if (record.kind === 'pending') return pendingChanges(record, nodes, caller, carried);
    const { head } = caller;
    if (head === undefined) return UNCHANGED;
    const isSettled = (trail: Trail, view: HeadView): boolean =>
      isUpToDate(trail, view) || isElsewhere(trail, view, wasOurs);
    if (carried.length === 0 && isSettled(record.trail, head)) return UNCHANGED;
    const parts = { head, send: this.parts.send(caller), maxBlocks };
    if (record.kind === 'logs' && (record.node !== undefined || carried.length > 0)) {
      return stickyLogs(record, { ...parts, nodes, caller, carried, isSettled });
    }
    const { changes, trail } =
      record.kind === 'logs'
        ? await advanceLogs(record.trail, record.criteria, parts)
        : await advanceBlocks(record.trail, parts);
    return { changes, next: { ...record, trail }, how: 'computed', carried: [] };
  }

  /** All logs the criteria name, as eth_getLogs tells them; what was told before plays no part. */
  private async logs(request: RpcRequest, caller: C): Promise<Outcome> {
    const { store, quota, send } = this.parts;
    const id = filterId(request);
    if (typeof id !== 'string') return id;
    if (!isFilterId(id)) return NOT_FOUND;
    quota.used(id);
    const record = await store.find(id);
    return record?.kind === 'logs' ? send(caller)('eth_getLogs', [toRange(record.criteria)]) : NOT_FOUND;
  }

  private async remove(request: RpcRequest): Promise<Outcome> {
    const id = filterId(request);
    if (typeof id !== 'string') return id;
    if (!isFilterId(id)) return toResult('false');
    const { quota, store, nodes } = this.parts;
    quota.removed(id);
    const record = await store.find(id);
    if (record !== undefined && 'node' in record) nodes.remove(record.node);
    return toResult(String(await store.remove(id)));
  }
}

function isOver({ deadline, cancel }: FilterCaller): boolean {
  return cancel.cancelled || deadline <= performance.now();
}

const EMPTY = toList([]);
const NOT_FOUND = refuse('NO_FILTER');

function toRange({ from, to, ...match }: LogCriteria): Record<string, unknown> {
  const quantity = (number: number | undefined): string =>
    number === undefined ? 'latest' : `0x${number.toString(16)}`;
  return { fromBlock: quantity(from), toBlock: quantity(to), ...match };
}
