import { LRUCache } from 'lru-cache';
import { type FilterRecord, isSameRevision } from './record';
import type { FilterStore } from './store';

export interface MemoryStoreRules {
  /** How long a filter lives that nobody looks for, in milliseconds. */
  readonly ttlMs: number;
  /** Filters kept at most; those looked for longest ago go first. */
  readonly maxFilters: number;
}

/** Characters that all filters together may take; mostly logs that were told, in case they are to be taken back. */
const MAX_CHARS = 128 * 1024 * 1024;
/** What a filter, a block of its trail, and a log that is forgotten cost besides. */
const RECORD_CHARS = 500;
const BLOCK_CHARS = 200;
const INDEX_CHARS = 30;

/** Filters in this process. */
export class MemoryStore implements FilterStore {
  private records: LRUCache<string, FilterRecord>;

  /** @param now milliseconds of any clock that does not step backwards */
  constructor(
    rules: MemoryStoreRules,
    private readonly now: () => number,
  ) {
    this.records = this.create(rules);
  }

  /** Other rules: those kept stay, as far as there is room, and their lives begin again. */
  apply(rules: MemoryStoreRules): void {
    const kept = this.entries();
    this.records = this.create(rules);
    for (const [id, record] of kept.reverse()) this.put(id, record);
  }

  get size(): number {
    this.records.purgeStale();
    return this.records.size;
  }

  add(id: string, record: FilterRecord): Promise<void> {
    this.put(id, record);
    return Promise.resolve();
  }

  find(id: string): Promise<FilterRecord | undefined> {
    return Promise.resolve(this.get(id));
  }

  replace(id: string, before: FilterRecord, after: FilterRecord): Promise<boolean> {
    const now = this.get(id);
    const isSame = now !== undefined && isSameRevision(now.revision, before.revision);
    if (isSame) this.put(id, after);
    return Promise.resolve(isSame);
  }

  remove(id: string): Promise<boolean> {
    return Promise.resolve(this.records.delete(id));
  }

  get(id: string): FilterRecord | undefined {
    return this.records.get(id);
  }

  put(id: string, record: FilterRecord): void {
    this.records.set(id, record);
  }

  /** Milliseconds it has left; a whole number, of at least 1. */
  lifeOf(id: string): number {
    return Math.max(1, Math.ceil(this.records.getRemainingTTL(id)));
  }

  /** All that are alive, without their lives beginning again. */
  entries(): [string, FilterRecord][] {
    this.records.purgeStale();
    return [...this.records.entries()];
  }

  private create({ ttlMs, maxFilters }: MemoryStoreRules): LRUCache<string, FilterRecord> {
    return new LRUCache({
      max: maxFilters,
      maxSize: MAX_CHARS,
      sizeCalculation: sizeOf,
      ttl: ttlMs,
      ttlResolution: 0,
      updateAgeOnGet: true,
      perf: { now: this.now },
    });
  }
}

function sizeOf(record: FilterRecord): number {
  if (record.kind === 'pending') return RECORD_CHARS + record.told.length * BLOCK_CHARS;
  let chars = RECORD_CHARS + (record.kind === 'logs' ? JSON.stringify(record.criteria).length : 0);
  for (const { logs, forgotten = [] } of record.trail.blocks) {
    chars += BLOCK_CHARS + forgotten.length * INDEX_CHARS;
    for (const log of logs) chars += log.length;
  }
  return chars;
}
