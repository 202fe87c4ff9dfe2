import { parsed } from './plain';
import { resourcesOf, type Synthesised } from './synth';

export type Manifest = Record<string, unknown>;

/** What is applied to the cluster, without what the CDK adds to find it again. */
export function manifestsOf(synthesised: Synthesised): Manifest[] {
  return resourcesOf(synthesised, 'Custom::AWSCDK-EKS-KubernetesResource').flatMap(({ Properties }) =>
    (parsed(Properties?.['Manifest']) as Manifest[]).map(withoutPruneLabels),
  );
}

export function withoutPruneLabels(manifest: Manifest): Manifest {
  const metadata = manifest['metadata'] as { labels?: Record<string, string> };
  const labels = Object.entries(metadata.labels ?? {}).filter(([key]) => !key.startsWith('aws.cdk.eks/prune-'));
  return { ...manifest, metadata: { ...metadata, labels: Object.fromEntries(labels) } };
}
