import { autoscalerRbac } from './cluster-autoscaler-rbac';

/** The service account, and what belongs to it. */
export const AUTOSCALER = { name: 'cluster-autoscaler', namespace: 'kube-system' } as const;

const LABELS = { app: AUTOSCALER.name } as const;

/** Of its image's user `nobody`. */
const UID = 65_534;

export interface AutoscalerManifestsProps {
  readonly clusterName: string;
  readonly region: string;
  readonly image: string;
}

export type Manifest = Record<string, unknown>;

/** Cluster Autoscaler in Kubernetes: its rights, its one pod, and the budget that lets nodes be drained. */
export function autoscalerManifests(props: AutoscalerManifestsProps): Manifest[] {
  return [...autoscalerRbac(AUTOSCALER.name, AUTOSCALER.namespace), deployment(props), disruptionBudget()];
}

function deployment(props: AutoscalerManifestsProps): Manifest {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { ...AUTOSCALER, labels: LABELS },
    spec: {
      replicas: 1,
      selector: { matchLabels: LABELS },
      template: {
        metadata: {
          labels: LABELS,
          // It would evict itself from a node that it empties, half way.
          annotations: { 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false' },
        },
        spec: {
          serviceAccountName: AUTOSCALER.name,
          priorityClassName: 'system-cluster-critical',
          securityContext: {
            runAsNonRoot: true,
            runAsUser: UID,
            fsGroup: UID,
            seccompProfile: { type: 'RuntimeDefault' },
          },
          containers: [container(props)],
        },
      },
    },
  };
}

function container({ clusterName, region, image }: AutoscalerManifestsProps): Manifest {
  return {
    name: AUTOSCALER.name,
    image,
    command: [
      './cluster-autoscaler',
      '--v=4',
      '--stderrthreshold=info',
      '--cloud-provider=aws',
      '--skip-nodes-with-local-storage=false',
      '--expander=least-waste',
      `--node-group-auto-discovery=asg:tag=k8s.io/cluster-autoscaler/enabled,k8s.io/cluster-autoscaler/${clusterName}`,
      '--balance-similar-node-groups',
      '--skip-nodes-with-system-pods=false',
    ],
    // Pods do not reach the instance's metadata, which would tell.
    env: [{ name: 'AWS_REGION', value: region }],
    ports: [{ name: 'metrics', containerPort: 8085 }],
    livenessProbe: { httpGet: { path: '/health-check', port: 'metrics' }, initialDelaySeconds: 60, periodSeconds: 30 },
    resources: { requests: { cpu: '100m', memory: '600Mi' }, limits: { memory: '600Mi' } },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
  };
}

function disruptionBudget(): Manifest {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { ...AUTOSCALER, labels: LABELS },
    spec: { maxUnavailable: 1, unhealthyPodEvictionPolicy: 'AlwaysAllow', selector: { matchLabels: LABELS } },
  };
}
