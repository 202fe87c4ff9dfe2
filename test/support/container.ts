import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from './eventually';
import type { ImageBuild } from './image-build';
import type { ProgramExit } from './program-process';

export interface ContainerOptions {
  /** As in a pod's container. */
  readonly command: readonly string[];
  /** Folders of this machine, by where they are in the container. The program writes there as its user may. */
  readonly mounts?: Readonly<Record<string, string>>;
}

/**
 * A program of the image as Kubernetes runs it: its root file system read only, its user, environment and folder those
 * of the image, no new privileges, PID 1 of its own process namespace. The network is this machine's.
 *
 * ```ts
 * const proxy = Container.start(image, { command: ['node', '/app/proxy.js', '--config', '/etc/rpc-proxy/config.json'] });
 * await proxy.untilOutput('"msg":"listening"');
 * proxy.signal('SIGTERM');
 * expect((await proxy.exited).code).toBe(0);
 * ```
 */
export class Container {
  readonly exited: Promise<ProgramExit>;
  private readonly chunks: string[] = [];

  private constructor(private readonly child: ChildProcess) {
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => this.chunks.push(chunk));
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => this.chunks.push(chunk));
    this.exited = new Promise((resolve) => {
      child.once('close', (code) => resolve({ code, output: this.output }));
    });
  }

  static start({ root, config }: ImageBuild, { command, mounts = {} }: ContainerOptions): Container {
    // What a container runtime does before it makes the file system read only.
    for (const inside of Object.keys(mounts)) mkdirSync(join(root, inside), { recursive: true });
    const volumes = Object.entries(mounts).map(([inside, outside]) => `${outside}:${join(root, inside)}`);
    const [user = '', group = user] = config.User.split(':');
    const place = [root, volumes.join(' '), user, group, config.WorkingDir];
    const namespaces = ['--mount', '--pid', '--fork'];
    const child = spawn('unshare', [...namespaces, 'sh', '-euc', ENTER, 'enter', ...place, ...command], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: Object.fromEntries(
        config.Env.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
      ),
    });
    return new Container(child);
  }

  /** Runs it to its end. */
  static run(image: ImageBuild, options: ContainerOptions): Promise<ProgramExit> {
    return Container.start(image, options).exited;
  }

  /** All it has written so far. */
  get output(): string {
    return this.chunks.join('');
  }

  async untilOutput(text: string): Promise<void> {
    await eventually(
      () => this.output.includes(text) || this.child.exitCode !== null,
      () => `${text} in: ${this.output}`,
    );
    if (!this.output.includes(text)) throw new Error(`it ended (${this.child.exitCode}): ${this.output}`);
  }

  /** To PID 1 of the container, from outside, as a container runtime does. */
  signal(name: NodeJS.Signals): void {
    const { pid = 0 } = this.child;
    const inner = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    // Already gone, or not there yet; 0 would be all of us.
    if (inner !== '') process.kill(Number(inner), name);
  }

  /** At once, where it still runs; all it has started ends with it. */
  async kill(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.signal('SIGKILL');
    await this.exited;
  }
}

/** Runs as PID 1 in namespaces of its own, and becomes the program. */
const ENTER = `
root=$1 volumes=$2 user=$3 group=$4 folder=$5
shift 5
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom; do
  touch "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
for volume in $volumes; do mount --bind "\${volume%%:*}" "\${volume#*:}"; done
mount -o remount,bind,ro "$root"
exec setpriv --no-new-privs --clear-groups \\
  unshare --root="$root" --wd="$folder" --setgid="$group" --setuid="$user" -- "$@"
`;
