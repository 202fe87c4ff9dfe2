import type { WeighterServerConfig } from '../config/weighter-config';
import { DEFAULT_POOL } from '../haproxy/names';
import type { ServerState } from './server-state';

/** A server whose weight is set. */
export interface Target {
  readonly backend: string;
  readonly server: string;
  /** May hold a key: for the probe alone. */
  readonly url: string;
}

/** How commands and messages call a server. */
export function nameOf({ backend, server }: Pick<Target, 'backend' | 'server'>): string {
  return `${backend}/${server}`;
}

export function configuredTargets(servers: readonly WeighterServerConfig[]): Target[] {
  return servers.map(({ backendName, serverName, serverUrl }) => ({
    backend: backendName,
    server: serverName,
    url: serverUrl,
  }));
}

/**
 * The servers of every pool, to be probed where HAProxy sends their traffic: at its own local ports, behind which it
 * adds the keys.
 */
export function discoveredTargets(servers: readonly ServerState[]): Target[] {
  return servers.filter(isOfPool).flatMap(({ backend, server, address, port }) => {
    if (address === undefined || port === 0) return [];
    const host = address.includes(':') ? `[${address}]` : address;
    return [{ backend, server, url: `http://${host}:${port}/` }];
  });
}

function isOfPool({ backend }: ServerState): boolean {
  return backend === DEFAULT_POOL || backend.startsWith(`${DEFAULT_POOL}-`);
}
