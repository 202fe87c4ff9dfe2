import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { debianRoot } from './debian-root';

/** What newer servers than this machine's there are in Debian trixie: HAProxy 3.0 and Valkey 8.1. */
const PROGRAMS = { haproxy: 'usr/sbin/haproxy', 'valkey-server': 'usr/bin/valkey-server' } as const;

/**
 * A folder with the programs of Debian trixie, to be put in front of PATH, or into REDIS_SERVER. They run for any user,
 * with trixie's libraries, and otherwise see this machine's files; signals reach them as if they had been started directly.
 *
 * ```ts
 * const haproxy = join(await trixiePrograms(), 'haproxy');
 * ```
 */
export async function trixiePrograms(): Promise<string> {
  const packages = ['ca-certificates', 'haproxy', 'valkey-server'];
  const root = await debianRoot('servers', { packages, finish: addLaunchers, edition: 3 });
  return join(root, LAUNCHERS);
}

const LAUNCHERS = 'launchers';

/** Beside the root's own files; a launcher finds the root from where it is itself. */
function addLaunchers(root: string): Promise<void> {
  mkdirSync(join(root, LAUNCHERS));
  for (const [name, path] of Object.entries(PROGRAMS)) {
    writeFileSync(join(root, LAUNCHERS, name), launcher(root, path), { mode: 0o755 });
  }
  return Promise.resolve();
}

/**
 * Becomes the program through trixie's own loader. HAProxy reloads by becoming once more what it was called as: that
 * must be the launcher, or it would be this machine's HAProxy from then on.
 */
function launcher(root: string, path: string): string {
  const libraries = join('usr/lib', only(join(root, 'usr/lib'), /^[\w-]+-linux-gnu\w*$/));
  const loader = join(libraries, only(join(root, libraries), /^ld-linux.*\.so\.\d+$/));
  return `#!/bin/sh
self=$(readlink -f "$0")
root=$(dirname "$(dirname "$self")")
exec "$root/${loader}" --argv0 "$self" --library-path "$root/${libraries}" "$root/${path}" "$@"
`;
}

/** The one name in a folder, which the machine's architecture decides. */
function only(folder: string, pattern: RegExp): string {
  const found = readdirSync(folder).filter((name) => pattern.test(name));
  const [name] = found;
  if (name === undefined || found.length > 1) throw new Error(`${found.length} of ${pattern.source} in ${folder}`);
  return name;
}
