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
