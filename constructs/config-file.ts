import { Construct } from 'constructs';
import { k8s } from 'cdk8s-plus-27';
import { NAMES } from '../runtime/contract/names';
import { PATHS } from '../runtime/contract/paths';
import { labels } from './pod-defaults';
import type { PodConfig } from './pod-config';

/**
 * The pod's configuration as a ConfigMap. The proxy and `render` follow its changes; what is in it is no secret, because
 * keys are in files of their own.
 */
export class ConfigFile extends Construct {
  constructor(scope: Construct, id: string, { text, weighterText }: Pick<PodConfig, 'text' | 'weighterText'>) {
    super(scope, id);
    new k8s.KubeConfigMap(this, 'config-map', {
      metadata: { name: NAMES.configMap, labels },
      data: { [nameOf(PATHS.config)]: text, [nameOf(PATHS.weighterConfig)]: weighterText },
    });
  }
}

function nameOf(path: string): string {
  return path.slice(PATHS.configFolder.length + 1);
}
