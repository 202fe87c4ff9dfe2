import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

/** Debian keeps servers here, where only root looks. */
const SERVER_FOLDERS = ['/usr/sbin', '/usr/local/sbin'];
/** What the rendered haproxy.cfg needs. */
const LEAST = [2, 6] as const;

export type HaproxyBinary =
  | { readonly kind: 'found'; readonly path: string; readonly version: string }
  /** `why` is a clause such as "HAProxy is not installed". */
  | { readonly kind: 'none'; readonly why: string };

/**
 * The HAProxy of this machine, where there is one that is new enough.
 *
 * @param chosen its path, where it is not the one of the system
 */
export async function findHaproxy(chosen = process.env['HAPROXY']): Promise<HaproxyBinary> {
  const path = await find(chosen);
  if (path === undefined && chosen !== undefined) return { kind: 'none', why: `there is no HAProxy at ${chosen}` };
  if (path === undefined) return { kind: 'none', why: 'HAProxy is not installed' };
  const { stdout } = await promisify(execFile)(path, ['-v']).catch(() => ({ stdout: '' }));
  const [, version = '', major = '0', minor = '0'] = /version ((\d+)\.(\d+)\S*)/.exec(stdout) ?? [];
  const isNewEnough = Number(major) > LEAST[0] || (Number(major) === LEAST[0] && Number(minor) >= LEAST[1]);
  if (isNewEnough) return { kind: 'found', path, version };
  const found = version === '' ? 'tells no version' : `is ${version}`;
  return { kind: 'none', why: `HAProxy ${found}, and ${LEAST.join('.')} is needed` };
}

async function find(chosen: string | undefined): Promise<string | undefined> {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...SERVER_FOLDERS];
  const usual = folders.flatMap((folder) => (folder === '' ? [] : [join(folder, 'haproxy')]));
  for (const path of chosen === undefined ? usual : [chosen]) {
    const isThere = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  return undefined;
}
