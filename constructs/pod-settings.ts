import type { ConfigInput } from '../runtime/config/schema';
import type { WeighterConfigInput } from '../runtime/config/weighter-config';

/**
 * The balancer's configuration, without what the pod itself decides: addresses, ports, sockets, and where Redis is. Keys
 * of providers are written `${NAME}`; everything here can be read by whoever sees the manifests.
 */
export type RpcSettings = Omit<ConfigInput, DecidedKey> & {
  /** @default drainDelayMs from the load balancer's deregistration delay, drainTimeoutMs 30 s more than that */
  readonly listen?: Omit<Section<'listen'>, 'host' | 'port'>;
  /** @default maxConnections 2000, hardStopAfterMs 30 s; else as in docs/configuration.md */
  readonly haproxy?: Omit<Section<'haproxy'>, 'pool' | 'stats' | 'adminSocket' | 'socketGid'>;
};

/** The weighter's configuration, without its addresses; it finds the servers on HAProxy's admin socket. */
export type WeighterSettings = Omit<WeighterConfigInput, 'admin' | 'servers' | 'listen'>;

type DecidedKey = 'listen' | 'admin' | 'haproxy' | 'redis' | 'trustedProxies';
type Section<K extends keyof ConfigInput> = NonNullable<ConfigInput[K]>;

/** Where processes share what they keep. */
export interface RedisProps {
  /** Its host name; TLS is spoken. May be a token. */
  readonly host: string;
  /** TCP port. @default 6379 */
  readonly port?: number;
  /** The user to authenticate as. @default the default user */
  readonly username?: string;
  /** All keys begin with it; the user's access string must allow them. @default as in docs/configuration.md */
  readonly keyPrefix?: string;
  /** Name or ARN of the Secrets Manager secret: a JSON object with `password`. May be a token. */
  readonly passwordSecret: string;
  /** Networks it is in. */
  readonly cidrs: readonly string[];
}
