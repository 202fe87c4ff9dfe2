import { Construct } from 'constructs';
import { k8s } from 'cdk8s-plus-27';
import { LABELS, NAMES } from '../runtime/contract/names';
import { PORTS } from '../runtime/contract/ports';
import { labels } from './pod-defaults';

/**
 * `rpc-proxy.<namespace>.svc.cluster.local`, as in the guide: headless, so callers see all pods that are ready. Its ports
 * are the containers' own, since nothing translates them.
 */
export class PodService extends Construct {
  constructor(scope: Construct, id: string) {
    super(scope, id);
    new k8s.KubeService(this, 'service', {
      metadata: { name: NAMES.app, labels },
      spec: { clusterIp: 'None', selector: { ...LABELS }, ports: [port('http'), port('rpc')] },
    });
  }
}

function port(name: 'http' | 'rpc'): k8s.ServicePort {
  return { name, port: PORTS[name], targetPort: k8s.IntOrString.fromNumber(PORTS[name]), protocol: 'TCP' };
}
