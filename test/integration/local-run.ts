import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../support/eventually';

const LOCAL = join(__dirname, '..', '..', 'bin', 'local.ts');

/** So that runs at the same time do not meet. */
export const ANY_PORTS = ['port', 'admin-port', 'pool-port', 'stats-port', 'socket-port', 'weighter-port'].flatMap(
  (option) => [`--${option}`, '0'],
);

export interface LocalExit {
  readonly code: number | null;
  readonly output: string;
}

/** `npm start` as its user has it: a child process, known by what it prints. */
export class LocalRun {
  readonly exited: Promise<LocalExit>;
  /** Standard output and standard error as they came. */
  output = '';

  private static readonly running = new Set<ChildProcess>();

  private constructor(private readonly child: ChildProcess) {
    LocalRun.running.add(child);
    child.once('exit', () => LocalRun.running.delete(child));
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk: string) => (this.output += chunk));
    }
    this.exited = new Promise((resolve) => {
      child.once('close', (code) => resolve({ code, output: this.output }));
    });
  }

  /** Resolves when the summary is there. @throws Error with what was printed when it ended instead. */
  static start(...args: string[]): Promise<LocalRun> {
    return LocalRun.startIn({}, ...args);
  }

  /** As `start`, with more in its environment. */
  static async startIn(env: NodeJS.ProcessEnv, ...args: string[]): Promise<LocalRun> {
    const run = LocalRun.launchIn(env, ...ANY_PORTS, ...args);
    const ended = run.exited.then(({ code, output }) => {
      throw new Error(`it ended with ${String(code)}: ${output}`);
    });
    await Promise.race([run.prints('Ctrl-C stops everything'), ended]);
    ended.catch(() => undefined);
    return run;
  }

  /** Runs it to its end. */
  static run(...args: string[]): Promise<LocalExit> {
    return LocalRun.launch(...args).exited;
  }

  /** For the end of a test that failed half-way. */
  static killAll(): void {
    for (const child of LocalRun.running) child.kill('SIGKILL');
  }

  static launch(...args: string[]): LocalRun {
    return LocalRun.launchIn({}, ...args);
  }

  static launchIn(env: NodeJS.ProcessEnv, ...args: string[]): LocalRun {
    return new LocalRun(
      spawn(process.execPath, ['--import', require.resolve('tsx'), LOCAL, ...args], {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, ...env },
      }),
    );
  }

  get url(): string {
    return this.found(/JSON-RPC +(http:\S+)/);
  }

  get statusUrl(): string {
    return this.found(/Status +(http:\S+)/);
  }

  get metricsUrl(): string {
    return this.found(/Metrics +(http:\S+)/);
  }

  get curl(): string {
    return this.found(/Try it: +(curl .*)$/m);
  }

  get haproxy(): { pool: string; statistics: string; socket: number; weighter: string } {
    return {
      pool: this.found(/Pool +(http:\S+)/),
      statistics: this.found(/Statistics +(http:\S+)/),
      socket: Number(this.found(/Admin socket +127\.0\.0\.1:(\d+)/)),
      weighter: this.found(/Weighter +(http:\S+)/),
    };
  }

  get nodes(): { url: string; pid: number }[] {
    return [...this.output.matchAll(/node-\d+ +(http:\S+) +pid (\d+)/g)].map(([, url = '', pid]) => ({
      url,
      pid: Number(pid),
    }));
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  async prints(text: string): Promise<void> {
    await eventually(
      () => this.output.includes(text),
      () => `"${text}" in: ${this.output}`,
      30_000,
    );
  }

  async stop(): Promise<LocalExit> {
    this.signal('SIGINT');
    return this.exited;
  }

  private found(pattern: RegExp): string {
    const text = pattern.exec(this.output)?.[1];
    if (text === undefined) throw new Error(`no ${String(pattern)} in ${this.output}`);
    return text;
  }
}

/** Every process below this one, as the system knows them (Linux). */
export function descendants(pid: number): { pid: number; args: string }[] {
  const children = readdirSync('/proc')
    .map(Number)
    .filter((candidate) => candidate > 0 && parentOf(candidate) === pid);
  return children.flatMap((child) => [{ pid: child, args: argsOf(child) }, ...descendants(child)]);
}

/** Resolves when none of these processes is running. */
export async function gone(pids: readonly number[]): Promise<void> {
  await eventually(
    () => pids.every((pid) => parentOf(pid) === undefined),
    () => 'the end of what was started',
  );
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' ? undefined : Number(parent);
  } catch {
    return undefined;
  }
}

function argsOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

export async function call(url: string, method: string, params: readonly unknown[] = []): Promise<unknown> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
  const headers = { 'content-type': 'application/json' };
  const answer = (await (await fetch(url, { method: 'POST', headers, body })).json()) as {
    result?: unknown;
    error?: unknown;
  };
  if (answer.error !== undefined) throw new Error(`${method}: ${JSON.stringify(answer.error)}`);
  return answer.result;
}
