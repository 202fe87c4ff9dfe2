import { parseArgs } from 'node:util';
import { parseSocketAddress, type SocketAddress } from '../haproxy/socket-address';

export const HELP = `Usage: render --config FILE [--secrets FILE] --out FILE [--watch [--master-socket ADDRESS]]
       render --config FILE [--secrets FILE] --check

Writes haproxy.cfg for a configuration of the balancer, with the providers' keys in it.

  --config FILE            the configuration, YAML or JSON; - reads it from standard input
  --secrets FILE           a JSON object of texts, for \${NAME} in it; what is not there comes from the environment
  --out FILE               haproxy.cfg; replaced as a whole (mode 640), and only when it changes
  --watch                  go on: write it again when one of the files it is made of changes
  --master-socket ADDRESS  where HAProxy's master takes commands (haproxy -W -S …), a path or host:port: HAProxy is
                           reloaded when the file has changed
  --check                  check the configuration, write nothing, and exit
  --help                   this text

Signals: SIGTERM and SIGINT stop at once and exit 0; HAProxy goes on.
Exit codes: 0 done, 1 the file cannot be written, 2 the configuration or the command line is wrong.
`;

export interface Options {
  readonly config: string;
  readonly secrets: string | undefined;
  /** Undefined for a check. */
  readonly out: string | undefined;
  readonly watch: boolean;
  readonly masterSocket: SocketAddress | undefined;
}

/** @returns undefined where help was asked for. @throws Error that says what is wrong with the command line */
export function parseOptions(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      config: { type: 'string' },
      secrets: { type: 'string' },
      out: { type: 'string' },
      watch: { type: 'boolean' },
      'master-socket': { type: 'string' },
      check: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const { config = '', secrets, out, watch = false, 'master-socket': master, check = false, help = false } = values;
  if (help) return undefined;
  if (config === '') throw new Error('--config FILE is missing');
  if (check && (out !== undefined || watch || master !== undefined)) {
    throw new Error('--check writes nothing: it goes with --config and --secrets only');
  }
  if (!check && (out === undefined || out === '')) throw new Error('--out FILE is missing');
  if (watch && config === '-') throw new Error('--watch needs a file that can change: --config FILE, not -');
  if (master !== undefined && !watch) throw new Error('--master-socket goes with --watch');
  const masterSocket = master === undefined ? undefined : parseMaster(master);
  return { config, secrets, out: check ? undefined : out, watch, masterSocket };
}

function parseMaster(text: string): SocketAddress {
  try {
    return parseSocketAddress(text);
  } catch {
    throw new Error(`--master-socket must be host:port or an absolute path, got ${JSON.stringify(text)}`);
  }
}
