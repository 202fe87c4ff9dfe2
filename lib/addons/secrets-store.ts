import type { CfnAddon, Cluster } from 'aws-cdk-lib/aws-eks-v2';
import type { Construct } from 'constructs';
import type { Settings } from '../settings';
import { eksAddon } from './eks-addon';

/** How old a mounted secret may be: what is changed in Secrets Manager is in the pods after about this time. */
const ROTATION_POLL = '120s';

/**
 * Mounts secrets of Secrets Manager as files, and keeps them up to date. It takes the role of the pod's own service
 * account, so it needs none; and makes no Kubernetes secrets of them.
 */
export function secretsStore(scope: Construct, settings: Settings, cluster: Cluster): CfnAddon {
  return eksAddon(scope, 'secrets-store', {
    cluster,
    settings,
    name: 'aws-secrets-store-csi-driver-provider',
    values: {
      // Else it asks the API for its node to find out.
      awsRegion: settings.region,
      'secrets-store-csi-driver': {
        enableSecretRotation: true,
        rotationPollInterval: ROTATION_POLL,
        syncSecret: { enabled: false },
      },
    },
  });
}
