import { type Cluster, CfnAddon } from 'aws-cdk-lib/aws-eks-v2';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import type { Settings } from '../settings/types';

/** As EKS names them. */
export type AddonName =
  | 'vpc-cni'
  | 'kube-proxy'
  | 'coredns'
  | 'metrics-server'
  | 'aws-secrets-store-csi-driver-provider'
  | 'amazon-cloudwatch-observability';

export interface EksAddonProps {
  readonly cluster: Cluster;
  readonly settings: Settings;
  readonly name: AddonName;
  /**
   * Values by the add-on's own schema (`aws eks describe-addon-configuration`).
   *
   * @default its own
   */
  readonly values?: Readonly<Record<string, unknown>>;
  /**
   * What its service account may do in AWS.
   *
   * @default nothing of its own
   */
  readonly role?: IRole;
}

/** An add-on that EKS installs and keeps. What somebody changed by hand is set back: the template is the truth. */
export function eksAddon(scope: Construct, id: string, props: EksAddonProps): CfnAddon {
  const { cluster, name, values, role } = props;
  const version = props.settings.cluster.addonVersions?.[name];
  return new CfnAddon(scope, id, {
    clusterName: cluster.clusterName,
    addonName: name,
    resolveConflicts: 'OVERWRITE',
    ...(version !== undefined && { addonVersion: version }),
    ...(values !== undefined && { configurationValues: JSON.stringify(values) }),
    ...(role !== undefined && { serviceAccountRoleArn: role.roleArn }),
  });
}
