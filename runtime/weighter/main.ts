import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { ConfigError } from '../config/load';
import { loadWeighterConfig, parseWeighterConfig, type WeighterConfig } from '../config/weighter-config';
import { HaproxySocket } from '../haproxy/socket';
import { createLogger } from '../telemetry/logger';
import { createWeighterMetrics } from '../telemetry/weighter-metrics';
import { now } from '../util/clock';
import { fail, listenProblem, stopSignal } from '../util/program';
import { EthersProbe } from './ethers-probe';
import { RoundLog } from './round-log';
import { RoundMetrics } from './round-metrics';
import { isDone, type RoundReport } from './round-report';
import { run } from './run';
import { toTable } from './table';
import { Weighter } from './weighter';
import { WeighterServer } from './weighter-server';

const HELP = `Usage: weighter --config FILE [--once | --dry-run]

Sets the weights of HAProxy's servers by how the Ethereum nodes behind them do.

  --config FILE  HAProxy's admin socket and the servers, JSON or YAML; - reads it from standard input
  --once         one round, and exit
  --dry-run      one round, print what it found and would set, set nothing, and exit
  --help         this text

Signals: SIGTERM and SIGINT stop at once and exit 0; weights stay as they are.
Exit codes: 0 done, 1 could not start, or could not set (--once) or read (--dry-run) every weight,
2 the configuration or the command line is wrong.
`;

/** Told to the process that started us, if it listens: where the port ended up. */
export interface WeighterListeningMessage {
  readonly kind: 'listening';
  readonly port: number;
}

interface Options {
  readonly config: string;
  readonly once: boolean;
  readonly dryRun: boolean;
  readonly help: boolean;
}

async function main(): Promise<void> {
  const options = readOptions();
  if (options.help) {
    process.stdout.write(HELP);
    return;
  }
  const config = await readConfig(options.config);
  const stop = stopSignal();
  const weighter = createWeighter(config);
  if (options.dryRun) await tell(weighter, stop);
  else if (options.once) await weighOnce(config, weighter, stop);
  else await weighUntilStopped(config, weighter, stop);
}

function createWeighter(config: WeighterConfig): Weighter {
  const { admin, socketTimeoutMs, maxLatencyMs, probeTimeoutMs = maxLatencyMs + 1000 } = config;
  const address = admin.path === undefined ? { host: admin.host, port: admin.port } : { path: admin.path };
  return new Weighter({
    config,
    socket: new HaproxySocket({ address, timeoutMs: socketTimeoutMs }),
    createProbe: (url) => new EthersProbe(url, probeTimeoutMs),
    clock: Date.now,
  });
}

async function tell(weighter: Weighter, stop: AbortSignal): Promise<never> {
  const report = await weighter.round(stop, false);
  process.stdout.write(toTable(report));
  return finish(report, 'the weights could not be read');
}

async function weighOnce(config: WeighterConfig, weighter: Weighter, stop: AbortSignal): Promise<never> {
  const log = createLogger(config.logLevel);
  const report = await weighter.round(stop);
  new RoundLog(log, now).take(report);
  return finish(report, 'not every weight could be set');
}

function finish(report: RoundReport, problem: string): never {
  const done = isDone(report);
  const reason = report.error?.message ?? (report.servers.length === 0 ? 'there are no servers' : 'HAProxy refused');
  if (!done) process.stderr.write(`${problem}: ${reason}\n`);
  process.exit(done ? 0 : 1);
}

async function weighUntilStopped(config: WeighterConfig, weighter: Weighter, stop: AbortSignal): Promise<never> {
  const log = createLogger(config.logLevel);
  const lines = new RoundLog(log, now);
  const metrics = new RoundMetrics(createWeighterMetrics(), now);
  // It stays ready: a pod must not lose its traffic because HAProxy's admin socket does not answer.
  let ready = false;
  const server = new WeighterServer({ isReady: () => ready, metrics: () => metrics.show() });
  const { host } = config.listen;
  const port = await server
    .listen(host, config.listen.port)
    .catch((error: unknown) => fail(1, startProblem(error, config)));
  process.send?.({ kind: 'listening', port } satisfies WeighterListeningMessage);
  log.info({ host, port, policy: config.policy, intervalMs: config.adjustIntervalMs }, 'listening');
  await run(
    weighter,
    {
      intervalMs: config.adjustIntervalMs,
      onReport: (report) => {
        lines.take(report);
        metrics.take(report);
        ready ||= isDone(report);
      },
      onDefect: (error) => log.error({ err: error }, 'a round failed'),
    },
    stop,
  );
  weighter.close();
  server.close();
  log.info('stopped');
  process.exit(0);
}

function readOptions(): Options {
  try {
    const { values } = parseArgs({
      options: {
        config: { type: 'string' },
        once: { type: 'boolean' },
        'dry-run': { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    const { config = '', once = false, 'dry-run': dryRun = false, help = false } = values;
    if (config === '' && !help) throw new Error('--config FILE is missing');
    if (once && dryRun) throw new Error('--once sets weights and --dry-run sets none: only one of them');
    return { config, once, dryRun, help };
  } catch (error) {
    return fail(2, `${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
  }
}

async function readConfig(file: string): Promise<WeighterConfig> {
  try {
    if (file !== '-') return await loadWeighterConfig(file, process.env);
    return parseWeighterConfig(await text(process.stdin), { env: process.env, source: 'standard input' });
  } catch (error) {
    if (error instanceof ConfigError) return fail(2, error.message);
    throw error;
  }
}

function startProblem(error: unknown, { listen }: WeighterConfig): string {
  const { code = '' } = error as NodeJS.ErrnoException;
  return `listen.port: ${listen.host}:${listen.port} ${listenProblem(error) ?? `cannot be used (${code})`}`;
}

void main();
