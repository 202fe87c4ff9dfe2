import { type ChildProcess, spawn } from 'node:child_process';
import { guardChild, releaseChild } from '../../bin/dev-chain/orphan-guard';
import type { Container } from '../../constructs/pod-defaults';
import { SHARED_GROUP } from '../../runtime/contract/groups';

/** Users other than our own take root to be; without it, all containers run as we do. */
export const IS_ROOT = process.getuid?.() === 0;

/** A container of a chart as a process: its command, as its user and groups, without any capability. */
export class RunningContainer {
  readonly exited: Promise<number | null>;
  hasEnded = false;
  private readonly child: ChildProcess;
  private readonly chunks: string[] = [];

  /** @param command with its arguments, as it is called on this machine */
  constructor({ securityContext: { runAsUser, runAsGroup } }: Container, command: readonly string[]) {
    const [program = '', ...args] = [...asUser(runAsUser, runAsGroup), ...command];
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

/** The command in front of another that gives it the user and groups the kubelet would, and no capability. */
export function asUser(user: number, group: number): string[] {
  if (!IS_ROOT) return [];
  const ids = ['--reuid', user, '--regid', group, '--groups', SHARED_GROUP].map(String);
  return ['setpriv', ...ids, '--no-new-privs', '--bounding-set', '-all'];
}
