import type { Size } from 'cdk8s';
import { LABELS } from '../runtime/contract/names';
import { SHARED_GROUP } from '../runtime/contract/groups';

/** Of every object. */
export const labels: Record<string, string> = { ...LABELS };

/**
 * A container as this pod has them: nothing that matters can be left out. Ours and not that of cdk8s-plus-27, which knows
 * Kubernetes 1.27 and silently drops what is newer.
 */
export interface Container {
  readonly name: string;
  readonly image: string;
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number; readonly protocol: 'TCP' }[];
  readonly resources: Resources;
  readonly securityContext: SecurityContext;
  readonly volumeMounts: readonly VolumeMount[];
  readonly startupProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
}

/** Starts before the proxy and stops after it, in the opposite order. */
export interface Sidecar extends Container {
  readonly restartPolicy: 'Always';
}

export interface VolumeMount {
  readonly name: string;
  readonly mountPath: string;
  readonly readOnly?: true;
}

interface Resources {
  readonly requests: { readonly cpu: string; readonly memory: string };
  readonly limits: { readonly cpu?: string; readonly memory: string };
}

/** @param cpuLimit left out where being throttled costs more than it protects */
export function resources(cpu: string, memory: Size, cpuLimit?: string): Resources {
  const bytes = `${memory.toMebibytes()}Mi`;
  const limits = { ...(cpuLimit !== undefined && { cpu: cpuLimit }), memory: bytes };
  return { requests: { cpu, memory: bytes }, limits };
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
  readonly periodSeconds: number;
  readonly timeoutSeconds: number;
  readonly failureThreshold: number;
}

/** @param port by its name */
export function httpProbe(path: string, port: string, periodSeconds: number, failureThreshold: number): Probe {
  return { httpGet: { path, port }, periodSeconds, timeoutSeconds: 2, failureThreshold };
}

export function port(name: string, containerPort: number) {
  return { name, containerPort, protocol: 'TCP' } as const;
}

type SecurityContext = ReturnType<typeof securityContext>;

/** What Pod Security *restricted* asks of a container, and a root file system that nobody writes to. */
export function securityContext(user: number) {
  return {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
    readOnlyRootFilesystem: true,
    runAsNonRoot: true,
    runAsUser: user,
    runAsGroup: user,
  } as const;
}

/** Volumes belong to the shared group, and so does what is written to them. */
export const podSecurityContext = {
  runAsNonRoot: true,
  fsGroup: SHARED_GROUP,
  seccompProfile: { type: 'RuntimeDefault' },
} as const;
