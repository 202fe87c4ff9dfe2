import { type HaproxyConfig, loadHaproxyConfig } from '../../runtime/config/load-haproxy';

/** One golden file each: test/golden/haproxy/<name>.cfg. */
export const SCENARIOS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'one-chain': {
    chains: {
      mainnet: {
        chainId: 1,
        nodes: [
          { name: 'quicknode', localPort: 8001, provider: { url: 'https://example.quiknode.pro/${QUICKNODE_KEY}/' } },
          {
            name: 'alchemy',
            localPort: 8002,
            provider: { url: 'https://eth-mainnet.g.alchemy.com/v2/${ALCHEMY_KEY}' },
          },
        ],
      },
    },
  },
  'several-chains': {
    http: { maxBodyBytes: 65_536, requestTimeoutMs: 20_000, keepAliveTimeoutMs: 90_000 },
    haproxy: {
      pool: { host: '0.0.0.0', port: 8080 },
      stats: { host: '0.0.0.0', port: 8405 },
      nameservers: ['10.100.0.10', '2001:db8::53'],
      maxConnections: 900,
      hardStopAfterMs: 60_000,
      checkIntervalMs: 500,
    },
    defaultChain: 'polygon',
    chains: {
      mainnet: {
        chainId: 1,
        failover: {
          deadlineMs: 10_000,
          maxAttempts: 2,
          connectTimeoutMs: 250,
          callTimeoutMs: 4000,
          readMethods: ['trace_*'],
        },
        nodes: [
          {
            name: 'rpc',
            localPort: 8001,
            provider: { url: 'https://user:${ALCHEMY_KEY}@eth.example:8443/rpc?key=${QUICKNODE_KEY}' },
          },
          // Dialled by the proxy itself.
          { name: 'own-node', url: 'http://${NOT_SET_HERE}:8545' },
        ],
      },
      polygon: {
        chainId: 137,
        health: { rise: 1, fall: 5, probeTimeoutMs: 1500 },
        nodes: [{ name: 'rpc', localPort: 8003, provider: { url: 'https://polygon.example/' } }],
      },
      sepolia: { chainId: 11_155_111, nodes: [{ name: 'own', url: 'http://sepolia.nodes.svc:8545' }] },
    },
  },
  websocket: {
    chains: {
      mainnet: {
        chainId: 1,
        nodes: [
          {
            name: 'both',
            localPort: 8001,
            provider: { url: 'https://eth.example/v2/${ALCHEMY_KEY}', wsUrl: 'wss://ws.eth.example/ws/${ALCHEMY_KEY}' },
          },
          { name: 'http-only', localPort: 8002, provider: { url: 'https://other.example/${QUICKNODE_KEY}' } },
        ],
      },
      base: {
        chainId: 8453,
        nodes: [
          {
            name: 'both',
            localPort: 8003,
            provider: { url: 'https://base.example/${ALCHEMY_KEY}', wsUrl: 'wss://base.example/ws/${ALCHEMY_KEY}' },
          },
        ],
      },
    },
  },
  'private-ca': {
    haproxy: { caFile: '/etc/ssl/company ca.pem' },
    chains: {
      mainnet: {
        chainId: 1,
        nodes: [
          {
            name: 'inside',
            localPort: 8001,
            provider: { url: 'https://erigon.internal:8545', caFile: '/etc/ssl/nodes-ca.pem' },
          },
          { name: 'outside', localPort: 8002, provider: { url: 'https://eth.example/${ALCHEMY_KEY}' } },
        ],
      },
    },
  },
  'without-tls': {
    chains: {
      dev: {
        chainId: 31_337,
        nodes: [
          { name: 'anvil', localPort: 8001, provider: { url: 'http://127.0.0.1:8546' } },
          {
            name: 'six',
            localPort: 8002,
            provider: { url: 'http://[2001:db8::1]/', wsUrl: 'ws://[2001:db8::1]:8547' },
          },
          { name: 'in-cluster', localPort: 8003, provider: { url: 'http://erigon.nodes.svc:8545' } },
        ],
      },
    },
  },
  'unix-socket': {
    haproxy: { adminSocket: '/run/haproxy/admin.sock', socketGid: 10_001 },
    chains: {
      mainnet: {
        chainId: 1,
        nodes: [{ name: 'alchemy', localPort: 8001, provider: { url: 'https://eth.example/${ALCHEMY_KEY}' } }],
      },
    },
  },
};

/** What a careless provider may hand out; each must arrive as it is. */
const SECRETS = { QUICKNODE_KEY: `it's"50%"$HOME\\x`, ALCHEMY_KEY: 'alchemy-key' };

export function scenario(name: string): HaproxyConfig {
  return loadHaproxyConfig(JSON.stringify(SCENARIOS[name]), { env: {}, secrets: SECRETS });
}
