import { parseConfig } from '../../runtime/config/load';
import { MIB } from '../../runtime/config/units';
import { ENVIRONMENTS } from './environments';
import { container, containersOf, find, podSpec, synthesise, toYaml } from './manifests';

describe.each(Object.entries(ENVIRONMENTS))('the pod of %s', (_, props) => {
  const manifests = synthesise(props);
  const spec = podSpec(manifests);
  const yaml = toYaml(manifests);

  it('starts render to its end, then the sidecars in order, then the proxy; and stops the other way round', () => {
    expect(spec.initContainers.map(({ name, restartPolicy }) => [name, restartPolicy])).toEqual([
      ['render', undefined],
      ['config-render', 'Always'],
      ['haproxy', 'Always'],
      ['node-weighter', 'Always'],
    ]);
    expect(spec.containers.map(({ name }) => name)).toEqual(['proxy']);
    // In the text too: cdk8s-plus drops the field without a word.
    expect(yaml.match(/^ {10}restartPolicy: Always$/gm)).toHaveLength(3);
  });

  it('starts the weighter and the proxy only once HAProxy serves', () => {
    expect(container(spec, 'haproxy').startupProbe?.httpGet).toEqual({ path: '/', port: 'stats' });
  });

  it('asks the proxy alone whether it is ready, so neither a provider nor a weighter that cannot weigh makes it unready', () => {
    expect(containersOf(spec).flatMap(({ name, readinessProbe }) => (readinessProbe ? [name] : []))).toEqual(['proxy']);
    expect(container(spec, 'proxy').readinessProbe?.httpGet).toEqual({ path: '/readyz', port: 'admin' });
  });

  it('exposes neither of the sockets that give commands: no port, no address, and only two containers see them', () => {
    const { data = {} } = find(manifests, 'ConfigMap');
    expect(data['config.yaml']).toContain('adminSocket: /run/haproxy/admin.sock');
    expect(data['config.json']).not.toMatch(/9999/);
    expect(yaml).not.toMatch(/9999/);
    const seers = containersOf(spec).filter(({ volumeMounts }) =>
      volumeMounts.some(({ mountPath }) => mountPath === '/run/haproxy'),
    );
    expect(seers.map(({ name }) => name)).toEqual(['config-render', 'haproxy', 'node-weighter']);
  });

  it('shows keys to render alone, what they become to HAProxy too, and the password of Redis to the proxy alone', () => {
    const seers = (path: string): string[] =>
      containersOf(spec).flatMap(({ name, volumeMounts }) =>
        volumeMounts.some(({ mountPath }) => mountPath === path) ? [name] : [],
      );
    expect(seers('/run/secrets/provider-keys')).toEqual(['render', 'config-render']);
    expect(seers('/usr/local/etc/haproxy')).toEqual(['render', 'config-render', 'haproxy']);
    expect(seers('/run/secrets/redis')).toEqual(props.redis === undefined ? [] : ['proxy']);
    for (const { emptyDir } of spec.volumes.filter((volume) => 'emptyDir' in volume)) {
      expect(emptyDir).toMatchObject({ medium: 'Memory' });
    }
  });

  it('mounts folders only: a file mounted by subPath would never change', () => {
    expect(yaml).not.toMatch(/subPath/i);
    expect(spec.volumes.find(({ name }) => name === 'rpc-proxy-config-file')).toEqual({
      name: 'rpc-proxy-config-file',
      configMap: { name: 'rpc-proxy-config-file' },
    });
  });

  it('mounts what it declares, and declares what it mounts', () => {
    const mounted = new Set(containersOf(spec).flatMap(({ volumeMounts }) => volumeMounts.map(({ name }) => name)));
    expect(mounted).toEqual(new Set(spec.volumes.map(({ name }) => name)));
  });

  it('asks for and bounds memory of every container, and CPU of all but the proxy, which must not be throttled', () => {
    for (const { name, resources } of containersOf(spec)) {
      expect([name, resources.limits.memory]).toEqual([name, resources.requests.memory]);
      expect([name, resources.limits.cpu]).toEqual([name, name === 'proxy' ? undefined : '1000m']);
    }
    // As in the guide.
    expect(container(spec, 'node-weighter').resources.requests).toEqual({ cpu: '200m', memory: '256Mi' });
  });

  it('gives the proxy a heap that holds what it caches, and leaves the rest of its memory beside it', () => {
    const { command, resources } = container(spec, 'proxy');
    const heap = Number(/^--max-old-space-size=(\d+)$/.exec(command[1] ?? '')?.[1]);
    const text = find(manifests, 'ConfigMap').data?.['config.yaml'] ?? '';
    const { chains } = parseConfig(text, { env: {}, readFile: () => '{"password":"any"}' });
    const cached = Object.values(chains).reduce((sum, { cache }) => sum + cache.maxBytes, 0);
    // A byte of the cache was seen to take 1.3 of the heap, and all else some 60 MiB.
    expect(heap * MIB).toBeGreaterThanOrEqual(1.3 * cached + 60 * MIB);
    expect(Number.parseInt(resources.limits.memory) - heap).toBe(128);
  });

  it('gives HAProxy its own user, all others theirs, and all of them one group for sockets and files', () => {
    const users = containersOf(spec).map(({ name, securityContext }) => [name, securityContext.runAsUser]);
    expect(Object.fromEntries(users)).toEqual({
      render: 10001,
      'config-render': 10001,
      haproxy: 99,
      'node-weighter': 10001,
      proxy: 10001,
    });
    expect(spec.securityContext['fsGroup']).toBe(2000);
    expect(find(manifests, 'ConfigMap').data?.['config.yaml']).toContain('socketGid: 2000');
    expect(container(spec, 'haproxy').args).toContain('/run/haproxy/master.sock,mode,660');
  });

  it('writes to no root file system and has no token of the cluster', () => {
    for (const { securityContext } of containersOf(spec)) expect(securityContext.readOnlyRootFilesystem).toBe(true);
    expect(spec.automountServiceAccountToken).toBe(false);
  });

  it('runs where its images do', () => {
    expect(spec.nodeSelector).toEqual({ 'kubernetes.io/arch': props.arch === 'arm64' ? 'arm64' : 'amd64' });
  });

  it('runs images by digest only: what was tested is what runs', () => {
    for (const { image } of containersOf(spec)) expect(image).toMatch(/@sha256:[0-9a-f]{64}$/);
  });

  it('has the names and the address of the guide', () => {
    const service = find(manifests, 'Service', 'rpc-proxy');
    expect(service.spec).toMatchObject({ clusterIP: 'None', selector: { app: 'rpc-proxy' } });
    const { ports } = service.spec as { ports: { name: string; port: number; targetPort: number }[] };
    // Nothing translates ports of a headless Service.
    expect(ports.map(({ name, port, targetPort }) => [name, port, targetPort])).toEqual([
      ['http', 8000, 8000],
      ['rpc', 8545, 8545],
    ]);
    const declared = containersOf(spec).flatMap(({ ports: own = [] }) =>
      own.map((one) => [one.name, one.containerPort]),
    );
    expect(declared).toEqual(
      expect.arrayContaining([
        ['http', 8000],
        ['rpc', 8545],
      ]),
    );
    expect(find(manifests, 'Deployment').metadata.name).toBe('rpc-proxy');
    expect(Object.keys(find(manifests, 'ConfigMap', 'rpc-proxy-config-file').data ?? {})).toContain('config.json');
  });

  it('has a selector of one plain label, which can never change, and leaves replicas to the autoscaler', () => {
    const { selector, replicas, template } = find(manifests, 'Deployment').spec as {
      selector: unknown;
      replicas?: number;
      template: { metadata: { labels: unknown } };
    };
    expect(selector).toEqual({ matchLabels: { app: 'rpc-proxy' } });
    expect(template.metadata.labels).toEqual({ app: 'rpc-proxy' });
    expect(replicas).toBeUndefined();
    expect(find(manifests, 'HorizontalPodAutoscaler').spec).toMatchObject({
      scaleTargetRef: { kind: 'Deployment', name: 'rpc-proxy' },
      metrics: [{ type: 'ContainerResource', containerResource: { container: 'proxy', name: 'cpu' } }],
    });
  });

  it('can be drained from a node, one at a time, also when it is not ready', () => {
    expect(find(manifests, 'PodDisruptionBudget').spec).toEqual({
      maxUnavailable: 1,
      selector: { matchLabels: { app: 'rpc-proxy' } },
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
    });
  });

  it('is spread over zones, those of one version by themselves, and over machines where there is room', () => {
    const shared = {
      maxSkew: 1,
      labelSelector: { matchLabels: { app: 'rpc-proxy' } },
      matchLabelKeys: ['pod-template-hash'],
      nodeTaintsPolicy: 'Honor',
    };
    expect(spec['topologySpreadConstraints']).toEqual([
      { ...shared, topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'DoNotSchedule' },
      { ...shared, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'ScheduleAnyway' },
    ]);
  });

  it('goes before what has no priority, of a class that is there', () => {
    expect(spec['priorityClassName']).toBe(find(manifests, 'PriorityClass').metadata.name);
  });

  it('is replaced without fewer than there were, and there are never fewer than two', () => {
    const { strategy } = find(manifests, 'Deployment').spec as { strategy: unknown };
    expect(strategy).toEqual({ type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } });
    const { minReplicas, maxReplicas } = find(manifests, 'HorizontalPodAutoscaler').spec as Record<string, number>;
    expect(minReplicas).toBeGreaterThanOrEqual(2);
    expect(maxReplicas).toBe(props.scaling.maxReplicas);
  });

  it('is started again only where a program does not answer at all: not for a provider, and HAProxy never', () => {
    const alive = containersOf(spec).map(({ name, livenessProbe }) => [name, livenessProbe?.httpGet.path]);
    expect(Object.fromEntries(alive)).toEqual({
      render: undefined,
      'config-render': undefined,
      haproxy: undefined,
      'node-weighter': '/livez',
      proxy: '/livez',
    });
  });

  it('is in a namespace whose pods meet restricted, and where readiness waits for the load balancer', () => {
    const { metadata } = find(manifests, 'Namespace');
    expect(metadata.name).toBe(props.namespace);
    expect(metadata.labels).toEqual({
      'pod-security.kubernetes.io/enforce': 'restricted',
      'elbv2.k8s.aws/pod-readiness-gate-inject': 'enabled',
    });
  });

  it('is granted the time that draining takes', () => {
    // 35 s until the load balancer sends nothing more, 65 s from the signal for the proxy, 30 s for HAProxy, 10 s to spare.
    expect(spec.terminationGracePeriodSeconds).toBe(140);
    expect(find(manifests, 'ConfigMap').data?.['config.yaml']).toMatch(
      /drainDelayMs: 35000\n {2}drainTimeoutMs: 65000\n[^]*hardStopAfterMs: 30000/,
    );
  });

  it('is nowhere in a manifest given a key, and needs none to be synthesised', () => {
    expect(yaml).toContain('/v2/${ALCHEMY_KEY}');
    expect(manifests.map(({ kind }) => kind)).not.toContain('Secret');
    if (props.redis) expect(yaml).toContain('password: ${file:/run/secrets/redis/redis.json#password}');
  });
});
