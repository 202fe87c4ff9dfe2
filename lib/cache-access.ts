import { CfnUser, CfnUserGroup } from 'aws-cdk-lib/aws-elasticache';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { REDIS_RIGHTS } from '../runtime/contract/redis-access';
import { acknowledge } from './acknowledge';
import { CACHE_KEY_PREFIX, CACHE_USER, cacheSecretName } from './cache-names';
import { nameOf } from './names';
import { removalPolicy } from './removal-policy';
import type { Settings } from './settings';

/** ElastiCache takes 16 to 128 characters. */
const PASSWORD_LENGTH = 64;

/** What the user may do, on keys that begin with the prefix and no others. */
export function accessString(keyPrefix: string): string {
  return `on ~${keyPrefix}* ${REDIS_RIGHTS}`;
}

export interface CacheAccessProps {
  readonly settings: Settings;
  readonly key: IKey;
}

/** The one user of the cache, its password, and the group that lets it in; nobody else gets in. */
export class CacheAccess extends Construct {
  /** A JSON object: `username`, `password`. */
  readonly secret: Secret;
  readonly userGroup: CfnUserGroup;

  constructor(scope: Construct, id: string, { settings, key }: CacheAccessProps) {
    super(scope, id);
    this.secret = new Secret(this, 'secret', {
      secretName: cacheSecretName(settings),
      description: 'User and password of the cache',
      encryptionKey: key,
      removalPolicy: removalPolicy(settings),
      generateSecretString: {
        secretStringTemplate: JSON.stringify({ username: CACHE_USER }),
        generateStringKey: 'password',
        passwordLength: PASSWORD_LENGTH,
        excludePunctuation: true,
      },
    });
    acknowledge(this.secret, {
      'AwsSolutions-SMG4':
        'Rotation needs two passwords at a time and a Lambda in the VPC; docs/upgrade.md tells how by hand.',
    });
    const user = new CfnUser(this, 'user', {
      engine: 'valkey',
      userId: `${nameOf(settings)}-proxy`,
      userName: CACHE_USER,
      accessString: accessString(CACHE_KEY_PREFIX),
      authenticationMode: {
        Type: 'password',
        // A reference that CloudFormation resolves: the password stands in no template.
        Passwords: [this.secret.secretValueFromJson('password').unsafeUnwrap()],
      },
    });
    this.userGroup = new CfnUserGroup(this, 'users', {
      engine: 'valkey',
      userGroupId: nameOf(settings),
      userIds: [user.ref],
    });
  }
}
