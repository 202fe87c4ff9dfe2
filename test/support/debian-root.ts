import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const SUITE = 'trixie';
/** Made once and left for the next run; whoever wants Debian's newer packages deletes it. */
const SHELF = join(tmpdir(), 'eth-rpc-balancer-roots');
/** Without what nobody reads here, as in the official slim images. */
const OPTIONS = [
  ...['--quiet', '--variant=minbase'],
  ...['doc', 'info', 'locale', 'man'].map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`),
];
const run = promisify(execFile);

export interface DebianRootOptions {
  /** Debian's packages in it, next to the least there is. */
  readonly packages: readonly string[];
  /** What else happens to it before it counts as made. */
  readonly finish: (root: string) => Promise<void>;
  /** Counts up whenever `finish` changes. */
  readonly edition: number;
}

/**
 * The folder of a small Debian trixie (13), made by mmdebstrap in about 15 s unless there is one already. Processes that
 * want the same one at the same time each make it, and one of them is kept.
 *
 * @throws Error that says what is missing on this machine
 */
export async function debianRoot(name: string, { packages, finish, edition }: DebianRootOptions): Promise<string> {
  assertRoot('mmdebstrap');
  const key = createHash('sha256').update(JSON.stringify([SUITE, OPTIONS, packages, edition]));
  const root = join(SHELF, `${name}-${key.digest('hex').slice(0, 12)}`);
  if (existsSync(root)) return root;
  mkdirSync(SHELF, { recursive: true });
  const draft = mkdtempSync(join(SHELF, 'draft-'));
  try {
    const made = join(draft, 'root');
    await run('mmdebstrap', [...OPTIONS, `--include=${packages.join(',')}`, SUITE, made]);
    await finish(made);
    renameSync(made, root);
  } catch (error) {
    if (!existsSync(root)) throw error;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return root;
}

/** @throws Error for anybody else: what makes and mounts file systems needs root, and is not skipped in silence */
export function assertRoot(tool: string): void {
  if (process.getuid?.() === 0) return;
  throw new Error(
    `${tool} needs root here, to make and mount file systems: run this as root, for instance in CI's container`,
  );
}
