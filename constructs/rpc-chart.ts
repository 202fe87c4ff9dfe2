import { Chart, Duration, Size } from 'cdk8s';
import { k8s } from 'cdk8s-plus-27';
import type { Construct } from 'constructs';
import type { Config } from '../runtime/config/schema';
import { HAPROXY_IMAGE } from '../runtime/contract/images';
import { NAMES } from '../runtime/contract/names';
import { AlbIngress } from './alb-ingress';
import { ALB_DEFAULTS, type AlbProps } from './alb-props';
import { Autoscaling, type AutoscalingProps } from './autoscaling';
import { Availability } from './availability';
import { chartRules } from './chart-checks';
import { ConfigFile } from './config-file';
import { keyProblems } from './key-checks';
import { NetworkPolicy, type NetworkProps } from './network-policy';
import { nameservers, nodePorts } from './node-ports';
import { leastGraceSeconds, podRules } from './pod-checks';
import { podConfig } from './pod-config';
import { labels } from './pod-defaults';
import { PodService } from './pod-service';
import type { RedisProps, RpcSettings, WeighterSettings } from './pod-settings';
import { problemsOf } from './problems';
import { type Arch, ProxyDeployment } from './proxy-deployment';
import { SecretClasses } from './secret-classes';

export interface RpcChartProps {
  /** Where everything is, but for further hosts of the load balancer. It is not made here. */
  readonly namespace: string;
  /** Of our programs, by digest. May be a token. */
  readonly image: string;
  /** Of HAProxy, by digest. @default the one it was tested with */
  readonly haproxyImage?: string;
  /** Of the nodes, and of the images. */
  readonly arch: Arch;
  /** The balancer's configuration. */
  readonly settings: RpcSettings;
  /** The weighter's configuration. @default as in docs/haproxy.md */
  readonly weighter?: WeighterSettings;
  /** Name or ARN of the Secrets Manager secret: a JSON object with the texts that `${NAME}` stands for. May be a token. */
  readonly providerKeysSecret: string;
  /** @default none: each pod limits and keeps answers for itself */
  readonly redis?: RedisProps;
  /** Role that reads the secrets; the service account is made with it. May be a token. @default made elsewhere */
  readonly serviceAccountRoleArn?: string;
  readonly network: NetworkProps;
  readonly scaling: AutoscalingProps;
  readonly alb: AlbProps;
  /** CPU the proxy asks for. @default `200m`, as in the guide */
  readonly proxyCpu?: string;
  /** Memory of the proxy, asked for and at most. @default 512 MiB */
  readonly proxyMemory?: Size;
  /** Memory of HAProxy, asked for and at most. @default 256 MiB, as in the guide */
  readonly haproxyMemory?: Size;
  /** From SIGTERM to SIGKILL. @default the least that what is under way needs */
  readonly gracePeriod?: Duration;
}

/**
 * The balancer in the cluster, everything but its namespace.
 *
 *     AlbIngress ─▶ PodService ─▶ ProxyDeployment ◀─ ConfigFile, SecretClasses
 *                                       ▲
 *        Autoscaling, Availability, NetworkPolicy
 *
 * Names are literal: what another chart or a person relies on does not change with where the chart stands.
 */
export class RpcChart extends Chart {
  /** @throws SettingsError with all problems */
  constructor(scope: Construct, id: string, props: RpcChartProps) {
    super(scope, id, { namespace: props.namespace, disableResourceNameHashes: true });
    const { redis, alb, weighter = {}, proxyCpu = '200m' } = props;
    const { haproxyMemory = Size.mebibytes(256), proxyMemory = Size.mebibytes(512) } = props;
    const idleTimeout = alb.idleTimeout ?? Duration.seconds(ALB_DEFAULTS.idleTimeoutSeconds);
    const deregistrationDelay = alb.deregistrationDelay ?? Duration.seconds(ALB_DEFAULTS.deregistrationSeconds);

    const problems = [...problemsOf(chartRules(props)), ...keyProblems(props.settings)];
    const { albCidrs } = props.network;
    const facts = { idleTimeout, deregistrationDelay, proxyMemory, haproxyMemory };
    const graceFor = (config: Config): Duration => props.gracePeriod ?? Duration.seconds(leastGraceSeconds(config));
    const config = podConfig(
      { ...props, weighter, redis, albCidrs, idleTimeout, deregistrationDelay },
      problems,
      (read) => problemsOf(podRules({ ...facts, config: read, gracePeriod: graceFor(read) })),
    );
    const gracePeriod = graceFor(config.config);

    if (props.serviceAccountRoleArn !== undefined) this.addServiceAccount(props.serviceAccountRoleArn);
    new SecretClasses(this, 'secrets', {
      providerKeys: props.providerKeysSecret,
      ...(redis && { redisPassword: redis.passwordSecret }),
    });
    new ConfigFile(this, 'config', config);
    new Availability(this, 'availability');
    new ProxyDeployment(this, 'proxy', {
      image: props.image,
      haproxyImage: props.haproxyImage ?? HAPROXY_IMAGE,
      arch: props.arch,
      config,
      hasRedis: redis !== undefined,
      proxyCpu,
      proxyMemory,
      haproxyMemory,
      gracePeriod,
    });
    new Autoscaling(this, 'autoscaling', props.scaling);
    new PodService(this, 'service');
    new NetworkPolicy(this, 'network', {
      ...props.network,
      nodePorts: nodePorts(config),
      nameservers: nameservers(config),
      ...(redis && { redis: { cidrs: redis.cidrs, port: redis.port ?? 6379 } }),
    });
    new AlbIngress(this, 'ingress', alb, props.namespace);
  }

  private addServiceAccount(roleArn: string): void {
    new k8s.KubeServiceAccount(this, 'service-account', {
      metadata: { name: NAMES.app, labels, annotations: { 'eks.amazonaws.com/role-arn': roleArn } },
      automountServiceAccountToken: false,
    });
  }
}
