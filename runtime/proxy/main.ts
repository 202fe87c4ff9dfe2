import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { stringify } from 'yaml';
import { version } from '../../package.json';
import { ConfigError, loadConfig, parseConfig } from '../config/load';
import { maskConfig } from '../config/mask';
import type { Config } from '../config/schema';
import { fail, listenProblem, onStopSignal } from '../util/program';
import { App } from './app';
import { fullVersion } from './full-version';

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
  const app = await App.create(config, fullVersion(version, process.env));
  // The first signal drains.
  onStopSignal(() => void app.stop().then((clean) => process.exit(clean ? 0 : 1)));
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
  const why = listenProblem(error);
  if (why === undefined) return error.message;
  const { port } = error as Error & { port?: number };
  const key = port === config.admin.port ? 'admin' : 'listen';
  return `${key}.port: ${config[key].host}:${port ?? config[key].port} ${why}`;
}

void main();
