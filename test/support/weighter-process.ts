import type { WeighterListeningMessage } from '../../runtime/weighter/main';
import { eventually } from './eventually';
import { type LaunchedProgram, launchProgram, logLines, type ProgramExit } from './program-process';

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
    private readonly program: LaunchedProgram,
    readonly url: string,
  ) {}

  /** @param config as a file would hold it; `listen` gets a free port unless it has one. */
  static async start(config: Readonly<Record<string, unknown>>): Promise<WeighterProcess> {
    const program = launchProgram(
      'weighter',
      ['--config', '-'],
      JSON.stringify({ ...config, listen: config['listen'] ?? { port: 0 } }),
    );
    const { child, exited } = program;
    const listening = new Promise<WeighterListeningMessage>((resolve) => {
      child.once('message', (message) => resolve(message as WeighterListeningMessage));
    });
    const first = await Promise.race([listening, exited]);
    if (!('port' in first)) throw new Error(`the weighter did not start (${String(first.code)}): ${first.output}`);
    return new WeighterProcess(program, `http://127.0.0.1:${first.port}`);
  }

  /** Runs the program to its end with these arguments. */
  static run(args: readonly string[], input = ''): Promise<ProgramExit> {
    return launchProgram('weighter', args, input).exited;
  }

  get exited(): Promise<ProgramExit> {
    return this.program.exited;
  }

  /** All it has written so far. */
  get output(): string {
    return this.program.output();
  }

  /** Its log lines with this message. */
  logged(message: string): Record<string, unknown>[] {
    return logLines(this.output, message);
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
    this.program.child.kill(name);
  }

  /** As its parent does that ends. */
  disconnect(): void {
    this.program.child.disconnect();
  }

  async stop(): Promise<ProgramExit> {
    this.signal('SIGTERM');
    return this.program.exited;
  }
}
