import type { Settings } from './settings';

/**
 * The environment's name as the cluster, the cache and others bear it. It is a word, not a reference: tags, names of log
 * groups and keys of IAM conditions are made of it.
 */
export function nameOf(settings: Settings): string {
  return `rpc-${settings.name}`;
}
