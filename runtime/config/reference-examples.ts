export interface ConfigExample {
  readonly title: string;
  readonly yaml: string;
}

/** Begin the reference page. */
export const CONFIG_EXAMPLES: readonly ConfigExample[] = [
  {
    title: 'One chain, served at `/`',
    yaml: `chains:
  mainnet:
    chainId: 1
    nodes:
      - name: own-node
        url: http://10.0.3.17:8545
        archive: true
      - name: provider
        # The key comes from the environment; it is shown nowhere.
        url: https://eth.example.com/v2/\${PROVIDER_KEY}
        tier: 1 # only while the node above is out
`,
  },
  {
    title: 'Several chains, each served at `/<name>` and `/<chainId>`',
    yaml: `listen:
  host: 0.0.0.0
  port: \${PORT}
  drainDelayMs: 5000

# The load balancer's subnets: whose X-Forwarded-For is believed.
trustedProxies: [10.0.0.0/20, 10.0.16.0/20]

limits:
  perMinute: 600
  methods:
    eth_getLogs: { perMinute: 60 }
  cost:
    eth_call: 2
  overrides:
    - cidrs: [192.0.2.0/24]
      perMinute: 6000
    - cidrs: [10.1.0.0/16]
      unlimited: true

redis: # shared by all processes; each goes on alone while it is away
  url: rediss://redis.example.com:6379
  username: rpc-balancer
  password: \${REDIS_PASSWORD}

methods:
  allow: [debug_traceTransaction]

defaultChain: mainnet
chains:
  mainnet:
    chainId: 1
    health:
      maxLagBlocks: 2
    failover:
      readMethods: [trace_*]
    nodes:
      - name: quicknode
        localPort: 8001 # HAProxy dials the provider, the proxy dials this port
        provider:
          url: https://example.quiknode.pro/\${file:/run/secrets/providers.json#quicknode.key}/
      - name: alchemy
        localPort: 8002
        provider:
          url: https://eth-mainnet.g.alchemy.com/v2/\${ALCHEMY_KEY}
      - name: own-node
        url: http://erigon.nodes.svc:8545
        wsUrl: ws://erigon.nodes.svc:8546
        weight: 2
        archive: true
  polygon:
    chainId: 137
    balancing: client-ip-hash
    nodes:
      - name: bor
        url: http://bor.nodes.svc:8545
`,
  },
];
