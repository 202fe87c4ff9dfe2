import { parseArgs } from 'node:util';

export const HELP = `Usage: npm start -- [options]

With no options: two development chain nodes (anvil) that share one chain, HAProxy in front of them with the weighter
beside it, and the proxy. Without HAProxy on this machine the proxy dials the nodes itself.

  --upstream URL        balance this node instead; give it once for each node
  --config FILE         run this configuration, and HAProxy with it where nodes have a localPort and a provider; the
                        other options do not apply then
  --check               with --config: check it, print it with its defaults and without secrets, and exit
  --block-time SECONDS  of the development chain, 0.1 to 3600           (default 1)
  --no-haproxy          let the proxy dial the nodes itself (the variable HAPROXY names another haproxy to run)

Ports, all on 127.0.0.1; 0 takes any that is free:
  --port PORT           the proxy                                       (default 8545)
  --admin-port PORT     its status and metrics                          (default 9090)
  --pool-port PORT      HAProxy's pool; the nodes' own ports come next  (default 8000, and 8001, 8002 …)
  --stats-port PORT     HAProxy's statistics                            (default 8404)
  --socket-port PORT    HAProxy's admin socket                          (default 9999)
  --weighter-port PORT  the weighter's health and metrics               (default 9091)

  --help                this text

Ctrl-C stops everything that was started; a second one at once.
`;

export interface LocalOptions {
  readonly help: boolean;
  readonly check: boolean;
  readonly config: string | undefined;
  readonly upstreams: readonly string[];
  readonly ports: LocalPorts;
  readonly haproxy: boolean;
  readonly blockTimeSeconds: number;
}

/** TCP ports on 127.0.0.1; 0 is any that is free. */
export type LocalPorts = Readonly<Record<keyof typeof PORTS, number>>;

/** Option and default of each port. */
export const PORTS = {
  proxy: { option: 'port', usual: 8545 },
  admin: { option: 'admin-port', usual: 9090 },
  pool: { option: 'pool-port', usual: 8000 },
  stats: { option: 'stats-port', usual: 8404 },
  socket: { option: 'socket-port', usual: 9999 },
  weighter: { option: 'weighter-port', usual: 9091 },
} as const;

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
    const others = ['upstream', 'no-haproxy', 'block-time', ...Object.values(PORTS).map(({ option }) => option)].filter(
      (name) => Object.hasOwn(values, name),
    );
    if (others.length > 0) throw new OptionsError(`--${others[0] ?? ''} does not go with --config: the file says it`);
  }
  if (upstreams.length > 0 && values['block-time'] !== undefined) {
    throw new OptionsError('--block-time is for the development chain and does not go with --upstream');
  }
  upstreams.forEach(assertUrl);
  const ports = readPorts(values);
  return {
    help: values.help ?? false,
    check,
    config,
    upstreams,
    ports,
    haproxy: values['no-haproxy'] !== true,
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
        'pool-port': { type: 'string' },
        'stats-port': { type: 'string' },
        'socket-port': { type: 'string' },
        'weighter-port': { type: 'string' },
        'no-haproxy': { type: 'boolean' },
        'block-time': { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    throw new OptionsError(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
  }
}

function readPorts(values: ReturnType<typeof parse>): LocalPorts {
  const read = (name: keyof LocalPorts): number => {
    const { option, usual } = PORTS[name];
    return toNumber(`--${option}`, values[option] ?? String(usual), 0, 65_535, true);
  };
  const ports = {
    proxy: read('proxy'),
    admin: read('admin'),
    pool: read('pool'),
    stats: read('stats'),
    socket: read('socket'),
    weighter: read('weighter'),
  };
  const first = new Map<number, string>();
  for (const [name, port] of Object.entries(ports)) {
    const { option } = PORTS[name as keyof LocalPorts];
    const other = first.get(port);
    if (port !== 0 && other !== undefined)
      throw new OptionsError(`--${option} must differ from --${other}, got ${port} twice`);
    first.set(port, option);
  }
  return ports;
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
