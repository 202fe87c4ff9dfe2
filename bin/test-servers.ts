import { spawnSync } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { trixiePrograms } from '../test/support/trixie';

const ROOT = join(__dirname, '..');
/** Whatever comes to use it is among the tests of Redis by itself. */
const REDIS_SUPPORT = 'test/support/redis-process.ts';
/** Those of whole programs take minutes, and run the same commands; two of them stand for all. */
const NOT_AGAIN = '/integration/(?!shared-(cache|head))';

/** Tests of HAProxy's own: what is rendered for it, reloads of it, and the pod of a chart with it. */
const HAPROXY_TESTS = ['test/haproxy/', 'test/integration/render.test', 'test/integration/chart(-changes)?.test'];

/**
 * Tests that depend on what servers do, with other servers than this machine's: those with a Redis in them as the user of
 * ElastiCache, on this machine's Redis and on Valkey 8.1; those of HAProxy on HAProxy 3.0.
 */
async function main(): Promise<void> {
  const programs = await trixiePrograms();
  for (const server of ['redis-server', join(programs, 'valkey-server')]) {
    const env = { REDIS_SERVER: server, REDIS_USER: 'elasticache' };
    tell(server, '--version');
    test(['--testPathIgnorePatterns', NOT_AGAIN, '--findRelatedTests', REDIS_SUPPORT], env);
  }
  tell(join(programs, 'haproxy'), '-v');
  test(HAPROXY_TESTS, { PATH: [programs, process.env['PATH'] ?? ''].join(delimiter) });
}

/** Ends the program where a test fails. */
function test(args: readonly string[], env: NodeJS.ProcessEnv): void {
  const { status } = spawnSync('npx', ['jest', '--runInBand', ...args], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
}

/** Which version it is, in its own words. */
function tell(server: string, option: string): void {
  const { stdout, error } = spawnSync(server, [option], { encoding: 'utf8' });
  if (error !== undefined) throw error;
  console.error(stdout.split('\n')[0]);
}

void main();
