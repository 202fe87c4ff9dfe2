import { RemovalPolicy, SecretValue } from 'aws-cdk-lib';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { acknowledge } from './acknowledge';
import { nameOf } from './names';
import type { Settings } from './settings';

export interface ProviderSecret {
  readonly secret: Secret;
  readonly key: Key;
}

/** What it is called in Secrets Manager. */
export function providerSecretName(settings: Settings): string {
  return `${nameOf(settings)}/providers`;
}

/**
 * The providers' URLs, each with its key. Made empty (`{}`) and filled by hand, so that no template, change set or log
 * ever holds one; the empty text never changes, so CloudFormation does not write it twice. It is not deleted with its
 * stack: keys at providers are not ours to make again.
 */
export function providerSecret(scope: Construct, settings: Settings): ProviderSecret {
  const key = new Key(scope, 'provider-secret-key', {
    description: `URLs of the Ethereum providers, ${settings.name}`,
    enableKeyRotation: true,
    removalPolicy: RemovalPolicy.RETAIN,
  });
  const secret = new Secret(scope, 'provider-secret', {
    secretName: providerSecretName(settings),
    description: `One JSON object: ${settings.workload.providerSecrets.join(', ')}`,
    encryptionKey: key,
    secretStringValue: SecretValue.unsafePlainText('{}'),
    removalPolicy: RemovalPolicy.RETAIN,
  });
  acknowledge(secret, {
    'AwsSolutions-SMG4': 'Providers hand out the keys; they are rotated by hand, and the pods follow within minutes.',
  });
  return { secret, key };
}
