// What tests need from Debian: installed where that may be done, else named exactly. Plain JavaScript, like install.mjs,
// which runs before it. Without arguments for `npm test`; `image` and `redis-acl` for the tests of those names.
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Of each set of tests, program → Debian package. */
const TOOLS = {
  test: { curl: 'curl', haproxy: 'haproxy', openssl: 'openssl', 'redis-server': 'redis-server' },
  image: {
    buildah: 'buildah',
    haproxy: 'haproxy',
    mmdebstrap: 'mmdebstrap',
    setpriv: 'util-linux',
    unshare: 'util-linux',
  },
  'redis-acl': { mmdebstrap: 'mmdebstrap', 'redis-server': 'redis-server', unshare: 'util-linux' },
};
/** Debian keeps servers here, where only root looks. */
const SERVER_FOLDERS = ['/usr/sbin', '/usr/local/sbin'];

const [set = 'test'] = process.argv.slice(2);
const packages = missing();
if (packages.length > 0) {
  const isRoot = process.getuid?.() === 0;
  if (isRoot && isThere('apt-get')) {
    console.error(`Installing ${packages.join(', ')} (apt-get), which the tests need …`);
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const quiet = { stdio: ['ignore', 'ignore', 'inherit'], env };
    spawnSync('apt-get', ['update', '-qq'], quiet);
    spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], quiet);
  }
  const left = missing();
  if (left.length > 0) {
    console.error(
      `npm ${set === 'test' ? 'test' : `run test:${set}`} needs ${left.join(' and ')}. On Debian: sudo apt-get install ${left.join(' ')}`,
    );
    process.exit(1);
  }
}

function missing() {
  return Object.entries(TOOLS[set]).flatMap(([tool, name]) => (isThere(tool) ? [] : [name]));
}

function isThere(tool) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...SERVER_FOLDERS];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, tool), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
