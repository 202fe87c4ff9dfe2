import { Size } from 'cdk8s';
import { IMAGE_PROGRAMS, IMAGE_USER } from '../runtime/contract/images';
import { CONTAINERS } from '../runtime/contract/names';
import { PATHS } from '../runtime/contract/paths';
import { PORTS, ROUTES } from '../runtime/contract/ports';
import { httpProbe, port, resources, securityContext, type Sidecar } from './pod-defaults';
import { MOUNTS } from './pod-volumes';

/** The weighter. It has no readiness probe: while it cannot weigh, the pod serves on with the weights that HAProxy has. */
export function weighterSidecar(image: string): Sidecar {
  return {
    name: CONTAINERS.weighter,
    image,
    restartPolicy: 'Always',
    command: ['node', IMAGE_PROGRAMS.weighter],
    args: ['--config', PATHS.weighterConfig],
    ports: [port('weighter', PORTS.weighter)],
    // As in the guide.
    resources: resources('200m', Size.mebibytes(256), '1000m'),
    securityContext: securityContext(IMAGE_USER),
    volumeMounts: [MOUNTS.config, MOUNTS.sockets],
    livenessProbe: httpProbe(ROUTES.livez, 'weighter', 10, 6),
  };
}
