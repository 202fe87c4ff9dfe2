/**
 * What haproxy.cfg says, as data: everything is decided in from-config.ts, and only written down in render.ts.
 * All times are in milliseconds.
 */
export interface HaproxyModel {
  readonly adminSocket: AdminSocket;
  readonly maxConnections: number;
  readonly hardStopAfterMs: number;
  readonly clients: ClientBounds;
  readonly stats: Address;
  readonly pool: PoolFrontend;
  readonly pools: readonly PoolBackend[];
  readonly nodes: readonly NodeFrontend[];
  /** `address:port`; none means those of the system. */
  readonly nameservers: readonly string[];
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

export type AdminSocket =
  | { readonly kind: 'tcp'; readonly address: Address }
  | { readonly kind: 'unix'; readonly path: string; readonly gid: number | undefined };

export interface ClientBounds {
  readonly requestTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
}

/** Where callers inside the cluster connect. */
export interface PoolFrontend {
  readonly address: Address;
  readonly maxConnections: number;
  readonly maxBodyBytes: number;
}

/** One chain: a path of the pool's port, and servers that are local ports. */
export interface PoolBackend {
  readonly name: string;
  /** Without a slash at the end, but for `/` itself. */
  readonly paths: readonly string[];
  readonly chainId: number;
  readonly servers: readonly PoolServer[];
  readonly webSockets: WebSocketPool;
  readonly checkIntervalMs: number;
  readonly checkTimeoutMs: number;
  readonly rise: number;
  readonly fall: number;
  readonly retries: number;
  readonly serverTimeoutMs: number;
  /** For requests that are soon answered, where another server can still be asked. */
  readonly quickTimeoutMs: number;
  /** Methods, or prefixes and `*`, that only read besides those we know. */
  readonly readMethods: readonly string[];
}

export interface PoolServer {
  readonly name: string;
  readonly localPort: number;
}

/** `some` have a backend of their own, whose servers are up while those of the pool are. */
export type WebSocketPool =
  | { readonly kind: 'none' | 'all' }
  | { readonly kind: 'some'; readonly name: string; readonly servers: readonly PoolServer[] };

/** A local port, and what is dialled for it. */
export interface NodeFrontend {
  readonly name: string;
  readonly localPort: number;
  readonly http: NodeBackend;
  readonly webSocket: NodeBackend | undefined;
}

export interface NodeBackend {
  readonly name: string;
  /** Name of its only server: the node's. */
  readonly server: string;
  readonly target: Target;
  readonly connectTimeoutMs: number;
  readonly serverTimeoutMs: number;
}

/** A provider's URL, taken apart. `pathAndQuery` and `authorization` are secrets. */
export interface Target {
  /** Name, or IP address without brackets. */
  readonly host: string;
  readonly port: number;
  readonly hostHeader: string;
  readonly pathAndQuery: string;
  readonly authorization: string | undefined;
  /** Asked again and again, for its address may change. */
  readonly resolved: boolean;
  /** File of certificate authorities, or HAProxy's word for the system's; undefined without TLS. */
  readonly caFile: string | undefined;
}
