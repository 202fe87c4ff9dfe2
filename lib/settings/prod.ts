import type { Settings } from './types';

/** Three zones, protected against deletion. The account ids and names are AWS's own examples: put yours. */
export const prod: Settings = {
  name: 'prod',
  account: '444455556666',
  region: 'ap-northeast-1',
  zones: ['ap-northeast-1a', 'ap-northeast-1c', 'ap-northeast-1d'],
  network: { cidr: '10.44.0.0/16', natGateways: 3 },
  cluster: {
    kubernetes: '1.36',
    adminRoleArns: ['arn:aws:iam::444455556666:role/rpc-admin'],
    viewRoleArns: ['arn:aws:iam::444455556666:role/rpc-view'],
    endpoint: { kind: 'private' },
  },
  nodes: {
    arch: 'arm64',
    instanceTypes: ['m7g.large', 'm6g.large'],
    minPerZone: 1,
    maxPerZone: 6,
    diskGib: 60,
  },
  cache: { nodeType: 'cache.m7g.large', replicas: 2, snapshotDays: 7 },
  workload: {
    namespace: 'rpc',
    hostedZone: { id: 'Z0000000EXAMPLEPROD0', name: 'example.com' },
    hosts: [
      { host: 'rpc.example.com', namespace: 'rpc', service: 'rpc-proxy', port: 8545 },
      { host: 'ws.example.com', namespace: 'rpc', service: 'rpc-proxy', port: 8545 },
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
    replicas: { min: 3, max: 12 },
    idleTimeoutSeconds: 3600,
    waf: false,
  },
  retention: { logDays: 90, bucketDays: 90 },
  operations: { alarmEmail: 'rpc-alarms@example.com', budgetUsd: 2000 },
  github: { owner: 'example', ownerId: '1000001', repo: 'eth-rpc-balancer', repoId: '2000001' },
  protect: true,
};
