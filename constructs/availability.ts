import { Construct } from 'constructs';
import { k8s } from 'cdk8s-plus-27';
import { LABELS, NAMES } from '../runtime/contract/names';
import { labels } from './pod-defaults';

/** At most one pod at a time is taken away when nodes are drained. */
export class Availability extends Construct {
  constructor(scope: Construct, id: string) {
    super(scope, id);
    new k8s.KubePodDisruptionBudget(this, 'disruption-budget', {
      metadata: { name: NAMES.app, labels },
      spec: {
        maxUnavailable: k8s.IntOrString.fromNumber(1),
        selector: { matchLabels: { ...LABELS } },
        // Else a pod that never becomes ready would block the drain of its node for ever.
        unhealthyPodEvictionPolicy: 'AlwaysAllow',
      },
    });
  }
}
