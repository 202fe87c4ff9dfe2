import { type ChildProcess, spawn } from 'node:child_process';
import { basename, dirname, join } from 'node:path';
import { guardChild, releaseChild } from '../../bin/dev-chain/orphan-guard';
import type { Container } from '../../constructs/pod-defaults';
import { USERS } from '../../runtime/contract/users';

/** Users other than our own take root to be; without it, all containers run as we do. */
export const IS_ROOT = process.getuid?.() === 0;

/** The machine's, or the one that the environment names. */
const HAPROXY = process.env['HAPROXY'] ?? 'haproxy';
const ROOT = join(__dirname, '..', '..');

/** A container of a chart as a process: its command, as its user and groups, without any capability. */
export class RunningContainer {
  readonly exited: Promise<number | null>;
  hasEnded = false;
  private readonly child: ChildProcess;
  private readonly chunks: string[] = [];

  constructor(spec: Container, inFolder: (text: string) => string) {
    const [program = '', ...args] = [...asUser(spec), ...commandOf(spec), ...spec.args.map(inFolder)];
    const path = `${process.env['PATH'] ?? ''}:/usr/sbin`;
    this.child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, PATH: path },
      cwd: '/',
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk: string) => this.chunks.push(chunk));
    }
    const { pid } = this.child;
    if (pid !== undefined) guardChild(pid);
    this.exited = new Promise((resolve) =>
      this.child.once('close', (code) => {
        if (pid !== undefined) releaseChild(pid);
        this.hasEnded = true;
        resolve(code);
      }),
    );
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** All it has written so far. */
  get output(): string {
    return this.chunks.join('');
  }

  stop(signal: NodeJS.Signals): Promise<number | null> {
    if (!this.hasEnded) this.child.kill(signal);
    return this.exited;
  }
}

/** The image's program is made of the source that is run here: `/app/proxy.js` of runtime/proxy/main.ts. */
function commandOf({ command }: Container): string[] {
  const [program = '', file = ''] = command;
  if (program === 'haproxy') return [HAPROXY];
  const source = join(ROOT, 'runtime', basename(file, '.js'), 'main.ts');
  if (program !== 'node' || dirname(file) !== '/app') throw new Error(`${command.join(' ')} is not in our image`);
  return [process.execPath, '--import', require.resolve('tsx'), source];
}

function asUser({ securityContext: { runAsUser, runAsGroup } }: Container): string[] {
  if (!IS_ROOT) return [];
  const ids = ['--reuid', runAsUser, '--regid', runAsGroup, '--groups', USERS.shared].map(String);
  return ['setpriv', ...ids, '--no-new-privs', '--bounding-set', '-all'];
}
