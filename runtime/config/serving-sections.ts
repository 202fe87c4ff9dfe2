import * as form from './forms';
import { decimal, flag, list, oneOf, section, text, whole } from './keys';
import { HOUR_MS, MIB } from './units';

/** What faces the clients and the operator. */
export const listen = section('Where clients connect, and how the process starts and stops.', {
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

export const admin = section('Health, metrics and status; never on a public address.', {
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

export const http = section('Bounds of the HTTP side.', {
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
    // An idle time-out of an hour, as for WebSockets, is exceeded by some seconds.
    2 * HOUR_MS,
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

export const telemetry = section('Logs.', {
  logLevel: oneOf(
    ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    'The least severe lines that are written.',
  ).default('info'),
  accessLog: section('One line a request.', {
    sample: decimal(0, 1, 'Share of requests that are logged; 0 is none, 1 is all.').default(0),
  }).prefault({}),
});
