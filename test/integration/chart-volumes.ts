import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PATHS } from '../../runtime/contract/paths';
import { IS_ROOT } from './running-container';

/** The volumes of a pod as the kubelet makes and changes them, below one folder of this machine. */
export class ChartVolumes {
  private readonly folder = mkdtempSync(join(tmpdir(), 'pod-'));
  private mounts = 0;

  /** @param group of the pod, by its number */
  constructor(group: number) {
    chmodSync(this.folder, 0o755);
    for (const folder of [PATHS.configFolder, PATHS.providerKeysFolder, PATHS.redisPasswordFolder]) {
      mkdirSync(this.path(folder), { recursive: true, mode: 0o755 });
    }
    for (const folder of [PATHS.haproxyFolder, PATHS.socketFolder]) {
      mkdirSync(this.path(folder), { recursive: true });
      if (!IS_ROOT) continue;
      // An emptyDir of a pod with a group: it is the group's, and so is what is made in it.
      chownSync(this.path(folder), 0, group);
      chmodSync(this.path(folder), 0o2777);
    }
  }

  /** Where a path of the pod is here. */
  path(path: string): string {
    return join(this.folder, path);
  }

  /** A text with the pod's paths as they are here. */
  inFolder(text: string): string {
    return FOLDERS.reduce((changed, folder) => changed.replaceAll(folder, this.path(folder)), text);
  }

  /** Changes the files of the ConfigMap: a folder of their own, and one link that is swapped. */
  async putConfig(files: Readonly<Record<string, string>>): Promise<void> {
    const folder = this.path(PATHS.configFolder);
    const stamp = `..2026_01_01_${++this.mounts}`;
    mkdirSync(join(folder, stamp));
    for (const [name, text] of Object.entries(files)) {
      await writeFile(join(folder, stamp, name), text);
      if (this.mounts === 1) symlinkSync(join('..data', name), join(folder, name));
    }
    await symlink(stamp, join(folder, '..data_tmp'));
    await rename(join(folder, '..data_tmp'), join(folder, '..data'));
    await rm(join(folder, `..2026_01_01_${this.mounts - 1}`), { recursive: true, force: true });
  }

  /** Changes a secret as the Secrets Store CSI driver does. */
  async putSecret(path: string, secret: Readonly<Record<string, string>>): Promise<void> {
    const file = this.path(path);
    await writeFile(`${file}.new`, JSON.stringify(secret), { mode: 0o644 });
    await rename(`${file}.new`, file);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const FOLDERS = [PATHS.configFolder, PATHS.haproxyFolder, PATHS.socketFolder, '/run/secrets'];
