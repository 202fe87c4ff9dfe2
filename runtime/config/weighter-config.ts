import type { z } from 'zod';
import type { DeepReadonly } from './deep-readonly';
import * as form from './forms';
import { type Form, list, oneOf, section, text, whole } from './keys';
import { type ParseOptions, parseWith, readText } from './parse';
import type { Refusal } from './problems';
import { DAY_MS, HOUR_MS, MINUTE_MS } from './units';
import { itemsOf, valueAt } from './walk';

/** The weighter's configuration, complete: every default filled in, frozen. */
export type WeighterConfig = DeepReadonly<z.output<typeof weighterSchema>>;
/** As it is written. */
export type WeighterConfigInput = z.input<typeof weighterSchema>;
export type WeighterServerConfig = NonNullable<WeighterConfig['servers']>[number];

const haproxyName: Form = {
  rule: 'a name of letters, digits, dots, dashes, colons and _, as in haproxy.cfg',
  range: 'letters, digits, `.`, `-`, `:`, `_`',
  test: (value) => /^[A-Za-z0-9._:-]+$/.test(value),
};

const socketPath: Form = {
  rule: 'the absolute path of a unix socket, at most 107 characters',
  range: 'absolute path',
  test: (value) => /^\/[\x20-\x7e]{0,105}[^/\s]$/.test(value),
};

const admin = section("HAProxy's admin socket: host and port, or path.", {
  host: text(form.host, 'Address of the socket.').default('127.0.0.1'),
  port: whole(1, 65_535, 'Its TCP port.').default(9999),
  path: text(socketPath, 'Path of a unix socket, instead of host and port.', {
    whenUnset: 'host and port are used',
  }).optional(),
});

const server = section('One server of HAProxy, and where it is probed.', {
  backendName: text(haproxyName, "The backend's name in haproxy.cfg."),
  serverName: text(haproxyName, "The server's name in that backend."),
  serverUrl: text(form.httpUrl, 'Where it is probed; `user:password@` becomes an Authorization header.', {
    also: [form.notMetadata],
    secret: true,
  }),
});

const listen = section('Health and metrics; never on a public address.', {
  host: text(form.host, 'Address to listen on.').default('127.0.0.1'),
  port: whole(0, 65_535, 'TCP port; 0 lets the system pick one.').default(9091),
});

/** Keys, ranges and defaults. A file with nothing but `admin` and `servers` is whole. */
export const weighterSchema = section('Everything.', {
  admin: admin.prefault({}),
  servers: list('servers', server, 'The servers whose weights are set.', 1).optional(),
  adjustIntervalMs: whole(100, HOUR_MS, 'Milliseconds from one round of probes to the next.').default(5000),
  policy: oneOf(
    ['equal', 'proportional'],
    '`equal`: all healthy servers weigh the same; `proportional`: the faster and fresher one weighs more.',
  ).default('equal'),
  maxBlockAgeMs: whole(
    1,
    365 * DAY_MS,
    'Milliseconds: a server whose newest block is as old or older is unhealthy.',
  ).default(150_000),
  maxLatencyMs: whole(1, HOUR_MS, 'Milliseconds of latency from which on a server is unhealthy.').default(3000),
  probeTimeoutMs: whole(1, HOUR_MS, 'Milliseconds a probe may take.', {
    whenUnset: 'maxLatencyMs and a second, so that slow can be told from dead',
  }).optional(),
  smoothingMs: whole(
    0,
    HOUR_MS,
    'Milliseconds over which `proportional` takes its mean of latencies; 0 takes the last one.',
  ).default(60_000),
  socketTimeoutMs: whole(1, MINUTE_MS, 'Milliseconds HAProxy may take to answer on its admin socket.').default(2000),
  listen: listen.prefault({}),
  logLevel: oneOf(
    ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    'The least severe lines that are written.',
  ).default('info'),
});

/**
 * Reads, expands and checks the weighter's file (JSON or YAML).
 *
 * @throws ConfigError with all problems
 */
export async function loadWeighterConfig(file: string, env: NodeJS.ProcessEnv): Promise<WeighterConfig> {
  return parseWeighterConfig(await readText(file), { env, source: file });
}

/** @throws ConfigError with all problems; URLs with their hosts only */
export function parseWeighterConfig(content: string, options: ParseOptions): WeighterConfig {
  return parseWith(weighterSchema, content, options, { check: crossCheck }).value;
}

/** What holds between keys, checked on what was written so that it is told together with everything else. */
function crossCheck(document: unknown): Refusal[] {
  return [...socketChecks(document), ...sameServerChecks(document)];
}

function socketChecks(document: unknown): Refusal[] {
  const path = ['admin', 'path'];
  const both = ['host', 'port'].some((key) => valueAt(document, ['admin', key]) !== undefined);
  if (valueAt(document, path) === undefined || !both) return [];
  return [{ path, rule: 'the only key of admin, instead of host and port', got: 'both' }];
}

function sameServerChecks(document: unknown): Refusal[] {
  const firstAt = new Map<string, number>();
  return itemsOf(valueAt(document, ['servers'])).flatMap((_, index) => {
    const backend = valueAt(document, ['servers', index, 'backendName']);
    const server = valueAt(document, ['servers', index, 'serverName']);
    if (typeof backend !== 'string' || typeof server !== 'string') return [];
    const name = `${backend}/${server}`;
    const first = firstAt.get(name);
    if (first === undefined) {
      firstAt.set(name, index);
      return [];
    }
    const path = ['servers', index, 'serverName'];
    return [{ path, rule: `unique in its backend; servers[${first}] has it already` }];
  });
}
