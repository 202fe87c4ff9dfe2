import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable } from 'node:stream';
import { anvilBinary } from './anvil-binary';
import { AnvilError } from './anvil-error';
import { guardChild, releaseChild } from './orphan-guard';

type Child = ChildProcessByStdio<null, Readable, Readable>;

/** A loaded machine may be slow; a process silent for longer is broken. In milliseconds. */
const START_MS = 20_000;
const OUTPUT_CHARS = 8192;
/** With the end of the line: a chunk may stop in the middle of the number. */
const LISTENING = /Listening on \S+:(\d+)\s/;

/** One life of an anvil process, from its first line to its end. */
export class AnvilProcess {
  readonly pid: number;
  readonly port: number;
  readonly #child: Child;
  readonly #output: TailText;
  readonly #gone: Promise<void>;

  /** Resolves when anvil listens. @throws AnvilError `START_FAILED` */
  static async start(args: readonly string[]): Promise<AnvilProcess> {
    const child: Child = spawn(anvilBinary(), args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own: Ctrl-C in a terminal is for us, and what we serve with the node ends before the node does.
      detached: process.platform !== 'win32',
    });
    const output = new TailText(OUTPUT_CHARS);
    child.stdout.on('data', (chunk: Buffer) => output.add(chunk));
    child.stderr.on('data', (chunk: Buffer) => output.add(chunk));
    const { pid } = child;
    if (pid !== undefined) {
      guardChild(pid);
      child.once('exit', () => releaseChild(pid));
    }
    try {
      const port = await listeningPort(child, output);
      return new AnvilProcess(child, output, pid ?? 0, port);
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  }

  private constructor(child: Child, output: TailText, pid: number, port: number) {
    this.#child = child;
    this.#output = output;
    this.pid = pid;
    this.port = port;
    this.#gone = this.ended ? Promise.resolve() : new Promise((resolve) => child.once('exit', () => resolve()));
  }

  get ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  get output(): string {
    return this.#output.text;
  }

  /** False when the process is gone. */
  signal(name: NodeJS.Signals): boolean {
    return !this.ended && this.#child.kill(name);
  }

  /** Sends the signal; resolves when the process is gone. */
  end(name: NodeJS.Signals): Promise<void> {
    this.signal(name);
    return this.#gone;
  }
}

function listeningPort(child: Child, output: TailText): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (what: string, cause?: unknown): void =>
      reject(new AnvilError('START_FAILED', `anvil ${what}: ${output.text.trim()}`, { cause }));
    const timer = setTimeout(() => fail(`said nothing of listening for ${START_MS} ms`), START_MS);
    const onData = (): void => {
      const port = LISTENING.exec(output.text)?.[1];
      if (port === undefined) return;
      clearTimeout(timer);
      child.stdout.off('data', onData);
      resolve(Number(port));
    };
    child.stdout.on('data', onData);
    child.once('error', (cause) => {
      clearTimeout(timer);
      fail('could not be started', cause);
    });
    // `close`, not `exit`: by then the pipes are empty and the message is complete.
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      fail(`ended with ${String(code ?? signal)}`);
    });
  });
}

/** The last characters of a text that has no end. */
class TailText {
  #text = '';
  readonly #length: number;

  constructor(length: number) {
    this.#length = length;
  }

  get text(): string {
    return this.#text.slice(-this.#length);
  }

  add(chunk: Buffer): void {
    this.#text += chunk.toString('utf8');
    if (this.#text.length > 2 * this.#length) this.#text = this.text;
  }
}
