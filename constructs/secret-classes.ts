import { ApiObject, Yaml } from 'cdk8s';
import { Construct } from 'constructs';
import { NAMES } from '../runtime/contract/names';
import { PATHS } from '../runtime/contract/paths';
import { labels } from './pod-defaults';

export interface SecretClassesProps {
  /** Name or ARN of the secret with the providers' keys, a JSON object of texts. May be a token. */
  readonly providerKeys: string;
  /** Name or ARN of the secret with Redis's password, a JSON object with `password`. May be a token. @default no Redis */
  readonly redisPassword?: string;
}

/**
 * What the Secrets Store CSI driver mounts: one class a secret, so that each is mounted only where it is used. It asks
 * AWS as the pod's service account.
 */
export class SecretClasses extends Construct {
  constructor(scope: Construct, id: string, { providerKeys, redisPassword }: SecretClassesProps) {
    super(scope, id);
    this.add('provider-keys', NAMES.providerKeys, providerKeys, PATHS.providerKeys);
    if (redisPassword !== undefined) {
      this.add('redis-password', NAMES.redisPassword, redisPassword, PATHS.redisPassword);
    }
  }

  private add(id: string, name: string, objectName: string, path: string): void {
    const objectAlias = path.slice(path.lastIndexOf('/') + 1);
    new ApiObject(this, id, {
      apiVersion: 'secrets-store.csi.x-k8s.io/v1',
      kind: 'SecretProviderClass',
      metadata: { name, labels },
      spec: {
        provider: 'aws',
        // A text, which the provider reads as YAML.
        parameters: { objects: Yaml.stringify([{ objectName, objectType: 'secretsmanager', objectAlias }]) },
      },
    });
  }
}
