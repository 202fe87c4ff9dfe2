import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { trixiePrograms } from '../test/support/trixie';

const ROOT = join(__dirname, '..');
/** Whatever comes to use it is among these tests by itself. */
const SUPPORT = 'test/support/redis-process.ts';

/** All tests with a Redis in them, as the user of ElastiCache, on this machine's Redis and on Valkey 8.1. */
async function main(): Promise<void> {
  const valkey = join(await trixiePrograms(), 'valkey-server');
  for (const program of ['redis-server', valkey]) {
    console.error(versionOf(program));
    const jest = ['jest', '--runInBand', '--findRelatedTests', SUPPORT];
    const env = { ...process.env, REDIS_SERVER: program, REDIS_USER: 'elasticache' };
    const { status } = spawnSync('npx', jest, { cwd: ROOT, env, stdio: 'inherit' });
    if (status !== 0) process.exit(status ?? 1);
  }
}

function versionOf(program: string): string {
  const { stdout, error } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  if (error !== undefined) throw error;
  return stdout.trim();
}

void main();
