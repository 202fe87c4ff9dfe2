import { Duration, Size } from 'cdk8s';
import type { HostProps } from '../constructs/hosts';
import type { RpcChartProps } from '../constructs/rpc-chart';
import { CACHE_KEY_PREFIX, CACHE_PORT, CACHE_USER, cacheSecretName } from './cache-names';
import { nameOf } from './names';
import { providerSecretName } from './provider-secret';
import type { Host, PodSizes, Settings } from './settings';

/** What the stacks know and settings do not. Most are references that AWS fills in. */
export interface WorkloadFacts {
  /** By digest, or by an asset's hash. */
  readonly image: string;
  readonly serviceAccountRoleArn: string;
  readonly certificateArn: string;
  /** Id of the load balancer's security group. */
  readonly securityGroup: string;
  /** A bucket for the load balancer's log. */
  readonly accessLogBucket: string;
  /** ARN of the web ACL, or that there is none. */
  readonly webAcl: string | undefined;
  /** Host name of the cache's primary. */
  readonly cacheHost: string;
  /** Networks that the load balancer is in, and the cache. */
  readonly albCidrs: readonly string[];
  readonly cacheCidrs: readonly string[];
}

/** The chart of an environment: what `constructs/` makes the manifests of. */
export function workloadProps(settings: Settings, facts: WorkloadFacts): RpcChartProps {
  const { workload, protect } = settings;
  const { clientNamespaces = [], monitoringNamespaces = [], sizes = {} } = workload;
  return {
    namespace: workload.namespace,
    image: facts.image,
    arch: settings.nodes.arch,
    settings: workload.proxy,
    ...(workload.weighter && { weighter: workload.weighter }),
    providerKeysSecret: providerSecretName(settings),
    redis: {
      host: facts.cacheHost,
      port: CACHE_PORT,
      username: CACHE_USER,
      keyPrefix: CACHE_KEY_PREFIX,
      passwordSecret: cacheSecretName(settings),
      cidrs: facts.cacheCidrs,
    },
    serviceAccountRoleArn: facts.serviceAccountRoleArn,
    network: { albCidrs: facts.albCidrs, clientNamespaces, monitoringNamespaces },
    scaling: { minReplicas: workload.replicas.min, maxReplicas: workload.replicas.max },
    alb: {
      loadBalancerName: nameOf(settings),
      certificateArn: facts.certificateArn,
      securityGroup: facts.securityGroup,
      idleTimeout: Duration.seconds(workload.idleTimeoutSeconds),
      deletionProtection: protect,
      accessLogs: { bucket: facts.accessLogBucket, prefix: nameOf(settings) },
      // Left out, the one that was there before would stay.
      webAclArn: facts.webAcl ?? 'none',
      hosts: workload.hosts.map(hostProps),
    },
    ...sizeProps(sizes),
  };
}

function hostProps({ stickinessSeconds, ...host }: Host): HostProps {
  return { ...host, ...(stickinessSeconds !== undefined && { stickiness: Duration.seconds(stickinessSeconds) }) };
}

function sizeProps({ proxyCpu, proxyMemoryMib, haproxyMemoryMib }: PodSizes): Partial<RpcChartProps> {
  return {
    ...(proxyCpu !== undefined && { proxyCpu }),
    ...(proxyMemoryMib !== undefined && { proxyMemory: Size.mebibytes(proxyMemoryMib) }),
    ...(haproxyMemoryMib !== undefined && { haproxyMemory: Size.mebibytes(haproxyMemoryMib) }),
  };
}
