import { DECIDED, WHY_DECIDED } from '../../constructs/decided-keys';
import type { AddonName } from '../addons/eks-addon';
import { section, type Shape } from './fit';
import type {
  CacheSettings,
  ClusterSettings,
  GithubSettings,
  NetworkSettings,
  NodeSettings,
  OperationsSettings,
  RetentionSettings,
  Settings,
  WorkloadSettings,
} from './types';
import type { Firewall, Host, PodSizes, Replicas, WorkloadImage } from './workload';

const TEXTS: Shape = { list: 'text' };

const ADDON_VERSIONS = section<Record<AddonName, string>>({
  'vpc-cni': { optional: 'text' },
  'kube-proxy': { optional: 'text' },
  coredns: { optional: 'text' },
  'metrics-server': { optional: 'text' },
  'aws-secrets-store-csi-driver-provider': { optional: 'text' },
  'amazon-cloudwatch-observability': { optional: 'text' },
});

const CLUSTER = section<ClusterSettings>({
  kubernetes: 'text',
  adminRoleArns: TEXTS,
  viewRoleArns: TEXTS,
  endpoint: section<ClusterSettings['endpoint']>({ kind: 'text', cidrs: { optional: { list: 'text' } } }),
  addonVersions: { optional: ADDON_VERSIONS },
});

const NODES = section<NodeSettings>({
  arch: 'text',
  instanceTypes: TEXTS,
  minPerZone: 'number',
  maxPerZone: 'number',
  diskGib: 'number',
});

const HOST = section<Host>({
  host: 'text',
  namespace: 'text',
  service: 'text',
  port: 'number',
  action: { optional: 'text' },
  weight: { optional: 'number' },
  healthCheckPath: { optional: 'text' },
  stickinessSeconds: { optional: 'number' },
});

/**
 * A section whose other keys its program checks. What the pod or the stacks decide would be overwritten without a word.
 *
 * @param decided paths of what is decided
 */
function without(
  decided: readonly (readonly string[])[],
  keys: Record<string, Shape> = {},
): ReturnType<typeof section> {
  const not: Record<string, string> = {};
  const below: Record<string, (readonly string[])[]> = {};
  for (const [key = '', ...rest] of decided) {
    if (rest.length === 0) not[key] = WHY_DECIDED;
    else (below[key] ??= []).push(rest);
  }
  const sections = Object.entries(below).map(([key, paths]): [string, Shape] => [key, { optional: without(paths) }]);
  return section<Record<string, unknown>>({ ...Object.fromEntries(sections), ...keys }, { others: true, not });
}

const PROXY = without(DECIDED.settings, { chains: 'section' });

const WEIGHTER = without(DECIDED.weighter);

const WORKLOAD = section<WorkloadSettings>({
  namespace: 'text',
  hostedZone: section<WorkloadSettings['hostedZone']>({ id: 'text', name: 'text' }),
  hosts: { list: HOST },
  providerSecrets: TEXTS,
  proxy: PROXY,
  weighter: { optional: WEIGHTER },
  image: section<WorkloadImage>({ kind: 'text', uri: { optional: 'text' } }),
  replicas: section<Replicas>({ min: 'number', max: 'number' }),
  sizes: {
    optional: section<PodSizes>({
      proxyCpu: { optional: 'text' },
      proxyMemoryMib: { optional: 'number' },
      haproxyMemoryMib: { optional: 'number' },
    }),
  },
  clientNamespaces: { optional: { list: 'text' } },
  monitoringNamespaces: { optional: { list: 'text' } },
  idleTimeoutSeconds: 'number',
  waf: { whenOn: section<Firewall>({ requestsPerFiveMinutes: 'number' }), rule: 'false, or what it limits' },
});

/** Of all settings. */
export const SHAPE: Shape = section<Settings>({
  name: 'text',
  account: 'text',
  region: 'text',
  zones: TEXTS,
  network: section<NetworkSettings>({ cidr: 'text', natGateways: 'number' }),
  cluster: CLUSTER,
  nodes: NODES,
  cache: section<CacheSettings>({ nodeType: 'text', replicas: 'number', snapshotDays: 'number' }),
  workload: WORKLOAD,
  retention: section<RetentionSettings>({ logDays: 'number', bucketDays: 'number' }),
  operations: section<OperationsSettings>({ alarmEmail: 'text', budgetUsd: 'number' }),
  github: section<GithubSettings>({ owner: 'text', ownerId: 'text', repo: 'text', repoId: 'text' }),
  protect: 'flag',
});
