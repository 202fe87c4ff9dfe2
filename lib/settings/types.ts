import type { Arch } from '../arch';
import type { KubernetesMinor } from '../kubernetes-version';
import type { AddonName } from '../addons/eks-addon';
import type { Firewall, Host, PodSizes, ProxySettings, Replicas, WeighterSettings, WorkloadImage } from './workload';

/**
 * All that differs between two environments. Lists hold at least one item unless said otherwise; what is checked, and
 * how it is told, stands in `checks.ts`.
 */
export interface Settings {
  /** The environment's name, in the names of its stacks and of its cluster: lower-case letters, digits, hyphens. */
  readonly name: string;
  /** The AWS account, 12 digits. */
  readonly account: string;
  readonly region: string;
  /** 2 or 3 availability zones of the region; each has its subnets and its group of nodes. */
  readonly zones: readonly string[];
  readonly network: NetworkSettings;
  readonly cluster: ClusterSettings;
  readonly nodes: NodeSettings;
  readonly cache: CacheSettings;
  readonly workload: WorkloadSettings;
  readonly retention: RetentionSettings;
  readonly operations: OperationsSettings;
  /** Who may deploy from GitHub; ids are numbers that survive a rename (`gh api repos/OWNER/REPO`). */
  readonly github: GithubSettings;
  /** Whether stacks, cluster and load balancer refuse to be deleted, and data outlives them. For production. */
  readonly protect: boolean;
}

export interface NetworkSettings {
  /** Of the VPC, /16 to /20. Each zone takes one 16th of it for pods and less for the rest. */
  readonly cidr: string;
  /** Gateways to the Internet: 1 for all zones, or one per zone, so that a zone's failure stays its own. */
  readonly natGateways: number;
}

export interface ClusterSettings {
  readonly kubernetes: KubernetesMinor;
  /** Who may do anything in the cluster: ARNs of IAM roles. Without one, nobody gets in. */
  readonly adminRoleArns: readonly string[];
  /** Who may look, secrets excepted: ARNs of IAM roles; may be empty. */
  readonly viewRoleArns: readonly string[];
  /** Where Kubernetes' API is reached from. Nodes and deployments always use its private address. */
  readonly endpoint: { readonly kind: 'private' } | { readonly kind: 'public'; readonly cidrs: readonly string[] };
  /**
   * Versions of add-ons (`aws eks describe-addon-versions`).
   *
   * @default the version that EKS prefers when the add-on is created
   */
  readonly addonVersions?: Partial<Record<AddonName, string>>;
}

export interface NodeSettings {
  /** Of nodes, images and all that runs on them. */
  readonly arch: Arch;
  /** Alternatives of about one size; all of `arch`. */
  readonly instanceTypes: readonly string[];
  /** Nodes in each zone, at least 1. */
  readonly minPerZone: number;
  /** The autoscaler's limit in each zone, at least `minPerZone`. */
  readonly maxPerZone: number;
  /** Of the root volume, 20 to 1000 GiB. */
  readonly diskGib: number;
}

export interface CacheSettings {
  /** Of each node, such as `cache.t4g.small`. */
  readonly nodeType: string;
  /** Besides the primary, 1 to 5: without one there is no fail-over. */
  readonly replicas: number;
  /** Snapshots are kept so many days, 0 to 35; 0 makes none. */
  readonly snapshotDays: number;
}

export interface WorkloadSettings {
  /** Kubernetes' namespace of the proxy; made, and deleted, with it. */
  readonly namespace: string;
  /** The zone of Route 53 that hosts and certificate belong to. */
  readonly hostedZone: { readonly id: string; readonly name: string };
  /** The first is one of the proxy's. */
  readonly hosts: readonly Host[];
  /** Names in the secret that holds the providers' keys; each is used by `proxy` as `${NAME}`. */
  readonly providerSecrets: readonly string[];
  readonly proxy: ProxySettings;
  /** The weighter's own configuration. @default as in docs/haproxy.md */
  readonly weighter?: WeighterSettings;
  readonly image: WorkloadImage;
  readonly replicas: Replicas;
  /** @default as in the guide */
  readonly sizes?: PodSizes;
  /** Namespaces whose pods may call the proxy. @default none */
  readonly clientNamespaces?: readonly string[];
  /** Namespaces whose pods may read metrics. @default none */
  readonly monitoringNamespaces?: readonly string[];
  /** Seconds a silent connection stays open at the load balancer, 1 to 4000. */
  readonly idleTimeoutSeconds: number;
  /** AWS WAF in front, or not. */
  readonly waf: Firewall | false;
}

export interface RetentionSettings {
  /** Days that CloudWatch keeps logs; one of its own steps (1, 3, 5, 7, 14, 30, 60, 90, 180, 365 …). */
  readonly logDays: number;
  /** Days that the bucket keeps flow logs and access logs, at least 1. */
  readonly bucketDays: number;
}

export interface OperationsSettings {
  readonly alarmEmail: string;
  /** A month, in US dollars; above it a mail is sent. */
  readonly budgetUsd: number;
}

export interface GithubSettings {
  readonly owner: string;
  readonly ownerId: string;
  readonly repo: string;
  readonly repoId: string;
}
