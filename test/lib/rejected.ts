import type { Settings } from '../../lib/settings';

type Change = Readonly<Record<string, unknown>>;

/** The settings with other values at some paths, such as `nodes.maxPerZone` or `workload.hosts.0.host`. */
export function changed(settings: Settings, changes: Change): Settings {
  const copy = structuredClone(settings) as unknown as Record<string, unknown>;
  for (const [path, value] of Object.entries(changes)) {
    const keys = path.split('.');
    const last = keys.pop() ?? '';
    const parent = keys.reduce((object, key) => object[key] as Record<string, unknown>, copy);
    parent[last] = value;
  }
  return copy as unknown as Settings;
}

/** What is wrong, and what is told of it: `path must be rule, got value`. */
export const REJECTED: readonly (readonly [Change, string])[] = [
  [{ account: '12345' }, 'staging.account must be an AWS account id of 12 digits, got "12345"'],
  [{ region: 'tokyo' }, 'staging.region must be an AWS region, got "tokyo"'],
  [{ 'zones.1': 'us-east-1a' }, 'staging.zones[1] must be a zone of ap-northeast-1, got "us-east-1a"'],
  [
    { zones: ['ap-northeast-1a'] },
    'staging.zones must be 2 or 3 different availability zones, got ["ap-northeast-1a"]',
  ],
  [
    { 'network.cidr': '10.40.0.1/16' },
    'staging.network.cidr must be a network of /16 to /20, such as 10.40.0.0/16, got "10.40.0.1/16"',
  ],
  [{ 'network.natGateways': 3 }, 'staging.network.natGateways must be 1, or one per zone (2), got 3'],
  [{ 'cluster.kubernetes': '1.29' }, 'staging.cluster.kubernetes must be one of 1.36, got "1.29"'],
  [
    { 'cluster.adminRoleArns': [] },
    'staging.cluster.adminRoleArns must be at least one role, or nobody gets into the cluster, got []',
  ],
  [
    { 'cluster.adminRoleArns': ['arn:aws:iam::111122223333:user/me'] },
    'staging.cluster.adminRoleArns[0] must be the ARN of an IAM role, got "arn:aws:iam::111122223333:user/me"',
  ],
  [
    { 'cluster.viewRoleArns': ['arn:aws:iam::111122223333:role/rpc-admin'] },
    'staging.cluster.viewRoleArns[0] must be the ARN of an IAM role that is not an admin already, got "arn:aws:iam::111122223333:role/rpc-admin"',
  ],
  [
    { 'cluster.endpoint': { kind: 'public', cidrs: ['0.0.0.0/0'] } },
    'staging.cluster.endpoint.cidrs[0] must be a network of at least /8 in CIDR notation, got "0.0.0.0/0"',
  ],
  [
    { 'cluster.endpoint': { kind: 'public', cidrs: [] } },
    'staging.cluster.endpoint.cidrs must be at least one network, or the private endpoint, got []',
  ],
  [{ 'nodes.arch': 'riscv' }, 'staging.nodes.arch must be one of arm64, x86_64, got "riscv"'],
  [
    { 'nodes.instanceTypes': ['m7g.large', 'm7i.large'] },
    'staging.nodes.instanceTypes[1] must be an instance type of arm64, got "m7i.large"',
  ],
  [
    { 'nodes.arch': 'x86_64', 'nodes.instanceTypes': ['m6g.large'] },
    'staging.nodes.instanceTypes[0] must be an instance type of x86_64, got "m6g.large"',
  ],
  [
    { 'nodes.minPerZone': 4 },
    'staging.nodes.maxPerZone must be a whole number of at least nodes.minPerZone (4), got 3',
  ],
  [{ 'nodes.minPerZone': 0 }, 'staging.nodes.minPerZone must be a whole number of at least 1, got 0'],
  [{ 'cache.replicas': 0 }, 'staging.cache.replicas must be a whole number from 1 to 5, got 0'],
  [{ protect: true }, 'staging.cache.snapshotDays must be at least 1 where settings protect, got 0'],
  [
    { 'workload.hosts.0.host': 'rpc.example.org' },
    'staging.workload.hosts[0].host must be a host of staging.example.com, got "rpc.example.org"',
  ],
  [
    { 'workload.hosts.1.host': 'rpc.staging.example.com' },
    'staging.workload.hosts[1].host must be unique, got "rpc.staging.example.com"',
  ],
  [
    { 'workload.proxy.chains.mainnet.nodes.0.provider.url': 'https://x.example/${QUICKNODE_KEY}/${INFURA_KEY}' },
    'staging.workload.proxy.chains.mainnet.nodes[0].provider.url must be a text with no other ${NAME} than workload.providerSecrets (QUICKNODE_KEY, ALCHEMY_KEY), got ["INFURA_KEY"]',
  ],
  [
    { 'workload.providerSecrets': ['QUICKNODE_KEY', 'ALCHEMY_KEY', 'SPARE_KEY'] },
    'staging.workload.providerSecrets[2] must be used in workload.proxy as ${NAME}, got "SPARE_KEY"',
  ],
  [
    { 'workload.image': { kind: 'registry', uri: 'example/proxy:latest' } },
    'staging.workload.image must be asset, or a registry with a uri that ends in @sha256:…, got {"kind":"registry","uri":"example/proxy:latest"}',
  ],
  [
    { 'workload.replicas.max': 1 },
    'staging.workload.replicas.max must be a whole number of at least workload.replicas.min (2), got 1',
  ],
  [
    {
      'workload.namespace': 'kube-system',
      'workload.hosts': [
        { host: 'rpc.staging.example.com', namespace: 'kube-system', service: 'rpc-proxy', port: 8545 },
      ],
    },
    'staging.workload.namespace must be a namespace of its own, none of Kubernetes\' own, got "kube-system"',
  ],
  [
    { 'workload.waf': { requestsPerFiveMinutes: 5 } },
    'staging.workload.waf.requestsPerFiveMinutes must be a whole number from 10 to 2000000000, got 5',
  ],
  [{ 'workload.waf': true }, 'staging.workload.waf must be false, or what it limits, got true'],
  // From here on, what the programs in the pod say of it.
  [
    { 'workload.proxy.chains.mainnet.nodes.1.localPort': 8001 },
    'staging.workload.proxy.chains.mainnet.nodes[1].localPort must be a port of its own (chains.mainnet.nodes[0].localPort has it too), got 8001',
  ],
  [
    { 'workload.proxy.limits': { perMinut: 1 } },
    'staging.workload.proxy.limits.perMinut must be a known key (did you mean perMinute?), got "perMinut"',
  ],
  [
    { 'workload.proxy.http': { keepAliveTimeoutMs: 1000 } },
    'staging.workload.proxy.http.keepAliveTimeoutMs must be more than alb.idleTimeout (3600000 ms), got 1000',
  ],
  [
    {
      'workload.proxy.chains.mainnet.nodes.0.provider.wsUrl':
        'wss://example.quiknode.pro/0123456789abcdef0123456789abcdef/',
    },
    'staging.workload.proxy.chains.mainnet.nodes[0].provider.wsUrl must be a URL with its key written ${NAME}, got wss://example.quiknode.pro/…',
  ],
  [
    { 'workload.proxy.chains.mainnet.cache': { maxBytes: 1_073_741_824 } },
    'staging.workload.sizes.proxyMemoryMib must be at least one and a half times what all chains cache and 192 MiB (1728 MiB), got "512 MiB"',
  ],
  [
    { 'workload.sizes': { haproxyMemoryMib: 64 } },
    'staging.workload.sizes.haproxyMemoryMib must be at least what two workers take with haproxy.maxConnections (220 MiB), got "64 MiB"',
  ],
  [
    { 'workload.weighter': { policy: 'random' } },
    'staging.workload.weighter.policy must be one of equal, proportional, got "random"',
  ],
  [
    { 'workload.hosts.0.service': 'another' },
    'staging.workload.hosts must be a list that begins with a host of rpc-proxy, whose Ingress tells what the load balancer is, got "another"',
  ],
  [
    { 'workload.hosts.1.healthCheckPath': '/other' },
    'staging.workload.hosts[1].healthCheckPath must be as for rpc.staging.example.com, which has the same Service (/readyz), got "/other"',
  ],
  [
    { 'workload.hosts.1.port': 8000 },
    'staging.workload.hosts[1].port must be 8545, the one of rpc-proxy that is for the load balancer, got 8000',
  ],
  [
    { 'workload.sizes': { proxyCpu: '0' } },
    'staging.workload.sizes.proxyCpu must be an amount of CPU such as 200m or 1.5, got "0"',
  ],
  [
    { 'workload.clientNamespaces': ['Not A Name'] },
    'staging.workload.clientNamespaces[0] must be the name of a namespace, got "Not A Name"',
  ],
  [
    { 'workload.idleTimeoutSeconds': 5000 },
    'staging.workload.idleTimeoutSeconds must be a whole number from 1 to 4000, got 5000',
  ],
  [
    { 'retention.logDays': 10 },
    'staging.retention.logDays must be one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1827, 3653, got 10',
  ],
  [{ 'operations.alarmEmail': 'nobody' }, 'staging.operations.alarmEmail must be a mail address, got "nobody"'],
  [{ 'operations.budgetUsd': 0 }, 'staging.operations.budgetUsd must be a whole number of at least 1, got 0'],
  [{ 'github.repoId': '' }, 'staging.github.repoId must be the repository\'s numeric id on GitHub, as text, got ""'],
  [
    { 'github.ownerId': undefined },
    "staging.github.ownerId must be the owner's numeric id on GitHub, as text, got nothing",
  ],
  // What TypeScript would say, which nobody asks before `cdk synth`.
  [
    { workload: undefined },
    'staging.workload must be a section with namespace, hostedZone, hosts, providerSecrets, proxy, weighter, image, replicas, sizes, clientNamespaces, monitoringNamespaces, idleTimeoutSeconds, waf, got nothing',
  ],
  [
    { nodes: ['m7g.large'] },
    'staging.nodes must be a section with arch, instanceTypes, minPerZone, maxPerZone, diskGib, got "a list"',
  ],
  [
    { 'cluster.adminRoleArns': 'arn:aws:iam::111122223333:role/rpc-admin' },
    'staging.cluster.adminRoleArns must be a list, got "arn:aws:iam::111122223333:role/rpc-admin"',
  ],
  [{ protect: undefined }, 'staging.protect must be true or false, got nothing'],
  [{ protect: 'false' }, 'staging.protect must be true or false, got "false"'],
  [{ protec: true }, 'staging.protec must be a known key (did you mean protect?), got "protec"'],
  [
    { 'workload.clientNamespace': ['indexers'] },
    'staging.workload.clientNamespace must be a known key (did you mean clientNamespaces?), got "clientNamespace"',
  ],
  [
    { 'workload.hosts.1.stickinesSeconds': 60 },
    'staging.workload.hosts[1].stickinesSeconds must be a known key (did you mean stickinessSeconds?), got "stickinesSeconds"',
  ],
  [
    { 'cluster.addonVersions': { 'vpc-cnii': 'v1.20.0' } },
    'staging.cluster.addonVersions.vpc-cnii must be a known key (did you mean vpc-cni?), got "vpc-cnii"',
  ],
  [{ 'cluster.addonVersions': { 'vpc-cni': 1.2 } }, 'staging.cluster.addonVersions.vpc-cni must be a text, got 1.2'],
  [
    { 'workload.proxy.redis': { url: 'redis://:hunter2@elsewhere:6379' } },
    'staging.workload.proxy.redis must be left out: it is decided where it is deployed, got "a section"',
  ],
  [
    { 'workload.proxy.listen': { port: 8545 } },
    'staging.workload.proxy.listen.port must be left out: it is decided where it is deployed, got 8545',
  ],
  [
    { 'workload.weighter': { admin: { port: 9999 } } },
    'staging.workload.weighter.admin must be left out: it is decided where it is deployed, got "a section"',
  ],
  [
    { 'workload.idleTimeoutSeconds': '3600' },
    'staging.workload.idleTimeoutSeconds must be a whole number from 1 to 4000, got "3600"',
  ],
  [
    { 'workload.sizes': { proxyCpu: 2 } },
    'staging.workload.sizes.proxyCpu must be an amount of CPU such as 200m or 1.5, got 2',
  ],
  [
    { 'workload.sizes': { proxyMemoryMib: '512' } },
    'staging.workload.sizes.proxyMemoryMib must be a whole number of at least 1, got "512"',
  ],
  [
    { 'workload.hosts.0.stickinessSeconds': 0 },
    'staging.workload.hosts[0].stickinessSeconds must be a whole number from 1 to 604800, got 0',
  ],
  [
    { 'cluster.endpoint': { kind: 'private', cidrs: ['203.0.113.0/24'] } },
    'staging.cluster.endpoint.cidrs must be left out with the private endpoint, which is reached from nowhere else, got ["203.0.113.0/24"]',
  ],
  [
    { 'workload.image': { kind: 'asset', uri: 'example/proxy' } },
    'staging.workload.image must be asset, or a registry with a uri that ends in @sha256:…, got {"kind":"asset","uri":"example/proxy"}',
  ],
  ...['a-', 'a--b', 'ab-cdefghijkl'].map((name): readonly [Change, string] => [
    { name },
    `${name}.name must be lower-case letters, digits and single hyphens between them, at most 12, got "${name}"`,
  ]),
];
