import { RedisFailure } from '../redis/failure';
import type { StageRedis } from '../redis/shared-redis';
import type { MemoryStore } from './memory-store';
import type { FilterRecord } from './record';
import { PUT, READ, REMOVE, REPLACE } from './redis-scripts';
import { type FilterStore, StoreAway } from './store';
import { parseStored, parseStoredLogs, toRevision, toStored, toText } from './stored';

export interface RedisStoreOptions {
  readonly redis: StageRedis;
  readonly chainId: number;
  /** What this process has seen of each filter; it counts while Redis is away. */
  readonly copies: MemoryStore;
  readonly ttlMs: number;
  readonly timeoutMs: number;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

/** For so long after Redis is back other processes may still be bringing back what they have, if it came back empty. */
const SETTLE_MS = 3000;
const LOOK_MS = 100;
/** Filters brought back at once. */
const AT_ONCE = 64;
/** How often a filter is read again that changes while it is read. */
const READS = 5;

/**
 * Filters that processes share, in Redis, with a copy in each process that has served them. A poll that finds nothing
 * new is one question. What Redis does not answer is decided by the copy; once it answers again, of two that went on
 * apart the one that got further counts.
 */
export class RedisStore implements FilterStore {
  private backAt = -Infinity;

  constructor(private readonly options: RedisStoreOptions) {}

  get size(): number {
    return this.options.copies.size;
  }

  async add(id: string, record: FilterRecord): Promise<void> {
    this.options.copies.put(id, record);
    await this.put(id, record, this.options.ttlMs);
  }

  async find(id: string): Promise<FilterRecord | undefined> {
    const copy = this.options.copies.get(id);
    try {
      return await this.findIn(id, copy, this.options.ttlMs);
    } catch (error) {
      if (!(error instanceof RedisFailure)) throw error;
      if (copy === undefined && error.code !== 'NONE') throw new StoreAway();
      return copy;
    }
  }

  async replace(id: string, before: FilterRecord, after: FilterRecord): Promise<boolean> {
    const { copies, ttlMs } = this.options;
    const { fields, dropped } = changedFields(before, after);
    try {
      const args = [toText(before.revision), ttlMs, fields.length / 2, ...fields, ...dropped];
      if ((await this.run(REPLACE, id, args)) !== 1) return false;
    } catch (error) {
      if (!(error instanceof RedisFailure)) throw error;
      // It may have been done all the same; then it is the same revision.
      return copies.replace(id, before, after);
    }
    copies.put(id, after);
    return true;
  }

  async remove(id: string): Promise<boolean> {
    const { copies, ttlMs } = this.options;
    const hadCopy = await copies.remove(id);
    try {
      const was = await this.run(REMOVE, id, [ttlMs, hadCopy ? 1 : 0]);
      return was === 'other' || (was === 'none' && hadCopy);
    } catch (error) {
      if (!(error instanceof RedisFailure)) throw error;
      if (!hadCopy && error.code !== 'NONE') throw new StoreAway();
      return hadCopy;
    }
  }

  /** Redis answers again, and may be empty, or behind: what it lacks is brought back. */
  async bringBack(): Promise<void> {
    const { copies, now } = this.options;
    this.backAt = now();
    const entries = copies.entries();
    for (let i = 0; i < entries.length; i += AT_ONCE) {
      const some = entries.slice(i, i + AT_ONCE);
      try {
        await Promise.all(some.map(([id, copy]) => this.bringBackOne(id, copy)));
      } catch (error) {
        if (!(error instanceof RedisFailure)) throw error;
        return;
      }
    }
  }

  /** @throws RedisFailure where there is no use in going on */
  private async bringBackOne(id: string, copy: FilterRecord): Promise<void> {
    try {
      await this.findIn(id, copy, this.options.copies.lifeOf(id));
    } catch (error) {
      // What Redis refuses of one filter says nothing of the others.
      if (!(error instanceof RedisFailure) || error.code !== 'REFUSED') throw error;
    }
  }

  /** @param lifeMs a whole number. @throws RedisFailure */
  private async findIn(id: string, copy: FilterRecord | undefined, lifeMs: number): Promise<FilterRecord | undefined> {
    for (let read = 0; read < READS; read++) {
      const known = copy === undefined ? '' : toText(copy.revision);
      const [state, revision = '', meta = ''] = (await this.run(READ, id, [known, lifeMs])) as string[];
      switch (state) {
        case 'same':
          return copy;
        case 'removed':
          await this.options.copies.remove(id);
          return undefined;
        case 'none':
          if (copy !== undefined) return this.restored(id, copy, lifeMs);
          if (!(await this.mayComeBack())) return undefined;
          read--;
          break;
        default: {
          if (copy !== undefined && copy.revision.number > toRevision(revision).number) {
            return this.restored(id, copy, lifeMs);
          }
          const found = await this.load(id, revision, meta, copy);
          if (found === 'unreadable') return undefined;
          if (found !== 'changed') return found;
        }
      }
    }
    throw new RedisFailure('REFUSED', 'a filter changed each time it was read');
  }

  /** The copy is ahead of Redis. */
  private async restored(id: string, copy: FilterRecord, lifeMs: number): Promise<FilterRecord> {
    await this.put(id, copy, lifeMs);
    return copy;
  }

  private async mayComeBack(): Promise<boolean> {
    if (this.options.now() - this.backAt >= SETTLE_MS) return false;
    await this.options.sleep(LOOK_MS);
    return true;
  }

  /** The record of that revision: blocks whose logs the copy has are not asked for again. */
  private async load(
    id: string,
    revision: string,
    meta: string,
    copy: FilterRecord | undefined,
  ): Promise<FilterRecord | 'changed' | 'unreadable'> {
    const stored = parseStored(revision, meta);
    if (stored === undefined) return 'unreadable';
    const logs = new Map<string, readonly string[]>();
    if (copy !== undefined && 'trail' in copy) for (const block of copy.trail.blocks) logs.set(block.hash, block.logs);
    const missing = stored.told.filter(({ hash, count }) => logs.get(hash)?.length !== count);
    if (missing.length > 0) {
      const { redis, timeoutMs } = this.options;
      const fields = missing.map(({ hash }) => fieldOf(hash));
      const texts = (await redis.command(timeoutMs, 'HMGET', this.key(id), ...fields)) as (string | null)[];
      for (const [i, { hash, count }] of missing.entries()) {
        const told = parseStoredLogs(texts[i] ?? '');
        if (told.length !== count) return 'changed';
        logs.set(hash, told);
      }
    }
    const record = stored.toRecord((hash) => logs.get(hash) ?? []);
    this.options.copies.put(id, record);
    return record;
  }

  private async put(id: string, record: FilterRecord, lifeMs: number): Promise<void> {
    const { revision, meta, logs } = toStored(record);
    const fields = ['r', revision, 'm', meta, ...[...logs].flatMap(([hash, text]) => [fieldOf(hash), text])];
    try {
      await this.run(PUT, id, [record.revision.number, lifeMs, ...fields]);
    } catch (error) {
      // The copy counts until it can be brought back.
      if (!(error instanceof RedisFailure)) throw error;
    }
  }

  private run(script: typeof READ, id: string, args: readonly (string | number)[]): Promise<unknown> {
    const { redis, timeoutMs } = this.options;
    return redis.run(timeoutMs, script, [this.key(id)], args);
  }

  private key(id: string): string {
    return this.options.redis.key('filter', this.options.chainId, id);
  }
}

function fieldOf(hash: string): string {
  return `b${hash}`;
}

/** What differs between two records of one filter, as fields and values to set, and fields to drop. */
function changedFields(before: FilterRecord, after: FilterRecord): { fields: string[]; dropped: string[] } {
  const old = toStored(before).logs;
  const { revision, meta, logs } = toStored(after);
  const fields = ['r', revision, 'm', meta];
  for (const [hash, text] of logs) if (old.get(hash) !== text) fields.push(fieldOf(hash), text);
  return { fields, dropped: [...old.keys()].filter((hash) => !logs.has(hash)).map(fieldOf) };
}
