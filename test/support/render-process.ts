import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { eventually } from './weighter-process';

const MAIN = join(__dirname, '..', '..', 'runtime', 'render', 'main.ts');

export interface RenderExit {
  readonly code: number | null;
  readonly output: string;
  /** It told its parent that the file is there. */
  readonly rendered: boolean;
}

/**
 * The real `render` program as a child process.
 *
 * ```ts
 * const render = await RenderProcess.start(['--config', config, '--out', out, '--watch', '--master-socket', socket]);
 * await render.untilLogged('HAProxy reloaded');
 * await render.stop();
 * ```
 */
export class RenderProcess {
  private constructor(
    private readonly child: ChildProcess,
    private readonly chunks: string[],
    readonly exited: Promise<RenderExit>,
  ) {}

  /** Resolves when the file is written. */
  static async start(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<RenderProcess> {
    const { child, chunks, exited, rendered } = launch(args, '', env);
    const ended = await Promise.race([rendered.then(() => undefined), exited]);
    if (ended && !ended.rendered) throw new Error(`render did not start (${String(ended.code)}): ${ended.output}`);
    return new RenderProcess(child, chunks, exited);
  }

  /** Runs the program to its end with these arguments. */
  static run(args: readonly string[], input = '', env: NodeJS.ProcessEnv = {}): Promise<RenderExit> {
    return launch(args, input, env).exited;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** All it has written so far. */
  get output(): string {
    return this.chunks.join('');
  }

  /** Its log lines with a message that begins so. */
  logged(message: string): Record<string, unknown>[] {
    return this.output
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ msg }) => String(msg).startsWith(message));
  }

  /** Waits for that many log lines with this message. */
  async untilLogged(message: string, times = 1, timeoutMs?: number): Promise<Record<string, unknown>> {
    await eventually(
      () => this.logged(message).length >= times,
      () => `${times} times "${message}" in: ${this.output}`,
      timeoutMs,
    );
    return this.logged(message)[times - 1] ?? {};
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** As its parent does that ends. */
  disconnect(): void {
    this.child.disconnect();
  }

  async stop(): Promise<RenderExit> {
    this.signal('SIGTERM');
    return this.exited;
  }
}

function launch(args: readonly string[], input: string, env: NodeJS.ProcessEnv) {
  const child = spawn(process.execPath, ['--import', require.resolve('tsx'), MAIN, ...args], {
    stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
    env: { ...process.env, ...env },
  });
  const chunks: string[] = [];
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk));
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk));
  child.stdin?.on('error', () => undefined).end(input);
  let told = false;
  const rendered = new Promise<void>((resolve) => {
    child.once('message', (message) => {
      told = (message as { kind?: unknown }).kind === 'rendered';
      resolve();
    });
  });
  // Not `close`, which does not come after `disconnect`.
  const ended = [child.stdout, child.stderr].map((stream) => stream && finished(stream));
  const code = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const exited = Promise.all([code, ...ended]).then(([value]): RenderExit => {
    return { code: value, output: chunks.join(''), rendered: told };
  });
  return { child, chunks, exited, rendered };
}
