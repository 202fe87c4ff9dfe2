/** A name that clients use, and the service behind it. */
export interface Host {
  /** In the hosted zone. */
  readonly host: string;
  readonly namespace: string;
  readonly service: string;
  readonly port: number;
}

/** Someone who runs Ethereum nodes for us. Its URLs, which hold its key, are known by their names alone. */
export interface Provider {
  readonly name: string;
  /** A chain of the proxy's configuration. */
  readonly chain: string;
  /** One of `providerSecrets`. */
  readonly secret: string;
}

/** The proxy's own configuration (docs/configuration.md), without what the cluster decides: nodes, Redis, ports. */
export interface ProxyDocument {
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
