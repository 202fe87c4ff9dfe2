import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';

export interface ProgramExit {
  readonly code: number | null;
  readonly output: string;
}

/** A program of the runtime as a child process with a channel, and what it writes. */
export interface LaunchedProgram {
  readonly child: ChildProcess;
  /** All it has written so far. */
  readonly output: () => string;
  readonly exited: Promise<ProgramExit>;
}

/** @param input for its standard input */
export function launchProgram(
  name: string,
  args: readonly string[],
  input: string,
  env: NodeJS.ProcessEnv = {},
): LaunchedProgram {
  const main = join(__dirname, '..', '..', 'runtime', name, 'main.ts');
  const child = spawn(process.execPath, ['--import', require.resolve('tsx'), main, ...args], {
    stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
    env: { ...process.env, ...env },
  });
  const chunks: string[] = [];
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk));
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk));
  child.stdin?.on('error', () => undefined).end(input);
  const output = (): string => chunks.join('');
  // Not `close`, which does not come after `disconnect`.
  const ended = [child.stdout, child.stderr].map((stream) => stream && finished(stream));
  const code = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const exited = Promise.all([code, ...ended]).then(([value]) => ({ code: value, output: output() }));
  return { child, output, exited };
}

/** The JSON log lines with a message that begins so. */
export function logLines(output: string, message: string): Record<string, unknown>[] {
  return output
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ msg }) => String(msg).startsWith(message));
}
