import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { sleep } from '../util/loop';
import { errorCode } from './error-code';
import { WatchedFolders } from './watched-folders';

export interface WatchOptions {
  /** Called with the files whose content has changed, in the order they were given. Must not throw. */
  readonly onChange: (changed: readonly string[]) => void;
  /** Milliseconds between two looks, and for which content must stay as it is before it is told. @default 100 */
  readonly settleMs?: number;
  /** Milliseconds after which it looks without having heard of anything. @default 5000 */
  readonly pollMs?: number;
}

/**
 * Tells when the content of files changes: written in place, replaced by rename (editors, the Secrets Store CSI driver),
 * or behind a link that was turned elsewhere (a mounted ConfigMap).
 *
 * Events only say when to look; what counts is what is found then, compared with what was found before. So nothing is
 * missed that happens between two events, or without any, and nothing is told twice. A file that is half written is
 * waited for; one that is gone for longer than `settleMs` counts as changed, and again when it is back.
 */
export class FileWatcher {
  private files: readonly string[] = [];
  private readonly known = new Map<string, string>();
  private wake: () => void = () => undefined;
  private stirred = false;

  constructor(private readonly options: WatchOptions) {}

  /**
   * Watches these files from now on and no others. Those that are new are told once, although they may not have
   * changed: nobody knows what they held when the caller read them.
   */
  watch(files: Iterable<string>): void {
    this.files = [...new Set(files)];
    for (const file of this.known.keys()) if (!this.files.includes(file)) this.known.delete(file);
    this.stir();
  }

  /** Looks until the signal is aborted, and leaves nothing open then. To be called once. */
  async run(signal: AbortSignal): Promise<void> {
    const { settleMs = 100, pollMs = 5000, onChange } = this.options;
    const folders = new WatchedFolders(() => this.stir());
    while (!signal.aborted) {
      await this.untilStirred(pollMs, signal);
      // Also the bound on how often files are read, whatever goes on in their folders.
      await sleep(settleMs, signal);
      this.stirred = false;
      const changed = await this.changes(folders, settleMs, signal);
      if (changed.length > 0) onChange(changed);
    }
    folders.close();
  }

  /** Looks, and if something is new, looks again until it stays as it is. */
  private async changes(folders: WatchedFolders, settleMs: number, signal: AbortSignal): Promise<string[]> {
    let found = await this.look(folders);
    for (let again = 0; again < MAX_LOOKS && this.isNew(found); again++) {
      await sleep(settleMs, signal);
      const next = await this.look(folders);
      const isSettled = [...next].every(([file, content]) => found.get(file) === content);
      found = next;
      if (isSettled) break;
    }
    if (signal.aborted) return [];
    // While this was found out others may have been asked for.
    const changed = this.files.filter((file) => found.has(file) && this.known.get(file) !== found.get(file));
    for (const file of changed) this.known.set(file, found.get(file) ?? '');
    return changed;
  }

  private isNew(found: ReadonlyMap<string, string>): boolean {
    return [...found].some(([file, content]) => this.known.get(file) !== content);
  }

  private async look(folders: WatchedFolders): Promise<ReadonlyMap<string, string>> {
    const { files } = this;
    // First, so that what changes after it was read is heard of.
    await folders.follow(files);
    return new Map(await Promise.all(files.map(async (file) => [file, await fingerprint(file)] as const)));
  }

  private stir(): void {
    this.stirred = true;
    this.wake();
  }

  private untilStirred(pollMs: number, signal: AbortSignal): Promise<void> {
    if (this.stirred) return Promise.resolve();
    return new Promise((resolve) => {
      const waiting = new AbortController();
      const stop = (): void => waiting.abort();
      this.wake = stop;
      signal.addEventListener('abort', stop);
      void sleep(pollMs, waiting.signal).then(() => {
        signal.removeEventListener('abort', stop);
        resolve();
      });
    });
  }
}

/** A file that never stands still is told of all the same. */
const MAX_LOOKS = 20;

/** Not the content, which may be secret; and its times tell too little, for a file can change twice in one tick. */
async function fingerprint(file: string): Promise<string> {
  try {
    // Who reads a pipe waits for somebody who writes, and takes it from somebody else.
    if (!(await stat(file)).isFile()) return 'no file';
    return createHash('sha256')
      .update(await readFile(file))
      .digest('base64');
  } catch (error) {
    return `cannot be read: ${errorCode(error)}`;
  }
}
