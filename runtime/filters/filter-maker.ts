import { beginTrail } from '../chain/trail';
import type { HeadView } from '../rpc/head-view';
import type { RpcRequest } from '../rpc/message';
import type { Outcome } from '../rpc/outcome';
import type { Cancel } from '../util/cancellation';
import { itemsOf, refuse, RETRY_SOON_MS, toResult } from './answers';
import { type LogCriteria, parseCriteria } from './criteria';
import type { FilterNodes } from './filter-nodes';
import { PENDING_METHOD } from './pending';
import type { Quota } from './quota';
import { type FilterRecord, type LogFilter, nextRevision, type Revision } from './record';
import type { FilterStore } from './store';

/** Who calls, and what the call is pinned to. */
export interface FilterCaller {
  readonly client: { readonly key: string };
  /** The head when the message arrived: nothing above it is told. */
  readonly head: HeadView | undefined;
  /** On the clock of performance.now(). */
  readonly deadline: number;
  /** Cancelled when nobody waits any more. */
  readonly cancel: Pick<Cancel, 'cancelled'>;
}

export interface FilterMakerParts<C extends FilterCaller> {
  readonly store: FilterStore;
  readonly quota: Quota;
  /** Log filters are kept by nodes as well, as long as those are there. */
  readonly sticky: boolean;
  readonly nodes: FilterNodes<C>;
  /** Hexadecimal digits, chosen at random. */
  readonly randomHex: (bytes: number) => string;
}

/** 128 bits: an id cannot be guessed. */
const ID_BYTES = 16;

/** A filter, or why it cannot be made. */
type Creation = FilterRecord | Outcome;

/** The methods that make filters. */
export class FilterMaker<C extends FilterCaller> {
  constructor(private readonly parts: FilterMakerParts<C>) {}

  async logs({ params }: RpcRequest, caller: C): Promise<Outcome> {
    const parsed = parseCriteria(params.bytes);
    if (parsed.kind === 'wrong') return refuse('INVALID_PARAMS', parsed.problem);
    const { criteria } = parsed;
    return this.make(caller, async (head, revision) => {
      const record: LogFilter = { kind: 'logs', revision, criteria, trail: begin(head) };
      const node = this.parts.sticky ? await this.keptByNode(criteria, caller) : undefined;
      return node === undefined ? record : { ...record, node };
    });
  }

  blocks(caller: C): Promise<Outcome> {
    return this.make(caller, (head, revision) => ({ kind: 'blocks', revision, trail: begin(head) }));
  }

  pending({ params }: RpcRequest, caller: C): Promise<Outcome> | Outcome {
    const [whole = false, ...more] = itemsOf(params);
    if (typeof whole !== 'boolean' || more.length > 0) {
      return refuse(
        'INVALID_PARAMS',
        'params must be a list of at most one boolean, which asks for whole transactions',
      );
    }
    return this.make(caller, async (_, revision) => {
      const made = await this.parts.nodes.make(caller, PENDING_METHOD, whole ? [true] : []);
      if (made.kind === 'failed') return made.outcome;
      return { kind: 'pending', revision, whole, node: made.filter, told: [] };
    });
  }

  private async make(
    { client, head }: C,
    create: (head: HeadView, revision: Revision) => Creation | Promise<Creation>,
  ): Promise<Outcome> {
    const { quota, store, randomHex } = this.parts;
    const rule = quota.refuses(client.key);
    if (rule !== undefined) return refuse('LIMITED', rule);
    if (head === undefined) return refuse('NO_NODE', 'no node has shown a block yet', RETRY_SOON_MS);
    const id = `0x${randomHex(ID_BYTES)}`;
    quota.made(id, client.key);
    let isMade = false;
    try {
      const created = await create(head, nextRevision(undefined, randomHex));
      if (!('revision' in created)) return created;
      await store.add(id, created);
      isMade = true;
      return toResult(`"${id}"`);
    } finally {
      if (!isMade) quota.removed(id);
    }
  }

  /** Undefined where none does; then the changes are computed. Bounds are for us: nodes differ on what they mean. */
  private async keptByNode({ from: _from, to: _to, ...match }: LogCriteria, caller: C): Promise<LogFilter['node']> {
    const { nodes } = this.parts;
    const made = await nodes.make(caller, 'eth_newFilter', [match]);
    if (made.kind === 'failed') return undefined;
    // What it had when it made the filter it will not tell; what it has a moment later is not less.
    const since = await nodes.height(made.filter.name);
    return since === undefined ? undefined : { ...made.filter, since };
  }
}

function begin(head: HeadView) {
  return beginTrail(head, (number) => head.hashAt(number));
}
