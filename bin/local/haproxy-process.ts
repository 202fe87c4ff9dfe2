import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { guardChild, releaseChild } from '../dev-chain/orphan-guard';
import { describeHaproxyLine } from './haproxy-line';
import { untilListening } from './ports';

/** Between its end and its next start. */
const RESTART_MS = 1000;
/** What it may take from its start until it listens. */
const START_MS = 5000;

export interface HaproxyOptions {
  /** The program. */
  readonly path: string;
  /** The text of haproxy.cfg, which may hold keys. */
  readonly config: string;
  /** Where it listens once it runs. */
  readonly host: string;
  readonly port: number;
}

interface Running {
  /** How it ended. */
  readonly ended: Promise<string>;
  readonly listens: Promise<boolean>;
}

/** HAProxy as a child process, started again when it ends unasked; what it logs of servers comes out as lines for people. */
export class LocalHaproxy {
  private child: ChildProcess | undefined;
  private stopping = false;
  private listened = false;
  private output: string[] = [];

  private constructor(private readonly options: HaproxyOptions) {}

  /** @throws Error with what it wrote, where it does not listen. */
  static async start(options: HaproxyOptions): Promise<LocalHaproxy> {
    const haproxy = new LocalHaproxy(options);
    const { ended, listens } = haproxy.run();
    if (!(await listens)) {
      haproxy.stop();
      throw new Error(`HAProxy did not start:\n${haproxy.output.join('\n')}`);
    }
    void haproxy.runAgain(ended);
    return haproxy;
  }

  /** At once: by then the proxy has finished what was under way. */
  readonly stop = (): void => {
    this.stopping = true;
    this.child?.kill('SIGTERM');
  };

  private async runAgain(first: Promise<string>): Promise<void> {
    let how = await first;
    while (!this.isStopping()) {
      const why = this.listened ? '' : `\n${this.output.join('\n')}`;
      process.stderr.write(`HAProxy was ended (${how}); it is started again.${why}\n`);
      await sleep(RESTART_MS);
      if (!this.isStopping()) how = await this.run().ended;
    }
  }

  private isStopping(): boolean {
    return this.stopping;
  }

  private run(): Running {
    const { path, config, host, port } = this.options;
    this.listened = false;
    this.output = [];
    // HAProxy opens its file by name; it goes from the disk as soon as it was read, or this process ends.
    const folder = mkdtempSync(join(tmpdir(), 'eth-rpc-balancer-'));
    const remove = (): void => rmSync(folder, { recursive: true, force: true });
    process.once('exit', remove);
    const file = join(folder, 'haproxy.cfg');
    writeFileSync(file, config, { mode: 0o600 });
    // In the foreground, without a master: nothing here is reloaded.
    const child = spawn(path, ['-db', '-f', file], { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    this.child = child;
    createInterface({ input: child.stdout }).on('line', (line) => this.tell(line));
    // What went wrong at the start; later it repeats the log.
    createInterface({ input: child.stderr }).on('line', (line) => this.listened || this.output.push(line));
    const { pid } = child;
    if (pid !== undefined) guardChild(pid);
    const ended = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('exit', (code, signal) => {
        if (pid !== undefined) releaseChild(pid);
        resolve(signal ?? `code ${String(code)}`);
      });
    });
    const isUp = Promise.race([untilListening(host, port, START_MS), ended.then(() => false)]);
    const listens = isUp.then((up) => {
      process.off('exit', remove);
      remove();
      return (this.listened = up);
    });
    return { ended, listens };
  }

  private tell(line: string): void {
    const told = describeHaproxyLine(line);
    if (told !== undefined && this.listened && !this.stopping) process.stdout.write(`${told}\n`);
  }
}
