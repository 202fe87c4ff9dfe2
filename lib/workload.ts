import { CfnResource } from 'aws-cdk-lib';
import { type Cluster, KubernetesManifest } from 'aws-cdk-lib/aws-eks-v2';
import { App, type Chart } from 'cdk8s';
import { Construct } from 'constructs';
import { NamespaceChart } from '../constructs/namespace-chart';
import { RpcChart } from '../constructs/rpc-chart';
import { asCluster } from './as-interface';
import type { Settings } from './settings';
import { type WorkloadFacts, workloadProps } from './workload-props';

export interface WorkloadProps {
  readonly cluster: Cluster;
  readonly settings: Settings;
  readonly facts: WorkloadFacts;
  /** Changes with what the references stand for. */
  readonly revision: string;
}

/**
 * The charts of `constructs/`, applied to the cluster. The namespace comes first and goes last, and is never pruned: what
 * leaves a manifest is deleted, and of a namespace that would be everything.
 */
export class Workload extends Construct {
  readonly manifest: KubernetesManifest;
  /** What `manifest` applies. */
  readonly objects: Record<string, unknown>[];

  constructor(scope: Construct, id: string, { cluster, settings, facts, revision }: WorkloadProps) {
    super(scope, id);
    // No part of the CDK's tree: the CDK would look for resources in it.
    const charts = new App();
    const namespace = new KubernetesManifest(this, 'namespace', {
      cluster: asCluster(cluster),
      manifest: objectsOf(new NamespaceChart(charts, 'namespace', { name: settings.workload.namespace })),
      overwrite: true,
      prune: false,
    });
    this.objects = objectsOf(new RpcChart(charts, 'rpc', workloadProps(settings, facts)));
    this.manifest = new KubernetesManifest(this, 'manifest', {
      cluster: asCluster(cluster),
      // A copy: the CDK adds a label to each.
      manifest: structuredClone(this.objects),
      overwrite: true,
    });
    this.manifest.node.addDependency(namespace);
    // Read by nobody: CloudFormation applies a manifest again only when its text has changed, and a reference to another
    // stack is the same text, whatever it stands for.
    const { defaultChild } = this.manifest.node;
    if (!(defaultChild instanceof CfnResource)) throw new Error('a manifest must be a custom resource');
    defaultChild.addPropertyOverride('Revision', revision);
  }
}

function objectsOf(chart: Chart): Record<string, unknown>[] {
  return chart.toJson() as Record<string, unknown>[];
}
