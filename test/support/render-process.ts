import { eventually } from './eventually';
import { type LaunchedProgram, launchProgram, logLines, type ProgramExit } from './program-process';

export interface RenderExit extends ProgramExit {
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
    private readonly program: LaunchedProgram,
    readonly exited: Promise<RenderExit>,
  ) {}

  /** Resolves when the file is written. */
  static async start(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<RenderProcess> {
    const { program, exited, rendered } = launch(args, '', env);
    const ended = await Promise.race([rendered.then(() => undefined), exited]);
    if (ended && !ended.rendered) throw new Error(`render did not start (${String(ended.code)}): ${ended.output}`);
    return new RenderProcess(program, exited);
  }

  /** Runs the program to its end with these arguments. */
  static run(args: readonly string[], input = '', env: NodeJS.ProcessEnv = {}): Promise<RenderExit> {
    return launch(args, input, env).exited;
  }

  get pid(): number {
    return this.program.child.pid ?? 0;
  }

  /** All it has written so far. */
  get output(): string {
    return this.program.output();
  }

  /** Its log lines with a message that begins so. */
  logged(message: string): Record<string, unknown>[] {
    return logLines(this.output, message);
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
    this.program.child.kill(name);
  }

  /** As its parent does that ends. */
  disconnect(): void {
    this.program.child.disconnect();
  }

  async stop(): Promise<RenderExit> {
    this.signal('SIGTERM');
    return this.exited;
  }
}

function launch(args: readonly string[], input: string, env: NodeJS.ProcessEnv) {
  const program = launchProgram('render', args, input, env);
  let told = false;
  const rendered = new Promise<void>((resolve) => {
    program.child.once('message', (message) => {
      told = (message as { kind?: unknown }).kind === 'rendered';
      resolve();
    });
  });
  const exited = program.exited.then((exit): RenderExit => ({ ...exit, rendered: told }));
  return { program, exited, rendered };
}
