import type { HaproxyConfig } from '../config/load-haproxy';

/** The pool of the default chain, as in the guide; the weighter and every `set weight` rely on it. */
export const DEFAULT_POOL = 'rpc-backend';

export interface HaproxyNames {
  /** In the order of the configuration; chains without a local port are not in it. */
  readonly pools: readonly PoolNames[];
}

export interface PoolNames {
  readonly chain: string;
  readonly isDefault: boolean;
  /** `rpc-backend`, or `rpc-backend-<chain>`. */
  readonly backend: string;
  /** Where WebSockets go when only some of the nodes take them. */
  readonly wsBackend: string;
  /** Named after the nodes. */
  readonly servers: readonly ServerNames[];
}

export interface ServerNames {
  readonly server: string;
  readonly localPort: number;
  /** Of the proxies that dial this node's provider. */
  readonly frontend: string;
  readonly backend: string;
  readonly wsBackend: string;
}

/** The part of the configuration that gives names. */
export type NamedConfig = Pick<HaproxyConfig, 'defaultChain'> & {
  readonly chains: Readonly<
    Record<string, { readonly nodes: readonly { readonly name: string; readonly localPort?: number | undefined }[] }>
  >;
};

/**
 * Every name in haproxy.cfg that others meet: pools and their servers by commands and metrics, the rest in metrics.
 * No two proxies share one: a node called `rpc` gives way to the pool. Names of WebSocket backends hold a dot, which
 * no name of a chain does.
 */
export function haproxyNames({ defaultChain, chains }: NamedConfig): HaproxyNames {
  const chosen = defaultChain ?? Object.keys(chains)[0];
  const pools = Object.entries(chains).map(([chain, { nodes }]) => ({
    chain,
    isDefault: chain === chosen,
    backend: chain === chosen ? DEFAULT_POOL : `${DEFAULT_POOL}-${chain}`,
    wsBackend: `${DEFAULT_POOL}-${chain}.ws`,
    nodes: nodes.flatMap(({ name, localPort }) => (localPort === undefined ? [] : [{ name, localPort }])),
  }));
  const taken = new Set(pools.flatMap(({ backend, wsBackend }) => [backend, wsBackend]));
  return {
    pools: pools
      .filter(({ nodes }) => nodes.length > 0)
      .map(({ nodes, ...pool }) => ({
        ...pool,
        servers: nodes.map(({ name, localPort }) => ({
          server: name,
          localPort,
          ...proxyNames(pool.isDefault ? name : `${pool.chain}-${name}`, taken),
        })),
      })),
  };
}

/** The way back: which local port a pool's server stands for. Undefined for what is in no pool. */
export function localPortOf(config: NamedConfig, backend: string, server: string): number | undefined {
  const pool = haproxyNames(config).pools.find((one) => one.backend === backend || one.wsBackend === backend);
  return pool?.servers.find((one) => one.server === server)?.localPort;
}

function proxyNames(stem: string, taken: Set<string>): Pick<ServerNames, 'frontend' | 'backend' | 'wsBackend'> {
  // The weighter knows pools by how their names begin.
  const plain = stem.startsWith(DEFAULT_POOL) ? `node.${stem}` : stem;
  for (let turn = 1; ; turn++) {
    const name = turn === 1 ? plain : `${plain}.${turn}`;
    const names = { frontend: `${name}-frontend`, backend: `${name}-backend`, wsBackend: `${name}-backend.ws` };
    const all = Object.values(names);
    if (all.some((one) => taken.has(one))) continue;
    for (const one of all) taken.add(one);
    return names;
  }
}
