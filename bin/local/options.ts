import { parseArgs } from 'node:util';

export const HELP = `Usage: npm start -- [options]

With no options: two development chain nodes (anvil) that share one chain, and the proxy in front of them.

  --upstream URL        balance this node instead; give it once for each node
  --config FILE         run this configuration; the other options do not apply then
  --check               with --config: check it, print it with its defaults and without secrets, and exit
  --port PORT           where the proxy listens, on 127.0.0.1           (default 8545; 0: any free one)
  --admin-port PORT     where status and metrics are, on 127.0.0.1      (default 9090; 0: any free one)
  --block-time SECONDS  of the development chain, 0.1 to 3600           (default 1)
  --help                this text

Ctrl-C stops everything that was started; a second one at once.
`;

export interface LocalOptions {
  readonly help: boolean;
  readonly check: boolean;
  readonly config: string | undefined;
  readonly upstreams: readonly string[];
  readonly port: number;
  readonly adminPort: number;
  readonly blockTimeSeconds: number;
}

/** The command line is wrong; the message names the option, the rule and the value. */
export class OptionsError extends Error {
  readonly code = 'OPTIONS_INVALID';
}

/** @throws OptionsError */
export function readOptions(args: readonly string[]): LocalOptions {
  const values = parse(args);
  const { config, check = false, upstream: upstreams = [] } = values;
  if (check && config === undefined) throw new OptionsError('--check needs --config FILE');
  if (config !== undefined) {
    const others = ['upstream', 'port', 'admin-port', 'block-time'].filter((name) => Object.hasOwn(values, name));
    if (others.length > 0) throw new OptionsError(`--${others[0] ?? ''} does not go with --config: the file says it`);
  }
  if (upstreams.length > 0 && values['block-time'] !== undefined) {
    throw new OptionsError('--block-time is for the development chain and does not go with --upstream');
  }
  upstreams.forEach(assertUrl);
  const port = toNumber('--port', values.port ?? '8545', 0, 65_535, true);
  const adminPort = toNumber('--admin-port', values['admin-port'] ?? '9090', 0, 65_535, true);
  if (port !== 0 && port === adminPort)
    throw new OptionsError(`--admin-port must differ from --port, got ${port} twice`);
  return {
    help: values.help ?? false,
    check,
    config,
    upstreams,
    port,
    adminPort,
    blockTimeSeconds: toNumber('--block-time', values['block-time'] ?? '1', 0.1, 3600, false),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        upstream: { type: 'string', multiple: true },
        config: { type: 'string' },
        check: { type: 'boolean' },
        port: { type: 'string' },
        'admin-port': { type: 'string' },
        'block-time': { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    throw new OptionsError(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
  }
}

function toNumber(option: string, text: string, least: number, most: number, whole: boolean): number {
  const number = text.trim() === '' ? Number.NaN : Number(text);
  if (number >= least && number <= most && (!whole || Number.isInteger(number))) return number;
  throw new OptionsError(
    `${option} must be a ${whole ? 'whole ' : ''}number from ${least} to ${most}, got ${text.trim() === '' ? 'nothing' : text}`,
  );
}

/** The whole URL is not repeated in the message: it may hold a key. */
function assertUrl(text: string): void {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return;
  throw new OptionsError(`--upstream must be an http or https URL, got ${url ? `one of ${url.protocol}` : 'none'}`);
}
