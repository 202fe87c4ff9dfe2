// Installs the locked packages when a checkout has none, or older ones, so that `npm start` and `npm test` work
// straight after `git clone`. Plain JavaScript: it runs before anything is installed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const stamp = join(root, 'node_modules', '.installed-lock');
const lock = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex');

const [major = 0] = process.versions.node.split('.').map(Number);
if (major < 20) {
  console.error(`eth-rpc-balancer needs Node.js 20 or newer; this is ${process.version}.`);
  process.exit(1);
}
// npm ci keeps hidden files, the stamp among them, when it empties the folder: so it goes first, and a package is
// looked for besides, in case an installation was broken off.
if (readStamp() !== lock || !existsSync(join(root, 'node_modules', 'tsx'))) {
  rmSync(stamp, { force: true });
  console.error('Installing packages (npm ci); this happens once …');
  const npm = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: root, stdio: 'inherit' });
  if (npm.status !== 0) {
    console.error('npm ci failed; its own message is above.');
    process.exit(npm.status ?? 1);
  }
  writeFileSync(stamp, lock);
}

function readStamp() {
  try {
    return readFileSync(stamp, 'utf8');
  } catch {
    return undefined;
  }
}
