import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { guardChild, releaseChild } from '../dev-chain/orphan-guard';
import { describeEvent, isStartEvent } from './log-line';

const RUNTIME = join(__dirname, '..', '..', 'runtime');

/** What the programs of the runtime have in common: `--config`, log lines, and a message when they listen. */
export type ProgramName = 'proxy' | 'weighter';

/** A program of the runtime as a child process; its events come out as lines for people. */
export class Program<Listening> {
  /** What it told when it listened; undefined when it ended instead. */
  readonly listening: Promise<Listening | undefined>;
  /** Its exit code; 0 where it was asked to stop before it could drain. */
  readonly exited: Promise<number>;
  #stopping = false;

  private constructor(
    private readonly name: ProgramName,
    private readonly child: ChildProcess,
    quietStart: boolean,
  ) {
    this.exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        if (code === null && !this.#stopping) process.stderr.write(`The ${name} was ended by ${String(signal)}.\n`);
        resolve(code ?? (this.#stopping ? 0 : 1));
      });
    });
    const announced = new Promise<Listening>((resolve) => {
      child.once('message', (message) => resolve(message as Listening));
    });
    this.listening = Promise.race([announced, this.exited.then(() => undefined)]);
    if (child.stdout) this.#tell(child.stdout, quietStart);
  }

  /** Reads the configuration from a file, or only checks it. */
  static startWith<Listening>(name: ProgramName, file: string, check: boolean): Program<Listening> {
    return new Program(name, launch(name, ['--config', file, ...(check ? ['--check'] : [])]), false);
  }

  /** Waits for `configure`. Nothing of an uneventful start is told: the summary does that. */
  static start<Listening>(name: ProgramName): Program<Listening> {
    return new Program(name, launch(name, ['--config', '-']), true);
  }

  /** Over standard input: URLs that hold keys stand on no disk and in no process list. */
  configure(config: unknown): void {
    this.child.stdin?.end(JSON.stringify(config));
  }

  /** The first call lets it finish what is under way, the second ends it at once. */
  readonly stop = (): void => {
    this.#stopping = true;
    this.child.kill('SIGTERM');
  };

  readonly kill = (): void => {
    this.#stopping = true;
    this.child.kill('SIGKILL');
  };

  #tell(output: NonNullable<ChildProcess['stdout']>, quietStart: boolean): void {
    let starting = quietStart;
    createInterface({ input: output }).on('line', (line) => {
      // The proxy tells of the end, for all.
      if (this.#stopping && this.name !== 'proxy') return;
      const { usual, last } = isStartEvent(line);
      if (!starting || !usual) process.stdout.write(`${describeEvent(line)}\n`);
      if (last) starting = false;
    });
  }
}

function launch(name: ProgramName, args: readonly string[]): ChildProcess {
  const main = join(RUNTIME, name, 'main.ts');
  const child = spawn(process.execPath, ['--import', require.resolve('tsx'), main, ...args], {
    stdio: ['pipe', 'pipe', 'inherit', 'ipc'],
    // A group of its own: Ctrl-C reaches us alone, and we ask it to stop once.
    detached: true,
  });
  child.stdin?.on('error', () => undefined);
  const { pid } = child;
  if (pid !== undefined) {
    guardChild(pid);
    child.once('exit', () => releaseChild(pid));
  }
  return child;
}
