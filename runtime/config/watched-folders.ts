import { type FSWatcher, watch } from 'node:fs';
import { readlink, realpath, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/**
 * The folders in which something happens when one of the files changes. A file itself is not watched: what is watched
 * is an inode, and a file that is replaced is another.
 *
 *     /etc/app/config.yaml ─▶ ..data/config.yaml      /etc/app tells of the swap of ..data,
 *                  ..data  ─▶ ..2026_01_01/           /etc/app/..2026_01_01 of a write in place
 */
export class WatchedFolders {
  private readonly open = new Map<string, Watched>();

  /** @param onEvent something happened in one of them, to whichever file */
  constructor(private readonly onEvent: () => void) {}

  /** Watches the folders of these files and no others; those that are not there, or cannot be watched, are left out. */
  async follow(files: Iterable<string>): Promise<void> {
    const wanted = new Map<string, string>();
    for (const file of files) {
      for (const folder of await foldersOf(file)) {
        // A folder that was replaced has the same name and sees nothing any more.
        const id = await identityOf(folder);
        if (id !== undefined) wanted.set(folder, id);
      }
    }
    for (const [folder, { id, watcher }] of this.open) {
      if (wanted.get(folder) === id) continue;
      watcher.close();
      this.open.delete(folder);
    }
    for (const [folder, id] of wanted) if (!this.open.has(folder)) this.add(folder, id);
  }

  close(): void {
    for (const { watcher } of this.open.values()) watcher.close();
    this.open.clear();
  }

  private add(folder: string, id: string): void {
    try {
      const watcher = watch(folder, this.onEvent);
      // It may end at any time, with its folder for one; the next look opens it again.
      watcher.on('error', () => {
        watcher.close();
        if (this.open.get(folder)?.watcher === watcher) this.open.delete(folder);
      });
      this.open.set(folder, { id, watcher });
    } catch {
      // The system has a bound on these. Then it is found by looking, which is slower.
    }
  }
}

interface Watched {
  readonly id: string;
  readonly watcher: FSWatcher;
}

/** Those of the file, of where it leads to, and of each link on the way that is the file itself. */
async function foldersOf(file: string): Promise<ReadonlySet<string>> {
  const folders = new Set<string>();
  let at = resolve(file);
  for (let link = 0; link < MAX_LINKS; link++) {
    folders.add(dirname(at));
    try {
      at = resolve(dirname(at), await readlink(at));
    } catch {
      break;
    }
  }
  try {
    folders.add(dirname(await realpath(file)));
  } catch {
    // It is away; its folder tells when it is back.
  }
  return folders;
}

/** As many as Linux follows. */
const MAX_LINKS = 40;

async function identityOf(folder: string): Promise<string | undefined> {
  try {
    const { dev, ino } = await stat(folder);
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}
