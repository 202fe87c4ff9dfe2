import { Deployment } from 'kubernetes-models/apps/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { ClusterRole, ClusterRoleBinding, Role, RoleBinding } from 'kubernetes-models/rbac.authorization.k8s.io/v1';
import { autoscalerManifests } from '../../lib/addons/cluster-autoscaler-manifests';

const MODELS = { ClusterRole, ClusterRoleBinding, Deployment, PodDisruptionBudget, Role, RoleBinding } as const;

describe("Cluster Autoscaler's manifests", () => {
  const manifests = autoscalerManifests({
    clusterName: 'rpc-test',
    region: 'ap-northeast-1',
    image: 'example:v1.36.1',
  });
  const byKind = Object.fromEntries(manifests.map((manifest) => [String(manifest['kind']), manifest]));

  it('are what Kubernetes takes', () => {
    expect(Object.keys(byKind).sort()).toEqual(Object.keys(MODELS).sort());
    for (const [kind, Model] of Object.entries(MODELS)) {
      expect(() => new Model(byKind[kind] as never).validate()).not.toThrow();
    }
  });

  it('run it by the command of the guide', () => {
    expect(podSpec(byKind['Deployment']).containers[0]?.command).toEqual([
      './cluster-autoscaler',
      '--v=4',
      '--stderrthreshold=info',
      '--cloud-provider=aws',
      '--skip-nodes-with-local-storage=false',
      '--expander=least-waste',
      '--node-group-auto-discovery=asg:tag=k8s.io/cluster-autoscaler/enabled,k8s.io/cluster-autoscaler/rpc-test',
      '--balance-similar-node-groups',
      '--skip-nodes-with-system-pods=false',
    ]);
  });

  it('keep it from evicting itself, and let nodes be drained', () => {
    expect(byKind['Deployment']).toMatchObject({
      spec: {
        template: { metadata: { annotations: { 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false' } } },
      },
    });
    expect(byKind['PodDisruptionBudget']).toMatchObject({
      spec: {
        maxUnavailable: 1,
        unhealthyPodEvictionPolicy: 'AlwaysAllow',
        selector: { matchLabels: { app: 'cluster-autoscaler' } },
      },
    });
  });

  it('run it as nobody, with nothing that it may write to', () => {
    const spec = podSpec(byKind['Deployment']);
    expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 65_534 });
    expect(spec.containers).toHaveLength(1);
    expect(spec.containers[0]?.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });

  // Such a pod would have whatever the role below allows.
  it('give its rights to no one else, and none to change secrets or roles', () => {
    for (const kind of ['ClusterRoleBinding', 'RoleBinding']) {
      expect(byKind[kind]).toMatchObject({
        subjects: [{ kind: 'ServiceAccount', name: 'cluster-autoscaler', namespace: 'kube-system' }],
      });
    }
    const resources = ['ClusterRole', 'Role']
      .flatMap((kind) => (byKind[kind] as { rules: { resources: string[] }[] }).rules)
      .flatMap((rule) => rule.resources);
    expect(resources.filter((name) => /secret|role|\*/.test(name))).toEqual([]);
  });
});

interface PodSpec {
  readonly securityContext: unknown;
  readonly containers: readonly { readonly command: string[]; readonly securityContext: unknown }[];
}

function podSpec(deployment: unknown): PodSpec {
  return (deployment as { spec: { template: { spec: PodSpec } } }).spec.template.spec;
}
