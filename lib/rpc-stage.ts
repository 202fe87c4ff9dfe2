import type { App } from 'aws-cdk-lib';
import { AppStack } from './app-stack';
import { CacheStack } from './cache-stack';
import { ClusterStack } from './cluster-stack';
import { NetworkStack } from './network-stack';
import { ObservabilityStack } from './observability-stack';
import { assertSettings, type Settings } from './settings';

/** The stacks of one environment. */
export interface RpcStage {
  readonly network: NetworkStack;
  readonly cluster: ClusterStack;
  readonly cache: CacheStack;
  readonly app: AppStack;
  readonly observability: ObservabilityStack;
}

/**
 * All of one environment, each stack given the ones before it. They are several so that they can be deleted in the
 * opposite order: what a controller made is removed while the controller still runs, and the controller while the
 * cluster does.
 *
 * @throws SettingsError with all that is wrong
 */
export function createRpcStage(root: App, given: Settings): RpcStage {
  const settings = assertSettings(given);
  const network = new NetworkStack(root, settings);
  const cluster = new ClusterStack(root, settings, { network });
  const cache = new CacheStack(root, settings, { network });
  const app = new AppStack(root, settings, { network, cluster, cache });
  const observability = new ObservabilityStack(root, settings, { network, cluster, cache, app });
  return { network, cluster, cache, app, observability };
}
