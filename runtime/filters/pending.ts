import { listItems } from '../rpc/list-items';
import { ChainReadError } from '../chain/read-chain';
import type { FilterNodes } from './filter-nodes';
import type { PendingFilter } from './record';
import type { Step } from './step';

/** So many transactions told last are not told again, where another node begins to tell. */
const REMEMBERED = 512;
/** The beginning of a hash, which is enough to know it by: `0x` and 64 bits. */
const HASH_CHARS = 18;

export const PENDING_METHOD = 'eth_newPendingTransactionFilter';

/**
 * A poll of pending transactions, which only nodes know. Where the node is lost another one keeps the filter from then
 * on: what it had before, and what the lost one had not told yet, nobody can tell.
 */
export async function pendingChanges<C>(
  record: PendingFilter,
  nodes: FilterNodes<C>,
  caller: C,
  carried: readonly string[],
): Promise<Step> {
  // It keeps what is new until its pause is over.
  const answer = nodes.rests(record.node) ? NOTHING : await nodes.changes(record.node, caller);
  const items = answer && listItems(answer);
  // What is no transaction is of somebody else's filter.
  if (items === undefined || items.some((text) => hashOf(text) === undefined))
    return moved(record, nodes, caller, carried);
  const all = [...carried, ...items];
  const { changes, told } = untold(all, record.told);
  const next = changes.length === 0 ? undefined : { ...record, told };
  return { changes, next, how: 'sticky', carried: all };
}

const NOTHING = Buffer.from('[]');

async function moved<C>(
  record: PendingFilter,
  nodes: FilterNodes<C>,
  caller: C,
  carried: readonly string[],
): Promise<Step> {
  const made = await nodes.make(caller, PENDING_METHOD, record.whole ? [true] : []);
  if (made.kind === 'failed') throw new ChainReadError('REFUSED', 'no node keeps the filter', made.outcome);
  const { changes, told } = untold(carried, record.told);
  return { changes, next: { ...record, node: made.filter, told }, how: 'sticky', carried, lost: true };
}

function untold(items: readonly string[], told: readonly string[]): { changes: string[]; told: string[] } {
  const known = new Set(told);
  const changes: string[] = [];
  for (const text of items) {
    const name = nameOf(text);
    if (known.has(name)) continue;
    known.add(name);
    changes.push(text);
  }
  return { changes, told: [...known].slice(-REMEMBERED) };
}

function nameOf(text: string): string {
  return hashOf(text)?.toLowerCase().slice(0, HASH_CHARS) ?? text;
}

/** @param text a hash, or a whole transaction; undefined for what is none */
function hashOf(text: string): string | undefined {
  const value = JSON.parse(text) as string | { hash?: unknown } | null;
  const hash = typeof value === 'string' ? value : value?.hash;
  return typeof hash === 'string' ? hash : undefined;
}
