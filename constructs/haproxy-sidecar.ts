import type { Size } from 'cdk8s';
import { HAPROXY_USER } from '../runtime/contract/images';
import { CONTAINERS } from '../runtime/contract/names';
import { PATHS } from '../runtime/contract/paths';
import { PORTS } from '../runtime/contract/ports';
import { httpProbe, port, resources, securityContext, type Sidecar } from './pod-defaults';
import { MOUNTS } from './pod-volumes';

/**
 * HAProxy: a master, which reloads, and workers. What starts after it waits for its statistics page. It has no liveness
 * probe: a master ends when its worker dies, and one that has as many connections as it may have is not dead.
 *
 * The image's stop signal is SIGUSR1, upon which it finishes what is under way, for `haproxy.hardStopAfterMs` at most.
 */
export function haproxySidecar(image: string, memory: Size): Sidecar {
  return {
    name: CONTAINERS.haproxy,
    image,
    restartPolicy: 'Always',
    command: ['haproxy'],
    args: ['-W', '-S', `${PATHS.masterSocket},mode,660`, '-f', PATHS.haproxyConfig],
    ports: [port('http', PORTS.http), port('stats', PORTS.stats)],
    // As in the guide.
    resources: resources('200m', memory, '1000m'),
    securityContext: securityContext(HAPROXY_USER),
    volumeMounts: [MOUNTS.haproxyRead, MOUNTS.sockets],
    startupProbe: httpProbe('/', 'stats', 1, 60),
  };
}
