/** A name that clients use, and the service behind it. */
export interface Host {
  /** In the hosted zone. */
  readonly host: string;
  readonly namespace: string;
  readonly service: string;
  readonly port: number;
}

/**
 * The proxy's own configuration (docs/configuration.md) without what the pod decides: addresses, ports, Redis. Keys of
 * providers are written `${NAME}`: whoever sees a manifest sees all that is written here.
 */
export interface ProxySettings {
  readonly chains: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly [section: string]: unknown;
}

/** Built by `cdk deploy` with Docker, or known by its digest. */
export type WorkloadImage = { readonly kind: 'asset' } | { readonly kind: 'registry'; readonly uri: string };

/** Of the proxy's pods. */
export interface Replicas {
  /** At least 2: one may always be drained. */
  readonly min: number;
  readonly max: number;
}
