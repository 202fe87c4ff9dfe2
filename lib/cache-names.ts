import { nameOf } from './names';
import type { Settings } from './settings';

/** Who the proxy is to the cache. */
export const CACHE_USER = 'rpc-proxy';

/** All our keys begin with it; the user sees no others. */
export const CACHE_KEY_PREFIX = 'rpc-balancer:';

export const CACHE_PORT = 6379;

/** What Secrets Manager calls user and password. */
export function cacheSecretName(settings: Settings): string {
  return `${nameOf(settings)}/cache`;
}
