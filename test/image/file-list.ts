import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** What a container runtime mounts things on, and what it and buildah put there for the time they run. */
const RUNTIME = ['dev', 'proc', 'sys', 'run', 'etc/hosts', 'etc/resolv.conf', 'etc/hostname'];

/** Every path below a root, with its mode and, for files, its size. Owners are left out: buildah makes all root's. */
export function fileList(root: string): ReadonlyMap<string, string> {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' });
  const known = files.filter((file) => !RUNTIME.some((path) => file === path || file.startsWith(`${path}/`)));
  return new Map(known.map((file) => [file, describe(join(root, file))]));
}

function describe(path: string): string {
  const stat = lstatSync(path);
  return `${stat.mode.toString(8)} ${stat.isFile() ? stat.size : ''}`;
}
