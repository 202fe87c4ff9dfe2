import { Chart } from 'cdk8s';
import { k8s } from 'cdk8s-plus-27';
import type { Construct } from 'constructs';
import { NAMES } from '../runtime/contract/names';

export interface NamespaceChartProps {
  readonly name: string;
}

/**
 * The namespace, and the pods' priority, which is in none: a chart of its own, because all else needs them first, and
 * because removing something from the other chart must never remove a namespace with all that is in it.
 */
export class NamespaceChart extends Chart {
  constructor(scope: Construct, id: string, { name }: NamespaceChartProps) {
    super(scope, id, { disableResourceNameHashes: true });
    new k8s.KubeNamespace(this, 'namespace', {
      metadata: {
        name,
        labels: {
          'pod-security.kubernetes.io/enforce': 'restricted',
          // A pod is ready only when the load balancer found it healthy, so that a rollout waits for that too.
          'elbv2.k8s.aws/pod-readiness-gate-inject': 'enabled',
        },
      },
    });
    new k8s.KubePriorityClass(this, 'priority-class', {
      metadata: { name: NAMES.app },
      value: 1_000_000,
      description: 'Callers wait for these pods: they go before whatever has no priority.',
    });
  }
}
