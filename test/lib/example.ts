import type { Settings } from '../../lib/settings';

/**
 * An environment of nobody's. Tests that name values take it, so that they hold whatever stands in `lib/settings`: those
 * are the operator's, and change. It is called as one of ours is, and has nothing else of it.
 */
export const example: Settings = {
  name: 'staging',
  account: '111122223333',
  region: 'ap-northeast-1',
  zones: ['ap-northeast-1a', 'ap-northeast-1c'],
  network: { cidr: '10.40.0.0/16', natGateways: 1 },
  cluster: {
    kubernetes: '1.36',
    adminRoleArns: ['arn:aws:iam::111122223333:role/rpc-admin'],
    viewRoleArns: ['arn:aws:iam::111122223333:role/rpc-view'],
    endpoint: { kind: 'public', cidrs: ['203.0.113.0/24'] },
  },
  nodes: {
    arch: 'arm64',
    instanceTypes: ['m7g.large', 'm6g.large'],
    minPerZone: 1,
    maxPerZone: 3,
    diskGib: 40,
  },
  cache: { nodeType: 'cache.t4g.small', replicas: 1, snapshotDays: 0 },
  workload: {
    namespace: 'rpc',
    hostedZone: { id: 'Z0000000EXAMPLESTAGE', name: 'staging.example.com' },
    hosts: [
      { host: 'rpc.staging.example.com', namespace: 'rpc', service: 'rpc-proxy', port: 8545 },
      { host: 'ws.staging.example.com', namespace: 'rpc', service: 'rpc-proxy', port: 8545 },
    ],
    providerSecrets: ['QUICKNODE_KEY', 'ALCHEMY_KEY'],
    proxy: {
      chains: {
        mainnet: {
          chainId: 1,
          nodes: [
            {
              name: 'quicknode',
              localPort: 8001,
              provider: { url: 'https://example.quiknode.pro/${QUICKNODE_KEY}/' },
            },
            {
              name: 'alchemy',
              localPort: 8002,
              provider: { url: 'https://eth-mainnet.g.alchemy.com/v2/${ALCHEMY_KEY}' },
            },
          ],
        },
      },
    },
    image: { kind: 'asset' },
    replicas: { min: 2, max: 4 },
    idleTimeoutSeconds: 3600,
    waf: false,
  },
  retention: { logDays: 14, bucketDays: 14 },
  operations: { alarmEmail: 'rpc-alarms@example.com', budgetUsd: 600 },
  github: { owner: 'example', ownerId: '1000001', repo: 'eth-rpc-balancer', repoId: '2000001' },
  protect: false,
};
