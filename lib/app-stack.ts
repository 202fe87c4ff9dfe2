import type { App } from 'aws-cdk-lib';
import { CfnSecurityGroupIngress } from 'aws-cdk-lib/aws-ec2';
import type { IConstruct } from 'constructs';
import { accessLogBucket } from './access-logs';
import { CACHE_PORT } from './cache-names';
import type { CacheStack } from './cache-stack';
import type { ClusterStack } from './cluster-stack';
import { certificate, hostedZone, hostRecords } from './dns';
import { firewall } from './firewall';
import { frontendGroup } from './frontend';
import { LoadBalancer } from './load-balancer';
import type { NetworkStack } from './network-stack';
import { RpcStack } from './rpc-stack';
import type { Settings } from './settings';
import { Workload } from './workload';
import { workloadImage } from './workload-image';
import type { WorkloadFacts } from './workload-props';
import { workloadRole } from './workload-role';

export interface AppStackProps {
  readonly network: NetworkStack;
  readonly cluster: ClusterStack;
  readonly cache: CacheStack;
}

/**
 * The balancer itself, and how clients get to it.
 *
 *     records ─▶ load balancer ◀─ Ingress ─▶ pods ─▶ cache
 *                    ▲                         ▲
 *      certificate, frontend, firewall,      role ─▶ secrets
 *      access logs
 */
export class AppStack extends RpcStack {
  readonly loadBalancer: LoadBalancer;
  readonly workload: Workload;
  /** Kubernetes' namespace of the proxy. */
  readonly namespace: string;
  /** Names that clients use, the first one the proxy's. */
  readonly hosts: readonly string[];

  constructor(app: App, settings: Settings, { network, cluster, cache }: AppStackProps) {
    super(app, 'app', settings, {
      description: 'The Ethereum RPC balancer',
      madeOf: [settings.workload],
    });
    const before = [network, cluster, cache];
    for (const other of before) this.follows(other);
    this.namespace = settings.workload.namespace;
    this.hosts = settings.workload.hosts.map(({ host }) => host);

    const zone = hostedZone(this, settings);
    const accessLogs = accessLogBucket(this, settings);
    const role = workloadRole(this, settings, cluster.cluster, [
      cluster.providerSecret,
      { secret: cache.access.secret, key: cache.key },
    ]);
    const toCache = this.openCache(cluster, cache);
    const facts: WorkloadFacts = {
      image: workloadImage(this, settings),
      serviceAccountRoleArn: role.roleArn,
      certificateArn: certificate(this, settings, zone).certificateArn,
      securityGroup: frontendGroup(this, settings, network.vpc).securityGroupId,
      accessLogBucket: accessLogs.bucketName,
      webAcl: settings.workload.waf === false ? undefined : firewall(this, settings, settings.workload.waf),
      cacheHost: cache.group.attrPrimaryEndPointAddress,
      albCidrs: network.vpc.publicSubnets.map(({ ipv4CidrBlock }) => ipv4CidrBlock),
      cacheCidrs: network.vpc.isolatedSubnets.map(({ ipv4CidrBlock }) => ipv4CidrBlock),
    };
    this.workload = new Workload(this, 'workload', {
      cluster: cluster.cluster,
      settings,
      facts,
      revision: before.map(({ fingerprint }) => fingerprint).join('-'),
    });
    // What pods and load balancer need from their first moment on, and what has to outlive them.
    this.workload.manifest.node.addDependency(role, accessLogs, toCache);
    this.loadBalancer = new LoadBalancer(this, 'load-balancer', {
      cluster: cluster.cluster,
      settings,
      manifest: this.workload.manifest,
      objects: this.workload.objects,
    });
    hostRecords(this, settings, zone, this.loadBalancer);
  }

  /** Pods have the group of their cluster. */
  private openCache(cluster: ClusterStack, cache: CacheStack): IConstruct {
    return new CfnSecurityGroupIngress(this, 'cache-from-pods', {
      description: 'Pods of the cluster',
      groupId: cache.securityGroup.securityGroupId,
      sourceSecurityGroupId: cluster.cluster.clusterSecurityGroupId,
      ipProtocol: 'tcp',
      fromPort: CACHE_PORT,
      toPort: CACHE_PORT,
    });
  }
}
