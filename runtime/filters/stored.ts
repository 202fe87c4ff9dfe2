import type { ToldBlock, Trail } from '../chain/trail';
import { listItems } from '../rpc/list-items';
import type { FilterRecord, Revision } from './record';

/** A filter as text: what is small and changes often, and apart from it the logs that were told, block by block. */
export interface StoredFilter {
  readonly revision: string;
  /** All but the logs. */
  readonly meta: string;
  /** By the block's hash; only of blocks that have any. */
  readonly logs: ReadonlyMap<string, string>;
}

/** Changes when older programs could not read it any more; what they wrote is then unknown to newer ones. */
const LAYOUT = 1;

/**
 * A block in the meta: its number, its hash, how many logs that were told with it are kept, or -1 where it is closed,
 * and the places of those that are forgotten.
 */
type StoredBlock = readonly [number, string, number, ...(readonly [] | readonly [readonly string[]])];

export function toStored(record: FilterRecord): StoredFilter {
  const { revision, ...rest } = record;
  const logs = new Map<string, string>();
  if (!('trail' in rest))
    return { revision: toText(revision), meta: JSON.stringify({ ...rest, layout: LAYOUT }), logs };
  const { trail, ...others } = rest;
  const blocks = trail.blocks.map(({ number, hash, logs: told, closed, forgotten }): StoredBlock => {
    if (told.length > 0) logs.set(hash, `[${told.join(',')}]`);
    return [
      number,
      hash,
      closed ? -1 : told.length,
      ...(forgotten === undefined ? ([] as const) : ([forgotten] as const)),
    ];
  });
  const meta = JSON.stringify({ ...others, upTo: trail.upTo, blocks, layout: LAYOUT });
  return { revision: toText(revision), meta, logs };
}

export interface StoredMeta {
  /** The blocks that have logs, and how many. */
  readonly told: readonly { readonly hash: string; readonly count: number }[];
  /** The whole record. @param logsOf the logs of a block, as {@link parseStoredLogs} tells them */
  toRecord(logsOf: (hash: string) => readonly string[]): FilterRecord;
}

/** @returns undefined where it is of another layout, or not ours */
export function parseStored(revision: string, meta: string): StoredMeta | undefined {
  const { layout, upTo, blocks, ...rest } = parseMembers(meta);
  if (layout !== LAYOUT) return undefined;
  const told = (blocks ?? []).filter(([, , count]) => count > 0).map(([, hash, count]) => ({ hash, count }));
  const toTrail = (logsOf: (hash: string) => readonly string[]): Trail => ({
    upTo: upTo ?? 0,
    blocks: (blocks ?? []).map(([number, hash, count, forgotten]): ToldBlock => ({
      number,
      hash,
      logs: count > 0 ? logsOf(hash) : [],
      ...(count < 0 && { closed: true }),
      ...(forgotten !== undefined && { forgotten }),
    })),
  });
  return {
    told,
    toRecord: (logsOf) => {
      const trail = blocks === undefined ? {} : { trail: toTrail(logsOf) };
      return { ...rest, ...trail, revision: toRevision(revision) } as unknown as FilterRecord;
    },
  };
}

function parseMembers(meta: string): Record<string, unknown> & { upTo?: number; blocks?: readonly StoredBlock[] } {
  try {
    return JSON.parse(meta) as Record<string, unknown>;
  } catch {
    return {};
  }
}

export function parseStoredLogs(text: string): string[] {
  return listItems(Buffer.from(text)) ?? [];
}

export function toText({ number, mark }: Revision): string {
  return `${number}:${mark}`;
}

export function toRevision(text: string): Revision {
  const [number, mark = ''] = text.split(':');
  return { number: Number(number), mark };
}
