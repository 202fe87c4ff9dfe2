import type { FilterRecord } from './record';

/**
 * Where filters are kept. A filter that is not looked for during its lifetime is gone. What is shared between processes
 * may be away for a while: `find` then rejects with {@link StoreAway}, unless this process can go on without.
 */
export interface FilterStore {
  /** Filters this process knows of, about. */
  readonly size: number;
  add(id: string, record: FilterRecord): Promise<void>;
  /** The filter, whose lifetime begins again. @throws StoreAway */
  find(id: string): Promise<FilterRecord | undefined>;
  /** @returns false where it is not `before` any more: somebody else was faster, or it is gone */
  replace(id: string, before: FilterRecord, after: FilterRecord): Promise<boolean>;
  /** @returns whether it was there. @throws StoreAway */
  remove(id: string): Promise<boolean>;
}

/** Whether there is such a filter cannot be told now. */
export class StoreAway extends Error {
  override readonly name = 'StoreAway';
  readonly code = 'STORE_AWAY';
}
