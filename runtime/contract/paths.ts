/** Folders and files of the pod. */
export const PATHS = {
  /** The ConfigMap: a folder, because a file mounted by `subPath` never changes. */
  configFolder: '/etc/rpc-proxy',
  /** Of the proxy and of `render`. */
  config: '/etc/rpc-proxy/config.yaml',
  /** Of the weighter; the guide's name. */
  weighterConfig: '/etc/rpc-proxy/config.json',
  /** In memory, because it holds keys; the guide's folder. Only `render` and HAProxy see it. */
  haproxyFolder: '/usr/local/etc/haproxy',
  haproxyConfig: '/usr/local/etc/haproxy/haproxy.cfg',
  /** In memory: HAProxy's sockets. */
  socketFolder: '/run/haproxy',
  adminSocket: '/run/haproxy/admin.sock',
  masterSocket: '/run/haproxy/master.sock',
  /** A JSON object of texts, which `${NAME}` in providers' URLs is taken from. Only `render` sees it. */
  providerKeysFolder: '/run/secrets/provider-keys',
  providerKeys: '/run/secrets/provider-keys/keys.json',
  /** A JSON object with `password`. Only the proxy sees it. */
  redisPasswordFolder: '/run/secrets/redis',
  redisPassword: '/run/secrets/redis/redis.json',
} as const;
