/**
 * One of the proxy's JSON log lines as a line for people; what is no such line stays as it is.
 *
 *     03:01:45  node-0 is down: failed 3 times in a row, the last time: CONNECT_FAILED
 */
export function describeEvent(line: string): string {
  const event = parse(line);
  if (event === undefined) return line;
  const { level, time, msg, ...fields } = event;
  const clock = typeof time === 'string' ? new Date(time).toTimeString().slice(0, 8) : '';
  const loud = level === 'info' ? '' : `${String(level)}: `;
  const tell = SENTENCES[String(msg)];
  if (tell !== undefined) return `${clock}  ${tell(fields)}`;
  const { err, ...rest } = fields;
  const details = Object.entries(rest).map(([name, value]) => `  ${name}=${show(value)}`);
  return `${clock}  ${loud}${String(msg)}${details.join('')}${describeError(err)}`;
}

/** True for what the proxy tells of itself while it starts, at its usual level, and for the line that ends this. */
export function isStartEvent(line: string): { readonly usual: boolean; readonly last: boolean } {
  const event = parse(line);
  return { usual: event?.['level'] === 'info', last: event?.['msg'] === 'listening' };
}

type Fields = Readonly<Record<string, unknown>>;

/** The events a person meets, by the message of their line. */
const SENTENCES: Readonly<Record<string, (fields: Fields) => string>> = {
  listening: ({ host, port, adminPort, chains }) =>
    `listening on ${show(host)}:${show(port)}, status and metrics on port ${show(adminPort)}; chains: ${list(chains)}`,
  'node up': ({ chain, node, reason }) => `${name(chain, node)} is up, ${show(reason)}`,
  'node lagging': ({ chain, node, reason }) => `${name(chain, node)} lags: ${show(reason)}`,
  'node down': ({ chain, node, reason }) => `${name(chain, node)} is down: ${show(reason)}`,
  'no healthy node': ({ chain }) => `${show(chain)}: no node is healthy; the best ones still serve`,
  'a node is healthy again': ({ chain }) => `${show(chain)}: a node is healthy again`,
  'the head stands still': ({ chain, head }) => `${show(chain)}: no new block for a while, the newest is ${show(head)}`,
  'the head moves again': ({ chain }) => `${show(chain)}: there are new blocks again`,
  'node ejected': ({ chain, node, reason }) => `${name(chain, node)} is left out for a while: ${show(reason)}`,
  'node back': ({ chain, node }) => `${name(chain, node)} is no longer left out`,
  'node asked for a pause': ({ chain, node, until }) =>
    `${name(chain, node)} asked for a pause, until ${new Date(String(until)).toTimeString().slice(0, 8)}`,
  'chain reorganised': ({ chain }) => `${show(chain)}: the newest blocks were replaced (a reorg)`,
  'weight changed': ({ server, from, to, reason }) =>
    `weighter: ${show(server)} weighs ${show(to)}, not ${show(from)} any more: ${show(reason)}`,
  'HAProxy restarted: weights are set again': () => 'weighter: HAProxy was restarted; its weights are set again',
  'admin socket down: weights stay as they are': ({ reason }) =>
    `weighter: HAProxy's admin socket does not answer (${show(reason)}); weights stay as they are`,
  'admin socket back': ({ seconds }) => `weighter: HAProxy's admin socket is back after ${show(seconds)} s`,
  'no server is healthy: all weigh the same': ({ backend }) =>
    `weighter: no server of ${show(backend)} is healthy, so all weigh the same`,
  'a server is healthy again': ({ backend }) => `weighter: a server of ${show(backend)} is healthy again`,
  'configuration applied': ({ sections, chainsAdded, chainsRemoved, nodesAdded, nodesRemoved, nodesChanged }) => {
    const parts = [
      sections,
      plus(chainsAdded),
      minus(chainsRemoved),
      plus(nodesAdded),
      minus(nodesRemoved),
      nodesChanged,
    ];
    return `configuration applied: ${parts.filter(Array.isArray).map(list).join(', ')}`;
  },
  'configuration refused': ({ problems }) =>
    `configuration refused, the one before stays in force:${bullets(problems)}`,
  'configuration is good again': () => 'the configuration is again the one in force',
  'a restart is needed for another address': ({ keys }) => `restart for ${list(keys)} to count`,
  draining: ({ drainTimeoutMs }) =>
    `stopping: what is in flight is finished, for at most ${Number(drainTimeoutMs) / 1000} s (at once with another Ctrl-C)`,
  stopped: ({ clean }) => (clean === true ? 'stopped' : 'stopped; something in flight was cut off'),
};

function name(chain: unknown, node: unknown): string {
  return `${show(chain)}/${show(node)}`;
}

function list(values: unknown): string {
  return Array.isArray(values) ? values.map(show).join(', ') : show(values);
}

function bullets(values: unknown): string {
  return Array.isArray(values) ? values.map((one) => `\n  - ${show(one)}`).join('') : '';
}

function plus(names: unknown): unknown {
  return Array.isArray(names) ? names.map((one) => `+${show(one)}`) : undefined;
}

function minus(names: unknown): unknown {
  return Array.isArray(names) ? names.map((one) => `-${show(one)}`) : undefined;
}

function show(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The stack on lines of its own; it begins with the error's name and message. */
function describeError(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  const { stack, message } = error as { stack?: unknown; message?: unknown };
  return `\n${show(stack ?? message)}`;
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && 'msg' in value ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
