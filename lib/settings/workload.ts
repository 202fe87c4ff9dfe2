import type { RpcSettings, WeighterSettings } from '../../constructs/pod-settings';

/** A name that clients use, and the service behind it. */
export interface Host {
  /** In the hosted zone. */
  readonly host: string;
  /** It has to be there, unless it is the proxy's. */
  readonly namespace: string;
  readonly service: string;
  readonly port: number;
  /** Name of the forwarding action. @default the service and the port, such as `rpc-proxy-8545` */
  readonly action?: string;
  /** Share of the action's traffic, 0 to 999. @default 100 */
  readonly weight?: number;
  /** Path that answers 200 when a pod can serve; the same for all hosts of one service. @default `/readyz` */
  readonly healthCheckPath?: string;
  /** Seconds a cookie keeps a client on its pod, 1 to 604800; the same for all hosts of one service. @default none */
  readonly stickinessSeconds?: number;
}

/**
 * The proxy's own configuration (docs/configuration.md) without what the pod decides: addresses, ports, Redis. Keys of
 * providers are written `${NAME}`: whoever sees a manifest sees all that is written here.
 */
export type ProxySettings = RpcSettings;

export type { WeighterSettings };

/** Built by `cdk deploy` with Docker, or known by its digest. */
export type WorkloadImage = { readonly kind: 'asset' } | { readonly kind: 'registry'; readonly uri: string };

/** Of the proxy's pods. */
export interface Replicas {
  /** At least 2: one may always be drained. */
  readonly min: number;
  readonly max: number;
}

/** What a pod asks for; more of it needs nodes that have it. */
export interface PodSizes {
  /** CPU of the proxy, such as `500m`. A process uses one core. @default `200m` */
  readonly proxyCpu?: string;
  /** Memory of the proxy, MiB: what all chains cache and 128. @default 512 */
  readonly proxyMemoryMib?: number;
  /** Memory of HAProxy, MiB; it grows with `haproxy.maxConnections`. @default 256 */
  readonly haproxyMemoryMib?: number;
}

/** What AWS WAF does besides refusing addresses and requests that AWS knows as bad. */
export interface Firewall {
  /** Requests that one address may make in 5 minutes, 10 to 2000000000; more are answered 429. */
  readonly requestsPerFiveMinutes: number;
}
