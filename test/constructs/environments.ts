import { Duration, Size } from 'cdk8s';
import type { RpcChartProps } from '../../constructs/rpc-chart';

const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;
const REGISTRY = '111122223333.dkr.ecr.ap-northeast-1.amazonaws.com/eth-rpc-balancer';
const ACM = 'arn:aws:acm:ap-northeast-1:111122223333:certificate';

/** What settings give the charts, in small: each environment as different from the other as ours are. */
export const ENVIRONMENTS = { staging: staging(), prod: prod() } satisfies Record<string, RpcChartProps>;

export type EnvironmentName = keyof typeof ENVIRONMENTS;

function staging(): RpcChartProps {
  return {
    namespace: 'rpc',
    image: `${REGISTRY}@${DIGEST}`,
    arch: 'arm64',
    settings: {
      chains: {
        mainnet: {
          chainId: 1,
          nodes: [
            provider('quicknode', 8001, 'https://example.quiknode.pro/${QUICKNODE_KEY}/'),
            provider('alchemy', 8002, 'https://eth-mainnet.g.alchemy.com/v2/${ALCHEMY_KEY}'),
          ],
        },
      },
    },
    providerKeysSecret: 'rpc-staging/provider-keys',
    network: { albCidrs: ['10.0.0.0/24', '10.0.1.0/24'] },
    scaling: { maxReplicas: 4 },
    alb: {
      loadBalancerName: 'rpc-staging',
      certificateArn: `${ACM}/00000000-0000-0000-0000-000000000000`,
      securityGroup: 'sg-0123456789abcdef0',
      deletionProtection: false,
      hosts: [{ host: 'rpc.staging.example.com' }, { host: 'ws.staging.example.com' }],
    },
  };
}

function prod(): RpcChartProps {
  return {
    namespace: 'rpc',
    image: `${REGISTRY}@${DIGEST}`,
    arch: 'x86_64',
    settings: {
      limits: { perMinute: 6000, methods: { eth_getLogs: { perMinute: 120 } } },
      defaultChain: 'mainnet',
      haproxy: { maxConnections: 4000 },
      chains: {
        mainnet: {
          chainId: 1,
          cache: { maxBytes: 384 * 2 ** 20 },
          nodes: [
            provider('quicknode', 8001, 'https://example.quiknode.pro/${QUICKNODE_KEY}/'),
            provider('alchemy', 8002, 'https://eth-mainnet.g.alchemy.com/v2/${ALCHEMY_KEY}'),
            { name: 'own', url: 'http://erigon.nodes.svc.cluster.local:8545', archive: true, tier: 1 },
          ],
        },
        optimism: {
          chainId: 10,
          nodes: [provider('alchemy', 8003, 'https://opt-mainnet.g.alchemy.com/v2/${ALCHEMY_KEY}')],
        },
      },
    },
    weighter: { policy: 'proportional' },
    providerKeysSecret: 'rpc-prod/provider-keys',
    redis: {
      host: 'master.rpc-prod.abc123.apne1.cache.amazonaws.com',
      username: 'rpc-proxy',
      passwordSecret: 'rpc-prod/redis-password',
      cidrs: ['10.1.6.0/24', '10.1.7.0/24', '10.1.8.0/24'],
    },
    serviceAccountRoleArn: 'arn:aws:iam::111122223333:role/rpc-proxy-prod',
    network: {
      albCidrs: ['10.1.0.0/24', '10.1.1.0/24', '10.1.2.0/24'],
      clientNamespaces: ['bots'],
      monitoringNamespaces: ['amazon-cloudwatch'],
    },
    scaling: { minReplicas: 3, maxReplicas: 30, targetCpuPercent: 60 },
    alb: {
      loadBalancerName: 'rpc-prod',
      certificateArn: `${ACM}/11111111-1111-1111-1111-111111111111`,
      securityGroup: 'sg-0fedcba9876543210',
      deletionProtection: true,
      accessLogs: { bucket: 'rpc-prod-alb-logs', prefix: 'rpc-prod' },
      hosts: [{ host: 'rpc.example.com' }, { host: 'ws.example.com' }, ...graphNode()],
    },
    proxyCpu: '1000m',
    proxyMemory: Size.gibibytes(1),
    haproxyMemory: Size.mebibytes(512),
  };
}

/** The guide's example of further hosts. */
function graphNode() {
  const common = {
    namespace: 'graph',
    service: 'graph-node',
    healthCheckPath: '/',
    stickiness: Duration.seconds(60),
  };
  return [
    { ...common, host: 'subgraph-api.example.com', port: 8000, action: 'graph-node-jsonrpc' },
    { ...common, host: 'subgraph-ws.example.com', port: 8001, action: 'graph-node-websocket' },
  ];
}

function provider(name: string, localPort: number, url: string) {
  return { name, localPort, provider: { url } };
}
