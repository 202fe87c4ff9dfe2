import * as form from './forms';
import { list, section, text, whole } from './keys';
import { DAY_MS, HOUR_MS } from './units';

const CA_FILE = 'File of certificate authorities (PEM), where HAProxy runs';

/** HAProxy's own keys; what it serves is told by the chains. Read by the programs that run it, not by the proxy. */
export const haproxy = section(
  'HAProxy, for nodes with a `localPort`: it dials their providers and serves them as a plain pool too.',
  {
    pool: section('The pool of all providers, weighted, without limits or a method policy: for callers we trust.', {
      host: text(form.host, 'Address to listen on.').default('127.0.0.1'),
      port: whole(1, 65_535, 'TCP port.').default(8000),
    }).prefault({}),
    stats: section('Statistics page, and metrics at `/metrics`.', {
      host: text(form.host, 'Address to listen on.').default('127.0.0.1'),
      port: whole(1, 65_535, 'TCP port.').default(8404),
    }).prefault({}),
    adminSocket: text(
      form.adminSocket,
      'Where HAProxy takes commands: a loopback address and port, or the absolute path of a unix socket (mode 660). Who reaches it can redirect all traffic.',
    ).default('127.0.0.1:9999'),
    socketGid: whole(0, 2 ** 31 - 1, 'Group that may use the unix socket; goes with a path in adminSocket only.', {
      whenUnset: 'the group of HAProxy',
    }).optional(),
    caFile: text(form.absolutePath, `${CA_FILE}; providers' certificates are verified against them.`, {
      whenUnset: "the system's",
    }).optional(),
    nameservers: list(
      'addresses',
      text(form.nameserver, 'A name server.'),
      "Name servers that are asked for providers' addresses again and again. Port 53 unless told.",
      1,
    ).optional(),
    maxConnections: whole(
      30,
      1_000_000,
      'Open connections it accepts in all; the pool gets a third, since each of its requests takes a second one inside.',
    ).default(4000),
    hardStopAfterMs: whole(
      1,
      DAY_MS,
      'Milliseconds after a reload or a soft stop until what is still open is cut, WebSockets above all.',
    ).default(300_000),
    checkIntervalMs: whole(
      100,
      HOUR_MS,
      'Milliseconds between two checks of a provider, each one request that it may bill.',
    ).default(5000),
  },
);

const DIALLED = [form.notMetadata, ...form.DIALLED_BY_HAPROXY.map(form.unexpanded)];
const expandedLater = { secret: true, verbatim: true };

export const provider = section(
  'What HAProxy dials for a node with a localPort. The proxy never reads it; `${…}` in it is expanded by the render command alone.',
  {
    url: text(
      form.unexpanded(form.httpUrl),
      'Where the provider is; `user:password@` becomes an Authorization header.',
      {
        also: DIALLED,
        ...expandedLater,
      },
    ),
    wsUrl: text(form.unexpanded(form.wsUrl), 'Where its WebSocket is.', {
      also: DIALLED,
      ...expandedLater,
      whenUnset: 'none',
    }).optional(),
    caFile: text(form.unexpanded(form.absolutePath), `${CA_FILE}; instead of haproxy.caFile.`, {
      verbatim: true,
      whenUnset: 'haproxy.caFile',
    }).optional(),
  },
  expandedLater,
);
