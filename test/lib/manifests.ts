import { parsed } from './plain';
import { resourcesOf, type Synthesised } from './synth';

export type Manifest = Record<string, unknown>;

/** What is applied to the cluster, by one stack or by all, without what the CDK adds to find it again. */
export function manifestsOf(synthesised: Synthesised, part?: string): Manifest[] {
  return resourcesOf(synthesised, 'Custom::AWSCDK-EKS-KubernetesResource')
    .filter(({ stack }) => part === undefined || stack === part)
    .flatMap(({ Properties }) => (parsed(Properties?.['Manifest']) as Manifest[]).map(withoutPruneLabels));
}

export function withoutPruneLabels(manifest: Manifest): Manifest {
  const metadata = manifest['metadata'] as { labels?: Record<string, string> };
  if (metadata.labels === undefined) return manifest;
  const labels = Object.entries(metadata.labels).filter(([key]) => !key.startsWith('aws.cdk.eks/prune-'));
  return { ...manifest, metadata: { ...metadata, labels: Object.fromEntries(labels) } };
}
