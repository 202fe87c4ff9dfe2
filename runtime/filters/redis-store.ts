import { RedisFailure, type RedisFailureCode } from '../redis/failure';
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
 * A Redis that begins to fail is given so long to be back, before processes go on apart. That costs polls of the first
 * moments of a loss some time, and spares others what they would tell twice, or could not tell.
 */
const PATIENCE_MS = 1000;
/** What may be over in a moment. */
const PASSING: ReadonlySet<RedisFailureCode> = new Set(['DOWN', 'PAUSED', 'TIMEOUT', 'LOST', 'READONLY', 'LOADING']);

/**
 * Filters that processes share, in Redis, with a copy in each process that has served them. A poll that finds nothing
 * new is one question. What Redis does not answer is decided by the copy; once it answers again, of two that went on
 * apart the one that got further counts.
 */
export class RedisStore implements FilterStore {
  private backAt = -Infinity;
  /** When it began to fail; undefined while it answers. */
  private awaySince: number | undefined;

  constructor(private readonly options: RedisStoreOptions) {}

  get size(): number {
    return this.options.copies.size;
  }

  async add(id: string, record: FilterRecord): Promise<void> {
    this.options.copies.put(id, record);
    if (!this.isAlone) await this.put(id, record, this.options.ttlMs);
  }

  async find(id: string): Promise<FilterRecord | undefined> {
    if (this.isAlone) return this.options.copies.find(id);
    for (;;) {
      const copy = this.options.copies.get(id);
      try {
        return await this.findIn(id, copy, this.options.ttlMs);
      } catch (error) {
        if (!(error instanceof RedisFailure)) throw error;
        if (copy !== undefined || error.code === 'NONE') return copy;
        if (!(await this.mayAnswerSoon(error))) throw new StoreAway();
      }
    }
  }

  async replace(id: string, before: FilterRecord, after: FilterRecord): Promise<boolean> {
    const { copies, ttlMs } = this.options;
    if (this.isAlone) return copies.replace(id, before, after);
    const { fields, dropped } = changedFields(before, after);
    try {
      const args = [toText(before.revision), ttlMs, fields.length / 2, ...fields, ...dropped];
      if ((await this.run(REPLACE, id, args)) !== 1) return false;
    } catch (error) {
      if (!(error instanceof RedisFailure)) throw error;
      // It may have been done all the same; then it is the same revision.
      if (!(await copies.replace(id, before, after))) return false;
      // Other processes should know before anybody is told.
      while ((await this.mayAnswerSoon(error)) && !(await this.put(id, after, ttlMs)));
      return true;
    }
    copies.put(id, after);
    return true;
  }

  async remove(id: string): Promise<boolean> {
    const { copies, ttlMs } = this.options;
    const hadCopy = await copies.remove(id);
    if (this.isAlone) return hadCopy;
    for (let mayBeDone = false; ; mayBeDone = true) {
      try {
        const was = await this.run(REMOVE, id, [ttlMs, hadCopy ? 1 : 0]);
        return was === 'other' || (was === 'none' && hadCopy) || (was === 'removed' && mayBeDone);
      } catch (error) {
        if (!(error instanceof RedisFailure)) throw error;
        if (hadCopy || error.code === 'NONE') return hadCopy;
        if (!(await this.mayAnswerSoon(error))) throw new StoreAway();
      }
    }
  }

  /** No Redis is configured. */
  private get isAlone(): boolean {
    return !this.options.redis.configured;
  }

  /** Redis answers again, and may be empty, or behind: what it lacks is brought back. */
  async bringBack(): Promise<void> {
    const { copies, now } = this.options;
    this.backAt = now();
    this.awaySince = undefined;
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

  /** @returns whether Redis has it now, or something newer; until then the copy counts and can be brought back. */
  private async put(id: string, record: FilterRecord, lifeMs: number): Promise<boolean> {
    const { revision, meta, logs } = toStored(record);
    const fields = ['r', revision, 'm', meta, ...[...logs].flatMap(([hash, text]) => [fieldOf(hash), text])];
    try {
      await this.run(PUT, id, [record.revision.number, lifeMs, ...fields]);
      return true;
    } catch (error) {
      if (!(error instanceof RedisFailure)) throw error;
      return false;
    }
  }

  private async run(script: typeof READ, id: string, args: readonly (string | number)[]): Promise<unknown> {
    const { redis, timeoutMs, now } = this.options;
    try {
      const answer = await redis.run(timeoutMs, script, [this.key(id)], args);
      this.awaySince = undefined;
      return answer;
    } catch (error) {
      this.awaySince ??= now();
      throw error;
    }
  }

  /** A moment after a failure, whether it is worth asking once more. */
  private async mayAnswerSoon({ code }: RedisFailure): Promise<boolean> {
    const { now, sleep } = this.options;
    if (!PASSING.has(code) || now() - (this.awaySince ?? now()) >= PATIENCE_MS) return false;
    await sleep(LOOK_MS);
    return true;
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
