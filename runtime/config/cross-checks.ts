import { parseAddressPort } from './forms';
import { keyFacts } from './keys';
import { checkLimits } from './limits-checks';
import { showValue } from './mask';
import { displayPath, type Refusal } from './problems';
import { configSchema } from './schema';
import { entriesOf, isMapping, itemsOf, type Path, schemaAt, valueAt, valueOrDefault } from './walk';

/**
 * What must hold between keys. The document is read as it was written, of any shape, because these problems are told
 * together with those of single keys.
 */
export function crossCheck(document: unknown): Refusal[] {
  const nodes = nodesOf(document);
  return [
    ...checkNames(document, []),
    ...checkChains(document),
    ...nodes.flatMap(({ node, path }) => checkReach(node, path)),
    ...checkUnique(chainPlaces(document), 'unique'),
    ...entriesOf(valueAt(document, ['chains'])).flatMap(([chain]) =>
      checkUnique(
        places(
          nodes.filter(({ path }) => path[1] === chain),
          'name',
        ),
        'unique in its chain',
      ),
    ),
    ...checkUnique(portPlaces(document, nodes), 'a port of its own'),
    ...checkSocketGid(document),
    ...checkOrder(document),
    ...checkLimits(valueAt(document, ['limits'])),
    ...checkRedis(document),
  ];
}

/** Names that the operator chose: keys of dictionaries, wherever the schema has one. */
function checkNames(value: unknown, path: Path): Refusal[] {
  const schema = schemaAt(configSchema, path);
  const names = (schema && keyFacts.get(schema)?.names) ?? [];
  const children: readonly (readonly [string | number, unknown])[] = Array.isArray(value)
    ? [...itemsOf(value).entries()]
    : entriesOf(value);
  return children.flatMap(([key, child]) => {
    const broken = names.find(({ test }) => !test(String(key)));
    const refusal = broken && { path: [...path, key], rule: broken.rule, got: showValue(String(key)) };
    return [...(refusal ? [refusal] : []), ...checkNames(child, [...path, key])];
  });
}

function checkChains(document: unknown): Refusal[] {
  const chains = valueAt(document, ['chains']);
  const names = entriesOf(chains).map(([name]) => name);
  if (isMapping(chains) && names.length === 0) return [{ path: ['chains'], rule: 'a mapping with at least one chain' }];
  const chosen = valueAt(document, ['defaultChain']);
  if (typeof chosen !== 'string' || names.includes(chosen)) return [];
  return [
    { path: ['defaultChain'], rule: `the name of a chain (${names.map((name) => displayPath([name])).join(', ')})` },
  ];
}

export interface FoundNode {
  readonly path: Path;
  readonly node: unknown;
}

export function nodesOf(document: unknown): FoundNode[] {
  return entriesOf(valueAt(document, ['chains'])).flatMap(([chain, value]) =>
    itemsOf(valueAt(value, ['nodes'])).map((node, index) => ({ path: ['chains', chain, 'nodes', index], node })),
  );
}

/** How a node is reached: by its own URL, or through HAProxy's port for its provider. */
function checkReach(node: unknown, path: Path): Refusal[] {
  const has = (key: string): boolean => valueAt(node, [key]) !== undefined;
  if (!isMapping(node)) return [];
  const refusals: Refusal[] = [];
  if (has('url') === has('localPort')) {
    refusals.push({ path, rule: 'reached by exactly one of url and localPort', got: has('url') ? 'both' : 'neither' });
  }
  if (has('provider') && !has('localPort')) {
    refusals.push({ path: [...path, 'provider'], rule: 'used together with localPort', got: 'no localPort' });
  }
  if (has('wsUrl') && !has('url')) {
    refusals.push({ path: [...path, 'wsUrl'], rule: 'used together with url', got: 'no url' });
  }
  return refusals;
}

interface Place {
  readonly path: Path;
  readonly value: unknown;
}

/** The second of two equal values is refused, and the first named. */
function checkUnique(all: readonly Place[], rule: string): Refusal[] {
  const first = new Map<unknown, Path>();
  return all.flatMap(({ path, value }) => {
    if (typeof value !== 'string' && typeof value !== 'number') return [];
    const other = first.get(value);
    if (other === undefined) first.set(value, path);
    return other === undefined ? [] : [{ path, rule: `${rule} (${displayPath(other)} has it too)` }];
  });
}

function places(nodes: readonly FoundNode[], key: string): Place[] {
  return nodes.map(({ path, node }) => ({ path: [...path, key], value: valueAt(node, [key]) }));
}

/** `/<chainId>` must mean one chain. */
function chainPlaces(document: unknown): Place[] {
  return entriesOf(valueAt(document, ['chains'])).map(([name, chain]) => ({
    path: ['chains', name, 'chainId'],
    value: valueAt(chain, ['chainId']),
  }));
}

/** Port 0 is a different one each time. HAProxy's own ports count where there is work for it. */
function portPlaces(document: unknown, nodes: readonly FoundNode[]): Place[] {
  const local = places(nodes, 'localPort');
  const usesHaproxy = valueAt(document, ['haproxy']) !== undefined || local.some(({ value }) => value !== undefined);
  const own = [...PROXY_PORTS, ...(usesHaproxy ? HAPROXY_PORTS : [])].map((path) => ({
    path,
    value: valueOrDefault(configSchema, document, path),
  }));
  return [...own.filter(({ value }) => value !== 0), ...(usesHaproxy ? [adminSocketPlace(document)] : []), ...local];
}

const PROXY_PORTS = [
  ['listen', 'port'],
  ['admin', 'port'],
];
const HAPROXY_PORTS = [
  ['haproxy', 'pool', 'port'],
  ['haproxy', 'stats', 'port'],
];
const ADMIN_SOCKET = ['haproxy', 'adminSocket'];

function adminSocketPlace(document: unknown): Place {
  const value = valueOrDefault(configSchema, document, ADMIN_SOCKET);
  return { path: ADMIN_SOCKET, value: typeof value === 'string' ? parseAddressPort(value)?.port : undefined };
}

/** A TCP socket belongs to no group. */
function checkSocketGid(document: unknown): Refusal[] {
  const path = ['haproxy', 'socketGid'];
  const socket = valueOrDefault(configSchema, document, ADMIN_SOCKET);
  if (valueAt(document, path) === undefined || (typeof socket === 'string' && socket.startsWith('/'))) return [];
  return [{ path, rule: 'used together with the path of a unix socket in haproxy.adminSocket', got: 'no path' }];
}

/** What a URL may hold too is told in one place. */
function checkRedis(document: unknown): Refusal[] {
  const text = valueAt(document, ['redis', 'url']);
  const url = typeof text === 'string' && URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) return [];
  const twice = (['username', 'password'] as const).filter(
    (key) => url[key] !== '' && valueAt(document, ['redis', key]) !== undefined,
  );
  const refusals: Refusal[] = twice.map((key) => ({
    path: ['redis', key],
    rule: 'told once, in redis.url or here',
    got: 'both',
  }));
  if (url.protocol !== 'rediss:' && valueAt(document, ['redis', 'caFile']) !== undefined) {
    refusals.push({ path: ['redis', 'caFile'], rule: 'used together with a rediss:// URL', got: 'a URL without TLS' });
  }
  return refusals;
}

/** The first must not reach the second: Node refuses a server whose headers may take longer than the request. */
const ORDER = [
  {
    path: ['http', 'headersTimeoutMs'],
    bound: ['http', 'requestTimeoutMs'],
    word: 'at most',
    holds: (a: number, b: number) => a <= b,
  },
  {
    path: ['listen', 'drainDelayMs'],
    bound: ['listen', 'drainTimeoutMs'],
    word: 'less than',
    holds: (a: number, b: number) => a < b,
  },
] as const;

function checkOrder(document: unknown): Refusal[] {
  return ORDER.flatMap(({ path, bound, word, holds }) => {
    const value = valueOrDefault(configSchema, document, path);
    const limit = valueOrDefault(configSchema, document, bound);
    if (typeof value !== 'number' || typeof limit !== 'number' || holds(value, limit)) return [];
    return [{ path, rule: `${word} ${bound.join('.')}` }];
  });
}
