interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

const LOOK = ['get', 'list', 'watch'] as const;

/** Over the whole cluster: it simulates the scheduler, so it reads all that the scheduler reads. */
const CLUSTER_RULES: readonly PolicyRule[] = [
  {
    apiGroups: [''],
    resources: [
      'namespaces',
      'nodes',
      'persistentvolumeclaims',
      'persistentvolumes',
      'pods',
      'replicationcontrollers',
      'services',
    ],
    verbs: LOOK,
  },
  { apiGroups: ['apps'], resources: ['daemonsets', 'replicasets', 'statefulsets'], verbs: LOOK },
  { apiGroups: ['batch'], resources: ['cronjobs', 'jobs'], verbs: LOOK },
  { apiGroups: ['policy'], resources: ['poddisruptionbudgets'], verbs: LOOK },
  {
    apiGroups: ['storage.k8s.io'],
    resources: ['csidrivers', 'csinodes', 'csistoragecapacities', 'storageclasses', 'volumeattachments'],
    verbs: LOOK,
  },
  { apiGroups: ['resource.k8s.io'], resources: ['deviceclasses', 'resourceclaims', 'resourceslices'], verbs: LOOK },
  // Taints on nodes that go, evictions from them, and telling about it.
  { apiGroups: [''], resources: ['nodes'], verbs: ['update'] },
  { apiGroups: [''], resources: ['pods/eviction'], verbs: ['create'] },
  { apiGroups: [''], resources: ['pods/status'], verbs: ['update'] },
  { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch'] },
];

/** In its own namespace: its status, and the lease by which one of it leads. */
function ownRules(name: string): PolicyRule[] {
  return [
    { apiGroups: [''], resources: ['configmaps'], verbs: ['create', 'get', 'list', 'watch'] },
    {
      apiGroups: [''],
      resources: ['configmaps'],
      resourceNames: [`${name}-status`],
      verbs: ['delete', 'update'],
    },
    { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create'] },
    { apiGroups: ['coordination.k8s.io'], resources: ['leases'], resourceNames: [name], verbs: ['get', 'update'] },
  ];
}

/** What Cluster Autoscaler 1.36 may do in Kubernetes. */
export function autoscalerRbac(name: string, namespace: string): Record<string, unknown>[] {
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  const apiGroup = 'rbac.authorization.k8s.io';
  const labels = { app: name };
  const subjects = [{ kind: 'ServiceAccount', name, namespace }];
  return [
    { apiVersion, kind: 'ClusterRole', metadata: { name, labels }, rules: CLUSTER_RULES },
    {
      apiVersion,
      kind: 'ClusterRoleBinding',
      metadata: { name, labels },
      roleRef: { apiGroup, kind: 'ClusterRole', name },
      subjects,
    },
    { apiVersion, kind: 'Role', metadata: { name, namespace, labels }, rules: ownRules(name) },
    {
      apiVersion,
      kind: 'RoleBinding',
      metadata: { name, namespace, labels },
      roleRef: { apiGroup, kind: 'Role', name },
      subjects,
    },
  ];
}
