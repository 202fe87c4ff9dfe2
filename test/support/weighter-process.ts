import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import type { WeighterListeningMessage } from '../../runtime/weighter/main';

const MAIN = join(__dirname, '..', '..', 'runtime', 'weighter', 'main.ts');

export interface WeighterExit {
  readonly code: number | null;
  readonly output: string;
}

/**
 * The real weighter program as a child process, its own port picked by the system.
 *
 * ```ts
 * const weighter = await WeighterProcess.start({ admin: { host: '127.0.0.1', port } });
 * await weighter.untilLogged('weight changed', { server: 'rpc-backend/a', to: 0 });
 * await weighter.stop();
 * ```
 */
export class WeighterProcess {
  private constructor(
    private readonly child: ChildProcess,
    private readonly chunks: string[],
    readonly exited: Promise<WeighterExit>,
    readonly url: string,
  ) {}

  /** @param config as a file would hold it; `listen` gets a free port unless it has one. */
  static async start(config: Readonly<Record<string, unknown>>): Promise<WeighterProcess> {
    const { child, chunks, exited } = launch(
      ['--config', '-'],
      JSON.stringify({ ...config, listen: config['listen'] ?? { port: 0 } }),
    );
    const listening = new Promise<WeighterListeningMessage>((resolve) => {
      child.once('message', (message) => resolve(message as WeighterListeningMessage));
    });
    const first = await Promise.race([listening, exited]);
    if (!('port' in first)) throw new Error(`the weighter did not start (${String(first.code)}): ${first.output}`);
    return new WeighterProcess(child, chunks, exited, `http://127.0.0.1:${first.port}`);
  }

  /** Runs the program to its end with these arguments. */
  static run(args: readonly string[], input = ''): Promise<WeighterExit> {
    return launch(args, input).exited;
  }

  /** All it has written so far. */
  get output(): string {
    return this.chunks.join('');
  }

  /** Its log lines with this message. */
  logged(message: string): Record<string, unknown>[] {
    return this.output
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ msg }) => String(msg).startsWith(message));
  }

  /** Waits for a log line with these fields that comes after `from` others with the same message. */
  async untilLogged(message: string, fields: Readonly<Record<string, unknown>> = {}, from = 0): Promise<void> {
    await eventually(
      () =>
        this.logged(message)
          .slice(from)
          .some((line) => Object.entries(fields).every(([key, value]) => line[key] === value)),
      () => `no "${message}" with ${JSON.stringify(fields)} in: ${this.output}`,
    );
  }

  async status(path: string): Promise<number> {
    return (await fetch(this.url + path)).status;
  }

  /** Sum of the metric's samples that have all these labels; undefined where there is none. */
  async metric(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number | undefined> {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    const lines = text
      .split('\n')
      .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
      .filter((line) => Object.entries(labels).every(([key, value]) => line.includes(`${key}="${value}"`)));
    if (lines.length === 0) return undefined;
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** As its parent does that ends. */
  disconnect(): void {
    this.child.disconnect();
  }

  async stop(): Promise<WeighterExit> {
    this.signal('SIGTERM');
    return this.exited;
  }
}

/** Polls a state that has to come; how fast is judged by those who ask. @throws Error after `timeoutMs` */
export async function eventually(
  reached: () => boolean | Promise<boolean>,
  describe: () => string,
  timeoutMs = 15_000,
): Promise<void> {
  const giveUpAt = performance.now() + timeoutMs;
  while (!(await reached())) {
    if (performance.now() > giveUpAt) throw new Error(`not within ${timeoutMs} ms: ${describe()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function launch(args: readonly string[], input: string) {
  const child = spawn(process.execPath, ['--import', require.resolve('tsx'), MAIN, ...args], {
    stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
  });
  const chunks: string[] = [];
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk));
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk));
  child.stdin?.on('error', () => undefined).end(input);
  // Not `close`, which does not come after `disconnect`.
  const ended = [child.stdout, child.stderr].map((stream) => stream && finished(stream));
  const code = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const exited = Promise.all([code, ...ended]).then(([value]) => ({ code: value, output: chunks.join('') }));
  return { child, chunks, exited };
}
