import { LRUCache } from 'lru-cache';
import type { CachedAnswer, ResponseCache } from './response-cache';

/** What an entry costs beside its text: the key's and the value's objects, the maps' and lists' slots. */
const ENTRY_BYTES = 250;
/** Answers larger than this stay out: one would push out thousands. */
export const MAX_ANSWER_BYTES = 1024 * 1024;

/** Answers in this process, bounded in bytes; the least recently used go first. */
export class MemoryCache implements ResponseCache {
  private entries: LRUCache<string, CachedAnswer>;

  /** @param maxBytes of keys, answers and what holds them together; at least 1 */
  constructor(private maxBytes: number) {
    this.entries = createEntries(maxBytes);
  }

  /** Keeps what fits, the most recently used first. */
  resize(maxBytes: number): void {
    if (maxBytes === this.maxBytes) return;
    const kept = this.entries.dump();
    this.maxBytes = maxBytes;
    this.entries = createEntries(maxBytes);
    this.entries.load(kept);
  }

  get bytes(): number {
    return this.entries.calculatedSize;
  }

  get size(): number {
    return this.entries.size;
  }

  get(key: string): CachedAnswer | undefined {
    return this.entries.get(key);
  }

  set(key: string, answer: CachedAnswer, ttlMs: number): void {
    this.entries.set(key, answer, ttlMs === 0 ? {} : { ttl: ttlMs });
  }
}

function createEntries(maxBytes: number): LRUCache<string, CachedAnswer> {
  return new LRUCache({
    maxSize: maxBytes,
    maxEntrySize: MAX_ANSWER_BYTES + ENTRY_BYTES,
    sizeCalculation: ({ text }, key) => text.length + key.length + ENTRY_BYTES,
    perf: performance,
  });
}
