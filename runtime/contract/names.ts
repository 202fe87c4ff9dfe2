/** Names in the cluster. Those of the guide stay as they are: callers inside the cluster and operators' commands use them. */
export const NAMES = {
  /** Of the Deployment, the Service, the service account and whatever else there is one of. */
  app: 'rpc-proxy',
  configMap: 'rpc-proxy-config-file',
  providerKeys: 'rpc-proxy-provider-keys',
  redisPassword: 'rpc-proxy-redis-password',
} as const;

/** By these the Deployment, the Service and the policies find the pods; a Deployment's selector can never change. */
export const LABELS = { app: NAMES.app } as const;

/** The containers of the pod, as `kubectl logs -c` calls them; in the order in which they start. */
export const CONTAINERS = {
  render: 'render',
  configRender: 'config-render',
  haproxy: 'haproxy',
  weighter: 'node-weighter',
  proxy: 'proxy',
} as const;
