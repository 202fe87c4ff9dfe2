/** TCP ports of the pod. A port of the Service is the container's port, and has its name. */
export const PORTS = {
  /** JSON-RPC, through the proxy. */
  rpc: 8545,
  /** HAProxy's pool, `http` in the guide. */
  http: 8000,
  /** The proxy's health, metrics and status. */
  admin: 9090,
  /** HAProxy's statistics and metrics. */
  stats: 8404,
  /** The weighter's health and metrics. */
  weighter: 9091,
} as const;

/** Paths that tell how a program is; `readyz` is served on `rpc` and `admin`, `livez` on `admin` and `weighter`. */
export const ROUTES = { livez: '/livez', readyz: '/readyz', metrics: '/metrics' } as const;
