import { haproxyNames, localPortOf, type NamedConfig } from '../../runtime/haproxy/names';

const node = (name: string, localPort?: number) => ({ name, localPort });

describe('names', () => {
  it('are the guide’s for the default chain, and tell the chain for others', () => {
    const config: NamedConfig = {
      defaultChain: 'polygon',
      chains: {
        mainnet: { nodes: [node('alchemy', 8001), node('own')] },
        polygon: { nodes: [node('alchemy', 8002), node('quicknode', 8003)] },
        sepolia: { nodes: [node('own')] },
      },
    };
    expect(haproxyNames(config).pools).toEqual([
      {
        chain: 'mainnet',
        isDefault: false,
        backend: 'rpc-backend-mainnet',
        wsBackend: 'rpc-backend-mainnet.ws',
        servers: [
          {
            server: 'alchemy',
            localPort: 8001,
            frontend: 'mainnet-alchemy-frontend',
            backend: 'mainnet-alchemy-backend',
            wsBackend: 'mainnet-alchemy-backend.ws',
          },
        ],
      },
      {
        chain: 'polygon',
        isDefault: true,
        backend: 'rpc-backend',
        wsBackend: 'rpc-backend-polygon.ws',
        servers: [
          {
            server: 'alchemy',
            localPort: 8002,
            frontend: 'alchemy-frontend',
            backend: 'alchemy-backend',
            wsBackend: 'alchemy-backend.ws',
          },
          {
            server: 'quicknode',
            localPort: 8003,
            frontend: 'quicknode-frontend',
            backend: 'quicknode-backend',
            wsBackend: 'quicknode-backend.ws',
          },
        ],
      },
    ]);
  });

  it.each<[string, NamedConfig['chains']]>([
    ['a node called rpc', { a: { nodes: [node('rpc', 1)] } }],
    [
      'a node of a further chain and one of the default',
      { a: { nodes: [node('b-x', 1)] }, b: { nodes: [node('x', 2)] } },
    ],
    [
      'a node like the pool of a chain',
      { a: { nodes: [node('rpc-backend-b', 1)] }, 'b-backend': { nodes: [node('x', 2)] } },
    ],
    ['nodes like each other with a turn', { a: { nodes: [node('rpc', 1), node('rpc.2', 2)] } }],
    [
      'chains and nodes with the words of names',
      { a: { nodes: [node('x', 1), node('x-backend', 2), node('x-backend.ws', 3)] } },
    ],
  ])('are never taken twice: %s', (_, chains) => {
    const { pools } = haproxyNames({ defaultChain: undefined, chains });
    const backends = pools.flatMap(({ backend, wsBackend, servers }) => [
      backend,
      wsBackend,
      ...servers.flatMap((server) => [server.backend, server.wsBackend]),
    ]);
    const frontends = ['http', 'stats', ...pools.flatMap(({ servers }) => servers.map(({ frontend }) => frontend))];
    expect(new Set(backends).size).toBe(backends.length);
    expect(new Set(frontends).size).toBe(frontends.length);
    expect(pools[0]?.backend).toBe('rpc-backend');
  });

  it('lead back to the local port', () => {
    const config = {
      defaultChain: undefined,
      chains: { main: { nodes: [node('a', 8001), node('own')] }, side: { nodes: [node('a', 8002)] } },
    };
    expect(localPortOf(config, 'rpc-backend', 'a')).toBe(8001);
    expect(localPortOf(config, 'rpc-backend-side', 'a')).toBe(8002);
    expect(localPortOf(config, 'rpc-backend-side.ws', 'a')).toBe(8002);
    expect(localPortOf(config, 'rpc-backend', 'own')).toBeUndefined();
    expect(localPortOf(config, 'rpc-backend-main', 'a')).toBeUndefined();
    expect(localPortOf(config, 'a-backend', 'a')).toBeUndefined();
  });
});
