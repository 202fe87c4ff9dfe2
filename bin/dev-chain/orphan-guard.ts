import { spawn, type ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Writable } from 'node:stream';

/**
 * Reads `+ pid` and `- pid` lines; at the end of its input, which comes when this process is gone for whatever reason,
 * it kills the pids that are left.
 */
const WATCH = `
trap '' INT TERM HUP
pids=
while read -r sign pid; do
  rest=
  for p in $pids; do [ "$p" = "$pid" ] || rest="$rest $p"; done
  pids=$rest
  [ "$sign" = - ] || pids="$pids $pid"
done
[ -z "$pids" ] || kill -9 $pids
`;

const guarded = new Set<number>();
let watcher: ChildProcess | undefined;

/**
 * Makes sure that the process `pid` does not outlive this one: an `exit` hook kills it (any platform), and a small
 * shell holding the other end of a pipe does so when this process is killed and runs no hooks (any POSIX system).
 */
export function guardChild(pid: number): void {
  if (guarded.size === 0) {
    process.on('exit', killGuarded);
    watcher = startWatcher();
  }
  guarded.add(pid);
  watcher?.stdin?.write(`+ ${pid}\n`);
}

/** To be called as soon as `pid` is gone, before the system can give its number to another process. */
export function releaseChild(pid: number): void {
  if (!guarded.delete(pid)) return;
  watcher?.stdin?.write(`- ${pid}\n`);
  if (guarded.size > 0) return;
  process.off('exit', killGuarded);
  watcher?.stdin?.end();
  watcher = undefined;
}

function killGuarded(): void {
  for (const pid of guarded) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Gone already.
    }
  }
}

function startWatcher(): ChildProcess | undefined {
  if (process.platform === 'win32') return undefined;
  // Detached: a Ctrl-C in the terminal reaches the whole process group, and the watcher has to see the end of it.
  const shell = spawn('/bin/sh', ['-c', WATCH], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  // Without a shell, or after somebody killed it, the exit hook still works.
  shell.on('error', () => undefined);
  shell.stdin.on('error', () => undefined);
  shell.unref();
  // Node's pipes to children are sockets; without this the pipe alone would keep this process running.
  const pipe: Writable & Partial<Pick<Socket, 'unref'>> = shell.stdin;
  pipe.unref?.();
  return shell;
}
