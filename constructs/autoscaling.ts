import { Construct } from 'constructs';
import { k8s } from 'cdk8s-plus-27';
import { CONTAINERS, NAMES } from '../runtime/contract/names';
import { labels } from './pod-defaults';

export interface AutoscalingProps {
  /** At least 2. @default 2 */
  readonly minReplicas?: number;
  readonly maxReplicas: number;
  /** CPU the proxy uses of what it asks for, in percent, that is held on average. @default 70 */
  readonly targetCpuPercent?: number;
}

export const SCALING_DEFAULTS = { minReplicas: 2, targetCpuPercent: 70 };

/** More pods when proxies are busy. A pod's own CPU would average the proxy with sidecars that have little to do. */
export class Autoscaling extends Construct {
  constructor(scope: Construct, id: string, props: AutoscalingProps) {
    super(scope, id);
    const { minReplicas, maxReplicas, targetCpuPercent } = { ...SCALING_DEFAULTS, ...props };
    new k8s.KubeHorizontalPodAutoscalerV2(this, 'autoscaler', {
      metadata: { name: NAMES.app, labels },
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: NAMES.app },
        minReplicas,
        maxReplicas,
        metrics: [
          {
            type: 'ContainerResource',
            containerResource: {
              container: CONTAINERS.proxy,
              name: 'cpu',
              target: { type: 'Utilization', averageUtilization: targetCpuPercent },
            },
          },
        ],
        // A pod that ends makes clients connect again: one a minute, and not for a short lull.
        behavior: {
          scaleDown: { stabilizationWindowSeconds: 300, policies: [{ type: 'Pods', value: 1, periodSeconds: 60 }] },
        },
      },
    });
  }
}
