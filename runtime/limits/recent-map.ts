/**
 * A map that knows the order its values were last used in. The order is a ring of links rather than the Map's own:
 * taking the first key of a Map whose first thousands were deleted walks over every one of them.
 *
 *     ┌─▶ end ⇄ least recently used ⇄ … ⇄ most recently used ─┐
 *     └───────────────────────────────────────────────────────┘
 */
export class RecentMap<T> {
  readonly #entries = new Map<string, Entry<T>>();
  readonly #end = toEnd();

  get size(): number {
    return this.#entries.size;
  }

  /** The value, which is now the most recently used. */
  use(key: string): T | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    unlink(entry);
    link(entry, this.#end);
    return entry.value;
  }

  /** Adds a value under a key that is not there yet, as the most recently used. */
  add(key: string, value: T): void {
    const entry: Entry<T> = { key, value, before: this.#end, after: this.#end };
    this.#entries.set(key, entry);
    link(entry, this.#end);
  }

  /** The least recently used value. */
  oldest(): T | undefined {
    const { after } = this.#end;
    return isEntry<T>(after) ? after.value : undefined;
  }

  deleteOldest(): void {
    const { after } = this.#end;
    if (!isEntry<T>(after)) return;
    unlink(after);
    this.#entries.delete(after.key);
  }
}

interface Link {
  before: Link;
  after: Link;
}

interface Entry<T> extends Link {
  readonly key: string;
  readonly value: T;
}

function toEnd(): Link {
  const end = {} as Link;
  end.before = end;
  end.after = end;
  return end;
}

function isEntry<T>(link: Link): link is Entry<T> {
  return 'key' in link;
}

function link(entry: Link, end: Link): void {
  entry.before = end.before;
  entry.after = end;
  end.before.after = entry;
  end.before = entry;
}

function unlink(entry: Link): void {
  entry.before.after = entry.after;
  entry.after.before = entry.before;
}
