import { parseAddressPort } from '../runtime/config/forms';
import type { PodConfig } from './pod-config';

/** Ports that the pod must reach outside of itself: those of all providers and nodes, ascending. */
export function nodePorts({ config, haproxy }: Pick<PodConfig, 'config' | 'haproxy'>): number[] {
  const dialled = Object.values(config.chains).flatMap(({ nodes }) => nodes.flatMap(({ url, wsUrl }) => [url, wsUrl]));
  const providers = Object.values(haproxy.chains).flatMap(({ nodes }) =>
    nodes.flatMap(({ provider }) => [provider?.url, provider?.wsUrl]),
  );
  const urls = [...dialled, ...providers].filter((url) => url !== undefined);
  return [...new Set(urls.map(portOf))].sort((a, b) => a - b);
}

function portOf(url: string): number {
  const { port, protocol } = new URL(url);
  if (port !== '') return Number(port);
  return protocol === 'https:' || protocol === 'wss:' ? 443 : 80;
}

const DNS_PORT = 53;

/** Name servers that HAProxy is told to ask; none where it asks the pod's. */
export function nameservers({ config }: Pick<PodConfig, 'config'>): { ip: string; port: number }[] {
  return (config.haproxy.nameservers ?? []).map((nameserver) => {
    const { ip = nameserver, port = DNS_PORT } = parseAddressPort(nameserver) ?? {};
    return { ip, port };
  });
}
