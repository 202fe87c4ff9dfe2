import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describeEvent } from './log-line';

export interface ProxyPorts {
  readonly port: number;
  readonly adminPort: number;
}

const MAIN = join(__dirname, '..', '..', 'runtime', 'proxy', 'main.ts');

/** The proxy as a child process; its events come out as lines for people. */
export class ProxyProcess {
  /** Resolves to undefined when it ended instead. */
  readonly listening: Promise<ProxyPorts | undefined>;
  readonly exited: Promise<number>;

  private constructor(private readonly child: ChildProcess) {
    this.exited = new Promise((resolve) => {
      child.once('exit', (code) => resolve(code ?? 1));
    });
    const announced = new Promise<ProxyPorts>((resolve) => {
      child.once('message', (message) => resolve(message as ProxyPorts));
    });
    this.listening = Promise.race([announced, this.exited.then(() => undefined)]);
    if (child.stdout) {
      createInterface({ input: child.stdout }).on('line', (line) => process.stdout.write(`${describeEvent(line)}\n`));
    }
  }

  /** @param input is given to it on standard input */
  static start(args: readonly string[], input = ''): ProxyProcess {
    const child = spawn(process.execPath, ['--import', require.resolve('tsx'), MAIN, ...args], {
      stdio: ['pipe', 'pipe', 'inherit', 'ipc'],
      // A group of its own: Ctrl-C reaches us alone, and we ask it to stop once.
      detached: true,
    });
    child.stdin?.on('error', () => undefined).end(input);
    return new ProxyProcess(child);
  }

  /** The first call drains, the second ends it at once. */
  readonly stop = (): void => {
    this.child.kill('SIGTERM');
  };
}
