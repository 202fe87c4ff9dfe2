import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { debianRoot } from './debian-root';

/** What newer servers than this machine's there are in Debian trixie: HAProxy 3.0 and Valkey 8.1. */
const PROGRAMS = { haproxy: '/usr/sbin/haproxy', 'valkey-server': '/usr/bin/valkey-server' } as const;

/**
 * A folder with the programs of Debian trixie, to be put in front of PATH, or into REDIS_SERVER. They see this machine's
 * folder for temporary files, devices, processes and names of hosts, and otherwise trixie's files; signals reach them as
 * if they had been started directly.
 *
 * ```ts
 * const haproxy = join(await trixiePrograms(), 'haproxy');
 * ```
 */
export async function trixiePrograms(): Promise<string> {
  const root = await debianRoot('servers', {
    packages: ['ca-certificates', 'haproxy', 'valkey-server'],
    finish: addLaunchers,
    edition: 2,
  });
  return join(root, LAUNCHERS);
}

const LAUNCHERS = 'launchers';

/** Beside the root's own files; a launcher finds the root from where it is itself. */
function addLaunchers(root: string): Promise<void> {
  mkdirSync(join(root, LAUNCHERS));
  for (const [name, path] of Object.entries(PROGRAMS)) {
    writeFileSync(join(root, LAUNCHERS, name), LAUNCHER.replace('PROGRAM', path), { mode: 0o755 });
  }
  return Promise.resolve();
}

/** In a mount namespace of its own, so that nothing has to be cleared away; each step becomes the next one. */
const LAUNCHER = `#!/bin/sh
root=$(dirname "$(dirname "$(readlink -f "$0")")")
exec unshare --mount sh -euc '
  root=$1
  shift
  mount --rbind /dev "$root/dev"
  mount --rbind /proc "$root/proc"
  for file in /etc/hosts /etc/resolv.conf; do
    touch "$root$file"
    mount --bind "$file" "$root$file"
  done
  folder=\${TMPDIR:-/tmp}
  mkdir -p "$root$folder"
  mount --rbind "$folder" "$root$folder"
  exec unshare --root="$root" -- PROGRAM "$@"
' launcher "$root" "$@"
`;
