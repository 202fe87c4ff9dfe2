import type { z } from 'zod';
import type { DeepReadonly } from './deep-readonly';
import * as form from './forms';
import { decimal, dictionary, flag, list, oneOf, section, share, text, whole } from './keys';

/** The configuration, complete: every default filled in, frozen. */
export type Config = DeepReadonly<z.output<typeof configSchema>>;
export type ListenConfig = Config['listen'];
export type AdminConfig = Config['admin'];
export type HttpConfig = Config['http'];
export type LimitsConfig = Config['limits'];
export type LimitOverrideConfig = LimitsConfig['overrides'][number];
export type MethodsConfig = Config['methods'];
export type TelemetryConfig = Config['telemetry'];
export type ChainConfig = Config['chains'][string];
export type HealthConfig = ChainConfig['health'];
export type RoutingConfig = ChainConfig['routing'];
export type FailoverConfig = ChainConfig['failover'];
export type NodeConfig = ChainConfig['nodes'][number];

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const MIB = 2 ** 20;
/** More a minute than any process answers; keeps the limiter's arithmetic exact. */
const MAX_PER_MINUTE = 1_000_000_000;

/** The burst of a limit that sets none: ten seconds' worth, and never so little that one page load is refused. */
export function defaultBurst(perMinute: number): number {
  return Math.max(20, Math.floor(perMinute / 6));
}

const DEFAULT_BURST_TEXT = 'perMinute / 6, at least 20';

const listen = section('Where clients connect, and how the process starts and stops.', {
  host: text(form.host, 'Address to listen on; `0.0.0.0` or `::` for all.').default('127.0.0.1'),
  port: whole(0, 65_535, 'TCP port; 0 lets the system pick one.').default(8545),
  startupGraceMs: whole(
    0,
    HOUR_MS,
    'Milliseconds after which the process reports ready although no node of the default chain is healthy yet.',
  ).default(10_000),
  drainDelayMs: whole(
    0,
    HOUR_MS,
    'Milliseconds between SIGTERM (readiness goes down) and the end of accepting; gives load balancers time to notice. Less than drainTimeoutMs.',
  ).default(0),
  drainTimeoutMs: whole(1, HOUR_MS, 'Milliseconds from SIGTERM to exit at the latest, drainDelayMs included.').default(
    30_000,
  ),
});

const admin = section('Health, metrics and status; never on a public address.', {
  host: text(form.host, 'Address to listen on.').default('127.0.0.1'),
  port: whole(0, 65_535, 'TCP port; 0 lets the system pick one.').default(9090),
});

const cors = section('Browsers on other sites.', {
  origins: list(
    'origins',
    text(form.origin, 'An origin, or `*` for any.'),
    'Origins that may call, such as `https://app.example`; `*` is any. Empty turns CORS off.',
  ).default([]),
  maxAgeSeconds: whole(0, 86_400, 'Seconds a browser may remember a preflight.').default(600),
});

const http = section('Bounds of the HTTP side.', {
  maxBodyBytes: whole(1, 1024 * MIB, 'Bytes of a request body; a larger one is answered 413.').default(2 * MIB),
  maxBatchItems: whole(1, 100_000, 'Items of a batch.').default(100),
  batchConcurrency: whole(1, 10_000, 'Items of one batch worked on at once.').default(16),
  maxDepth: whole(1, 10_000, 'Levels of nested lists and objects in a request.').default(64),
  maxResponseBytes: whole(1, undefined, "Bytes of a node's answer; a larger one is cut off.").default(256 * MIB),
  maxBatchResponseBytes: whole(1, undefined, 'Bytes of all answers of a batch together.').default(25 * MIB),
  headersTimeoutMs: whole(
    1,
    HOUR_MS,
    'Milliseconds a client may take for its request headers. At most requestTimeoutMs.',
  ).default(10_000),
  requestTimeoutMs: whole(1, HOUR_MS, 'Milliseconds a client may take for its whole request.').default(30_000),
  keepAliveTimeoutMs: whole(
    1,
    HOUR_MS,
    "Milliseconds an idle connection stays open; more than the load balancer's idle time-out, else clients see random 502s.",
  ).default(75_000),
  maxConnections: whole(1, undefined, 'Open connections in all.').default(10_000),
  maxConnectionsPerClient: whole(
    0,
    undefined,
    'Open connections of one client address; 0 is no bound. Peers in trustedProxies are not counted.',
  ).default(1024),
  maxInFlightPerClient: whole(
    0,
    undefined,
    'Requests in flight of one client, over all its connections; 0 is no bound.',
  ).default(2048),
  gzip: flag('Compress answers of 16 KiB and more for clients that accept it.').default(false),
  cors: cors.prefault({}),
});

const rateKeys = {
  perMinute: whole(
    1,
    MAX_PER_MINUTE,
    'Units a client may use per minute; a request costs 1 unless `cost` tells otherwise.',
    {
      whenUnset: 'no limit',
    },
  ).optional(),
  burst: whole(1, MAX_PER_MINUTE, 'Units at once; needs perMinute.', { whenUnset: DEFAULT_BURST_TEXT }).optional(),
};

const methodRates = dictionary(
  'method limits',
  [form.methodName],
  section('The limit of one method.', {
    perMinute: whole(1, MAX_PER_MINUTE, 'Calls of this method per minute, whatever they cost.'),
    burst: whole(1, MAX_PER_MINUTE, 'Calls at once.', { whenUnset: DEFAULT_BURST_TEXT }).optional(),
  }),
  'Limits of single methods; they hold besides the total.',
);

const limits = section('How much one client may ask for, over all chains. Off unless a rate is set.', {
  ...rateKeys,
  methods: methodRates.prefault({}),
  cost: dictionary(
    'units',
    [form.methodName],
    whole(0, MAX_PER_MINUTE, 'Units a call of this method takes of the total; 0 is free.'),
    'What a call takes of the total, by method; others take 1. At most the burst, else no call would pass.',
  ).prefault({}),
  overrides: list(
    'overrides',
    section('Other limits for some clients.', {
      cidrs: list(
        'networks',
        text(form.network, 'A network or an address.'),
        'Clients meant. Clients are told apart by /64 in IPv6, so a smaller network means its whole /64.',
        1,
      ),
      ...rateKeys,
      methods: methodRates.optional(),
      unlimited: flag('Lift all limits; then no other limit may be set here.').default(false),
    }),
    'Read in order, the first that holds the client counts; what it leaves out is as for everybody.',
  ).default([]),
});

const pattern = text(form.methodPattern, 'A method name, or the start of one and `*`.');

const methods = section('Which methods clients may call.', {
  allow: list(
    'method patterns',
    pattern,
    'Allowed although denied by default; names, or prefixes such as `debug_*`. Exact in upper and lower case.',
  ).default([]),
  deny: list('method patterns', pattern, 'Denied; wins over `allow`. Upper and lower case count as the same.').default(
    [],
  ),
});

const telemetry = section('Logs.', {
  logLevel: oneOf(
    ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    'The least severe lines that are written.',
  ).default('info'),
  accessLog: section('One line a request.', {
    sample: decimal(0, 1, 'Share of requests that are logged; 0 is none, 1 is all.').default(0),
  }).prefault({}),
});

const health = section('How nodes are probed and judged.', {
  intervalMs: whole(50, MINUTE_MS, 'Milliseconds between two probes of a node.', {
    whenUnset: 'a quarter of the learned block time, 250 to 1000',
  }).optional(),
  probeTimeoutMs: whole(1, MINUTE_MS, 'Milliseconds a probe may take.', {
    whenUnset: 'four times the interval, 1000 to 2000',
  }).optional(),
  rise: whole(1, 100, 'Good probes in a row that bring a node back.').default(2),
  fall: whole(1, 100, 'Failures in a row that take a node out.').default(3),
  maxLagBlocks: whole(1, undefined, 'Blocks a node may be behind the head and still serve reads of the head.').default(
    3,
  ),
  maxBlockAgeMs: whole(
    1,
    365 * DAY_MS,
    'Milliseconds: a node whose newest block is older, while others have newer ones, does not serve the head.',
  ).default(150_000),
  maxLatencyMs: whole(1, HOUR_MS, 'Milliseconds of latency from which on a node does not serve the head.').default(
    3000,
  ),
});

const routing = section('Which node a request goes to.', {
  waitForBlockMs: whole(
    0,
    MINUTE_MS,
    'Milliseconds a request for the block after the head waits for it, if it is due by then.',
  ).default(500),
  recentStateBlocks: whole(
    0,
    undefined,
    'Blocks below the head whose state every node is expected to keep; older state prefers archive nodes.',
  ).default(128),
});

const failover = section('What happens when a node does not answer.', {
  deadlineMs: whole(1, HOUR_MS, 'Milliseconds a request may take in all, every attempt included.').default(30_000),
  maxAttempts: whole(1, 100, 'Attempts of one request, on different nodes first.').default(3),
  connectTimeoutMs: whole(1, MINUTE_MS, 'Milliseconds for the TCP handshake with a node.').default(500),
  lightTimeoutMs: whole(1, HOUR_MS, 'Milliseconds for an attempt of a light method.').default(2000),
  callTimeoutMs: whole(1, HOUR_MS, 'Milliseconds for an attempt of eth_call or eth_estimateGas.').default(10_000),
  maxRestMs: whole(0, HOUR_MS, 'Milliseconds a node that said "too many requests" may ask to be left alone.').default(
    60_000,
  ),
  budgetPercent: decimal(0, 1000, 'Retries as a share of recent requests, in percent.').default(20),
  budgetPerSecond: decimal(0, 1_000_000, 'Retries per second that are allowed besides.').default(10),
  readMethods: list(
    'method patterns',
    pattern,
    'Further methods that only read and may be repeated after an unclear failure, such as `trace_*`.',
  ).default([]),
});

const cache = section('Answers that are kept, each for the block it was read at.', {
  maxBytes: whole(0, undefined, 'Bytes of memory for this chain; 0 keeps and shares nothing.').default(64 * MIB),
  shortTtlMs: whole(1, 1000, 'Milliseconds an answer that belongs to no block, such as eth_gasPrice, is kept.').default(
    500,
  ),
  except: list('method patterns', pattern, 'Methods whose answers are not kept; names, or prefixes and `*`.').default(
    [],
  ),
});

const provider = section(
  'What HAProxy dials for a node with a localPort. The proxy never reads it; `${…}` in it is expanded by the render command alone.',
  {
    url: text(form.unexpanded(form.httpUrl), 'Where the provider is.', {
      also: [form.notMetadata],
      secret: true,
      verbatim: true,
    }),
    wsUrl: text(form.unexpanded(form.wsUrl), 'Where its WebSocket is.', {
      also: [form.notMetadata],
      secret: true,
      verbatim: true,
      whenUnset: 'none',
    }).optional(),
  },
  { secret: true, verbatim: true },
);

const node = section('One Ethereum endpoint: exactly one of `url` and `localPort`.', {
  name: text(form.nodeName, 'Its name in logs, metrics and on the status page; unique in the chain.'),
  url: text(form.httpUrl, 'Where the proxy reaches it; `user:password@` becomes an Authorization header.', {
    also: [form.notMetadata],
    secret: true,
    whenUnset: 'localPort is used',
  }).optional(),
  wsUrl: text(form.wsUrl, 'Where its WebSocket is; goes with `url` only. Its `newHeads` raise the head between probes.', {
    also: [form.notMetadata],
    secret: true,
    whenUnset: 'none',
  }).optional(),
  localPort: whole(1, 65_535, 'The port on 127.0.0.1 where HAProxy serves this node; unique over all chains.', {
    whenUnset: 'url is used',
  }).optional(),
  provider: provider.optional(),
  weight: share(256, 'Share of traffic relative to the others in its tier.').default(1),
  tier: whole(0, 1000, 'Lower tiers are used first.').default(0),
  maxInFlight: whole(0, undefined, 'Requests it may have in flight; 0 is no bound.').default(0),
  archive: flag('It keeps the state of all blocks.').default(false),
});

const chain = section('One chain and its nodes.', {
  chainId: whole(1, Number.MAX_SAFE_INTEGER, 'What `eth_chainId` of every node answers, in decimal; unique.'),
  balancing: oneOf(
    ['p2c', 'client-ip-hash'],
    '`p2c` takes the less busy of two nodes picked at random; `client-ip-hash` keeps a client on its node.',
  ).default('p2c'),
  health: health.prefault({}),
  routing: routing.prefault({}),
  failover: failover.prefault({}),
  cache: cache.prefault({}),
  nodes: list('nodes', node, 'The nodes of the chain.', 1),
});

/** Keys, ranges and defaults. What holds between keys is in cross-checks.ts; `parseConfig` applies both. */
export const configSchema = section('Everything.', {
  listen: listen.prefault({}),
  admin: admin.prefault({}),
  http: http.prefault({}),
  trustedProxies: list(
    'networks',
    text(form.network, 'A network or an address.'),
    'Networks of our own load balancers; only their X-Forwarded-For is believed.',
  ).default([]),
  limits: limits.prefault({}),
  methods: methods.prefault({}),
  telemetry: telemetry.prefault({}),
  defaultChain: text(form.chainName, 'The chain served at `/`; a name under `chains`.', {
    whenUnset: 'the first chain',
  }).optional(),
  chains: dictionary(
    'chains',
    [form.chainName, form.notReserved],
    chain,
    'The chains by name, at least one. Each is served at `/<name>` and `/<chainId>`.',
  ),
});
