import { KubectlV36Layer } from '@aws-cdk/lambda-layer-kubectl-v36';
import { KubernetesVersion } from 'aws-cdk-lib/aws-eks-v2';
import type { LayerVersion } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';

export type KubernetesMinor = '1.36';

export interface KubernetesFacts {
  readonly version: KubernetesVersion;
  /** kubectl and helm of the same minor, for the Lambda that applies manifests. */
  readonly kubectlLayer: (scope: Construct, id: string) => LayerVersion;
  /** Cluster Autoscaler knows the scheduler of its own minor only. */
  readonly autoscalerImage: string;
}

/** All that must move together when the cluster is upgraded: docs/upgrade.md. */
export const KUBERNETES: Record<KubernetesMinor, KubernetesFacts> = {
  '1.36': {
    version: KubernetesVersion.V1_36,
    kubectlLayer: (scope, id) => new KubectlV36Layer(scope, id),
    autoscalerImage: 'registry.k8s.io/autoscaling/cluster-autoscaler:v1.36.1',
  },
};
