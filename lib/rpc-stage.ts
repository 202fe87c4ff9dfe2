import type { App } from 'aws-cdk-lib';
import { CacheStack } from './cache-stack';
import { ClusterStack } from './cluster-stack';
import { NetworkStack } from './network-stack';
import { assertSettings, type Settings } from './settings';

/** The stacks of one environment. */
export interface RpcStage {
  readonly network: NetworkStack;
  readonly cluster: ClusterStack;
  readonly cache: CacheStack;
}

/**
 * All of one environment, each stack given the ones before it. They are several so that they can be deleted in the
 * opposite order: what a controller made is removed while the controller still runs, and the controller while the
 * cluster does.
 *
 * @throws SettingsError with all that is wrong
 */
export function createRpcStage(app: App, given: Settings): RpcStage {
  const settings = assertSettings(given);
  const network = new NetworkStack(app, settings);
  const cluster = new ClusterStack(app, settings, { network });
  const cache = new CacheStack(app, settings, { network });
  return { network, cluster, cache };
}
