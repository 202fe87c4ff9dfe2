import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { stringify } from 'yaml';
import { ConfigError, loadConfig, parseConfig } from '../config/load';
import { maskConfig } from '../config/mask';
import type { Config } from '../config/schema';
import { App } from './app';

const HELP = `Usage: proxy --config FILE [--check]

An Ethereum JSON-RPC load balancer: one endpoint in front of several nodes.

  --config FILE  the configuration, YAML or JSON; - reads it from standard input
  --check        check the configuration, print it with its defaults and without secrets, and exit
  --help         this text

Signals: SIGTERM and SIGINT drain and exit 0; a second one exits at once.
Exit codes: 0 done, 1 could not start, 2 the configuration or the command line is wrong.
`;

/** Told to the process that started us, if it listens: where the ports ended up. */
export interface ListeningMessage {
  readonly kind: 'listening';
  readonly port: number;
  readonly adminPort: number;
}

async function main(): Promise<void> {
  const options = readOptions();
  if (options.help) {
    process.stdout.write(HELP);
    return;
  }
  const config = await readConfig(options.config);
  if (options.check) {
    process.stdout.write(stringify(maskConfig(config)));
    return;
  }
  const app = await App.create(config, version());
  stopOnSignals(app);
  const { port, adminPort } = await app.start().catch((error: unknown) => fail(1, startProblem(error, config)));
  process.send?.({ kind: 'listening', port, adminPort } satisfies ListeningMessage);
}

function readOptions(): { config: string; check: boolean; help: boolean } {
  try {
    const { values } = parseArgs({
      options: { config: { type: 'string' }, check: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
    });
    if (values.config === undefined && values.help !== true) throw new Error('--config FILE is missing');
    return { config: values.config ?? '', check: values.check ?? false, help: values.help ?? false };
  } catch (error) {
    return fail(2, `${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
  }
}

async function readConfig(file: string): Promise<Config> {
  try {
    if (file !== '-') return await loadConfig(file, process.env);
    return parseConfig(await text(process.stdin), { env: process.env, source: 'standard input' });
  } catch (error) {
    if (error instanceof ConfigError) return fail(2, error.message);
    throw error;
  }
}

function startProblem(error: unknown, config: Config): string {
  if (!(error instanceof Error)) return String(error);
  const { code, port } = error as NodeJS.ErrnoException & { port?: number };
  if (code !== 'EADDRINUSE' && code !== 'EACCES' && code !== 'EADDRNOTAVAIL') return error.message;
  const key = port === config.admin.port ? 'admin' : 'listen';
  const why = { EADDRINUSE: 'is taken', EACCES: 'may not be used', EADDRNOTAVAIL: 'is no address here' }[code];
  return `${key}.port: ${config[key].host}:${port ?? config[key].port} ${why}`;
}

/** The first signal drains; the second ends the process where it stands. */
function stopOnSignals(app: App): void {
  let stopping = false;
  const stop = (): void => {
    if (stopping) process.exit(1);
    stopping = true;
    void app.stop().then((clean) => process.exit(clean ? 0 : 1));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  // Started by another program: when it is gone, nobody is left to stop us.
  if (process.send) process.once('disconnect', stop);
}

function version(): string {
  const { version } = JSON.parse(readFileSync(`${__dirname}/../../package.json`, 'utf8')) as { version: string };
  return version;
}

function fail(code: number, message: string): never {
  process.stderr.write(`${message.trimEnd()}\n`);
  process.exit(code);
}

void main();
