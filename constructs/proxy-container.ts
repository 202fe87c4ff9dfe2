import type { Size } from 'cdk8s';
import { IMAGE_PROGRAMS, IMAGE_USER } from '../runtime/contract/images';
import { CONTAINERS } from '../runtime/contract/names';
import { PATHS } from '../runtime/contract/paths';
import { PORTS, ROUTES } from '../runtime/contract/ports';
import { type Container, httpProbe, port, resources, securityContext } from './pod-defaults';
import { MOUNTS } from './pod-volumes';

export interface ProxyContainerProps {
  /** Of our programs. */
  readonly image: string;
  /** What it asks for of a CPU, such as `200m`; the autoscaler's percentage is of this. It has no limit. */
  readonly cpu: string;
  /** What it asks for, and its limit. */
  readonly memory: Size;
  readonly hasRedis: boolean;
}

/** Beside the heap: code, buffers of connections, and bodies on their way. */
const BESIDE_HEAP_MEBIBYTES = 128;

/** Of the heap, where kept answers are. Node.js would take half of the container's memory for it, and end when it is full. */
export function heapMebibytes(memory: Size): number {
  return memory.toMebibytes() - BESIDE_HEAP_MEBIBYTES;
}

/**
 * The proxy. Once ready it stays ready until it is to stop, so an outage of providers makes no pod unready. It is alive
 * as long as it answers at all.
 */
export function proxyContainer({ image, cpu, memory, hasRedis }: ProxyContainerProps): Container {
  return {
    name: CONTAINERS.proxy,
    image,
    command: ['node', `--max-old-space-size=${heapMebibytes(memory)}`, IMAGE_PROGRAMS.proxy],
    args: ['--config', PATHS.config],
    ports: [port('rpc', PORTS.rpc), port('admin', PORTS.admin)],
    resources: resources(cpu, memory),
    securityContext: securityContext(IMAGE_USER),
    volumeMounts: [MOUNTS.config, ...(hasRedis ? [MOUNTS.redisPassword] : [])],
    startupProbe: httpProbe(ROUTES.livez, 'admin', 1, 60),
    livenessProbe: httpProbe(ROUTES.livez, 'admin', 10, 6),
    readinessProbe: httpProbe(ROUTES.readyz, 'admin', 2, 2),
  };
}
