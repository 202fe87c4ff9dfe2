import { parseAddressPort } from '../config/forms';
import type { HaproxyChainConfig, HaproxyConfig } from '../config/load-haproxy';
import type { AdminSocket, HaproxyModel, NodeBackend, NodeFrontend, PoolBackend, WebSocketPool } from './model';
import { haproxyNames, type PoolNames, type ServerNames } from './names';
import { targetOf } from './target';

const DNS_PORT = 53;
/** So that whoever asked gives up first, and says why. */
const ABOVE_DEADLINE_MS = 5000;
const CHECK_TIMEOUT_MS = 2000;

/** Decides what HAProxy does for a configuration. */
export function fromConfig(config: HaproxyConfig): HaproxyModel {
  const { http, haproxy, chains } = config;
  const parts = haproxyNames(config).pools.flatMap((names) => {
    const chain = chains[names.chain];
    return chain === undefined ? [] : [{ names, chain }];
  });
  return {
    adminSocket: adminSocketOf(haproxy),
    maxConnections: haproxy.maxConnections,
    hardStopAfterMs: haproxy.hardStopAfterMs,
    clients: { requestTimeoutMs: http.requestTimeoutMs, keepAliveTimeoutMs: http.keepAliveTimeoutMs },
    stats: haproxy.stats,
    pool: {
      address: haproxy.pool,
      // Each of its requests takes a second connection inside, and the proxy needs the rest.
      maxConnections: Math.floor(haproxy.maxConnections / 3),
      maxBodyBytes: http.maxBodyBytes,
    },
    pools: parts.map(({ names, chain }) => poolOf(names, chain, haproxy.checkIntervalMs)),
    nodes: parts.flatMap(({ names, chain }) => names.servers.map((server) => nodeOf(server, chain, haproxy.caFile))),
    nameservers: (haproxy.nameservers ?? []).map(withPort),
  };
}

function adminSocketOf({ adminSocket, socketGid }: HaproxyConfig['haproxy']): AdminSocket {
  if (adminSocket.startsWith('/')) return { kind: 'unix', path: adminSocket, gid: socketGid };
  const { ip = '', port = 0 } = parseAddressPort(adminSocket) ?? {};
  return { kind: 'tcp', address: { host: ip, port } };
}

function poolOf(names: PoolNames, chain: HaproxyChainConfig, checkIntervalMs: number): PoolBackend {
  const { failover, health } = chain;
  const servers = names.servers.map(({ server, localPort }) => ({ name: server, localPort }));
  return {
    name: names.backend,
    paths: [...(names.isDefault ? ['/'] : []), `/${names.chain}`, `/${chain.chainId}`],
    chainId: chain.chainId,
    servers,
    webSockets: webSocketsOf(names, chain),
    checkIntervalMs,
    checkTimeoutMs: health.probeTimeoutMs ?? CHECK_TIMEOUT_MS,
    rise: health.rise,
    fall: health.fall,
    retries: failover.maxAttempts - 1,
    // Above that of the backends behind the local ports, whose answer tells more.
    serverTimeoutMs: failover.deadlineMs + 2 * ABOVE_DEADLINE_MS,
    quickTimeoutMs: Math.min(failover.callTimeoutMs, failover.deadlineMs),
    readMethods: failover.readMethods,
  };
}

function webSocketsOf(names: PoolNames, chain: HaproxyChainConfig): WebSocketPool {
  const takers = names.servers.filter(({ server }) => providerOf(chain, server).wsUrl !== undefined);
  if (takers.length === 0) return { kind: 'none' };
  if (takers.length === names.servers.length) return { kind: 'all' };
  const servers = takers.map(({ server, localPort }) => ({ name: server, localPort }));
  return { kind: 'some', name: names.wsBackend, servers };
}

function nodeOf(names: ServerNames, chain: HaproxyChainConfig, caFile: string | undefined): NodeFrontend {
  const provider = providerOf(chain, names.server);
  const backendOf = (name: string, url: string): NodeBackend => ({
    name,
    server: names.server,
    target: targetOf(url, provider.caFile ?? caFile),
    connectTimeoutMs: chain.failover.connectTimeoutMs,
    serverTimeoutMs: chain.failover.deadlineMs + ABOVE_DEADLINE_MS,
  });
  return {
    name: names.frontend,
    localPort: names.localPort,
    http: backendOf(names.backend, provider.url),
    webSocket: provider.wsUrl === undefined ? undefined : backendOf(names.wsBackend, provider.wsUrl),
  };
}

type Provider = NonNullable<HaproxyChainConfig['nodes'][number]['provider']>;

function providerOf({ nodes }: HaproxyChainConfig, node: string): Provider {
  const provider = nodes.find(({ name }) => name === node)?.provider;
  // loadHaproxyConfig lets no such node pass.
  if (provider === undefined) throw new TypeError(`node ${node} has no provider`);
  return provider;
}

function withPort(nameserver: string): string {
  const { ip = nameserver, port = DNS_PORT } = parseAddressPort(nameserver) ?? {};
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}
