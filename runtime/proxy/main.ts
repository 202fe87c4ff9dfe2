import { statSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { stringify } from 'yaml';
import { version } from '../../package.json';
import { FileReader } from '../config/file-reader';
import { ConfigError } from '../config/load';
import { maskConfig } from '../config/mask';
import type { Config } from '../config/schema';
import { fail, listenProblem, onStopSignal } from '../util/program';
import { App } from './app';
import { fullVersion } from './full-version';
import { readConfigFile, readStandardInput } from './reload/config-source';
import { reloadInto } from './reload/reload';

const HELP = `Usage: proxy --config FILE [--check]

An Ethereum JSON-RPC load balancer: one endpoint in front of several nodes.

  --config FILE  the configuration, YAML or JSON; - reads it from standard input
  --check        check the configuration, print it with its defaults and without secrets, and exit
  --help         this text

A changed FILE, or a file that it names, is read again, and so it is at SIGHUP; what it says counts at once, but for the
addresses of listen and admin. One that is wrong is refused, and what was in force stays.

Signals: SIGTERM and SIGINT drain and exit 0; a second one exits at once. SIGHUP reads the configuration again.
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
  const reader = new FileReader();
  const { config, files } = await readConfig(options.config, reader);
  reader.started();
  if (options.check) {
    process.stdout.write(stringify(maskConfig(config)));
    return;
  }
  const app = await createApp(config);
  const reloading = isReadAgain(options.config) ? reloadInto(app, config, options.config, reader) : undefined;
  // The first signal drains.
  onStopSignal(() => {
    reloading?.close();
    void app.stop().then((clean) => process.exit(clean ? 0 : 1));
  });
  process.on('SIGHUP', () => {
    if (reloading) void reloading.now();
    else app.log.warn('the configuration cannot be read again: it came through a pipe');
  });
  const { port, adminPort } = await app.start().catch((error: unknown) => fail(1, startProblem(error, config)));
  reloading?.start(files);
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

async function readConfig(
  file: string,
  reader: FileReader,
): Promise<{ readonly config: Config; readonly files: readonly string[] }> {
  try {
    if (file === '-') return { config: await readStandardInput(process.env), files: [] };
    const reading = await readConfigFile(file, process.env, reader);
    if (!reading.ok) throw reading.error;
    return reading;
  } catch (error) {
    if (error instanceof ConfigError) return fail(2, error.message);
    throw error;
  }
}

/** What comes through a pipe, standard input for one, is gone once it is read. */
function isReadAgain(file: string): boolean {
  return file !== '-' && statSync(file, { throwIfNoEntry: false })?.isFile() === true;
}

async function createApp(config: Config): Promise<App> {
  try {
    return await App.create(config, fullVersion(version, process.env));
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
