import { createHash } from 'node:crypto';
import { ApiObject, type Duration, type Size } from 'cdk8s';
import { Construct } from 'constructs';
import { LABELS, NAMES } from '../runtime/contract/names';
import { haproxySidecar } from './haproxy-sidecar';
import type { PodConfig } from './pod-config';
import { labels, podSecurityContext } from './pod-defaults';
import { podVolumes } from './pod-volumes';
import { proxyContainer } from './proxy-container';
import { configRenderContainer, renderContainer } from './render-containers';
import { weighterSidecar } from './weighter-sidecar';

export interface ProxyDeploymentProps {
  /** Of our programs, by digest. May be a token. */
  readonly image: string;
  /** Of HAProxy, by digest. */
  readonly haproxyImage: string;
  /** Of the nodes, and of the images. */
  readonly arch: Arch;
  readonly config: PodConfig;
  readonly hasRedis: boolean;
  readonly proxyCpu: string;
  readonly proxyMemory: Size;
  readonly haproxyMemory: Size;
  /** From SIGTERM to SIGKILL. */
  readonly gracePeriod: Duration;
}

export const ARCHITECTURES = ['arm64', 'x86_64'] as const;
export type Arch = (typeof ARCHITECTURES)[number];

/** As Kubernetes calls them. */
const NODE_ARCH: Record<Arch, string> = { arm64: 'arm64', x86_64: 'amd64' };

/**
 * The workload. A plain object: the typed Deployment of cdk8s-plus-27 drops `restartPolicy` of the sidecars, and with it
 * their order.
 *
 *     start   render, to its end ▸ config-render ▸ haproxy, until it serves ▸ node-weighter ▸ proxy
 *     stop    proxy drains ▸ node-weighter ▸ haproxy finishes ▸ config-render
 */
export class ProxyDeployment extends Construct {
  constructor(scope: Construct, id: string, props: ProxyDeploymentProps) {
    super(scope, id);
    new ApiObject(this, 'deployment', {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: NAMES.app, labels },
      // No `replicas`: they are the autoscaler's, and would be set back by each deployment.
      spec: {
        selector: { matchLabels: { ...LABELS } },
        revisionHistoryLimit: 3,
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
        template: {
          metadata: { labels, annotations: { [STARTED_WITH]: startedWith(props.config) } },
          spec: spec(props),
        },
      },
    });
  }
}

function spec({ image, haproxyImage, config: _, ...props }: ProxyDeploymentProps): object {
  return {
    serviceAccountName: NAMES.app,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    priorityClassName: NAMES.app,
    nodeSelector: { 'kubernetes.io/arch': NODE_ARCH[props.arch] },
    topologySpreadConstraints: [
      // A zone that is lost is no reason to wait for it: its nodes are tainted, and do not count.
      spread('topology.kubernetes.io/zone', 'DoNotSchedule'),
      spread('kubernetes.io/hostname', 'ScheduleAnyway'),
    ],
    securityContext: podSecurityContext,
    terminationGracePeriodSeconds: props.gracePeriod.toSeconds(),
    initContainers: [
      renderContainer(image),
      configRenderContainer(image),
      haproxySidecar(haproxyImage, props.haproxyMemory),
      weighterSidecar(image),
    ],
    containers: [proxyContainer({ image, cpu: props.proxyCpu, memory: props.proxyMemory, hasRedis: props.hasRedis })],
    volumes: podVolumes(props.hasRedis),
  };
}

/** Of the pods of one version, so that a rollout does not count those it replaces. */
function spread(topologyKey: string, whenUnsatisfiable: 'DoNotSchedule' | 'ScheduleAnyway'): object {
  return {
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable,
    nodeTaintsPolicy: 'Honor',
    labelSelector: { matchLabels: { ...LABELS } },
    matchLabelKeys: ['pod-template-hash'],
  };
}

const STARTED_WITH = 'eth-rpc-balancer/started-with';

/** What programs read only when they start: other pods have to take over when it changes. The rest they follow. */
function startedWith({ weighterText, config: { listen, admin } }: PodConfig): string {
  const text = JSON.stringify([weighterText, listen.host, listen.port, admin]);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
