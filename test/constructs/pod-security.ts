type Fields = Readonly<Record<string, unknown>>;

/**
 * The Pod Security Standard *restricted* as of Kubernetes 1.36, rule by rule (its documentation's table, baseline
 * included), for pods on Linux. Each looks at a pod's spec and tells what breaks it.
 */
export const RESTRICTED: Readonly<Record<string, (spec: Fields) => string[]>> = {
  'no host process': everywhere(({ windowsOptions }) => fields(windowsOptions)['hostProcess'] !== true),
  'no host namespaces': (spec) => ['hostNetwork', 'hostPID', 'hostIPC'].filter((key) => spec[key] === true),
  'no privileged container': perContainer(({ privileged }) => privileged !== true),
  'no capabilities but that for low ports': perContainer(({ capabilities }) =>
    list(fields(capabilities)['add']).every((one) => one === 'NET_BIND_SERVICE'),
  ),
  'all capabilities dropped': perContainer(({ capabilities }) => list(fields(capabilities)['drop']).includes('ALL')),
  'no volumes of the host, only of types that are meant for pods': ({ volumes }) =>
    list(volumes).flatMap((volume) => {
      const types = Object.keys(fields(volume)).filter((key) => key !== 'name');
      return types.length === 1 && VOLUMES.includes(types[0] ?? '') ? [] : [JSON.stringify(volume)];
    }),
  'no ports of the host': (spec) =>
    containers(spec).flatMap(({ name, ports }) =>
      list(ports).some((port) => ![undefined, 0].includes(fields(port)['hostPort'] as number | undefined))
        ? [String(name)]
        : [],
    ),
  'no probes or hooks of other hosts': (spec) =>
    containers(spec).flatMap((container) => {
      const { postStart, preStop } = fields(container['lifecycle']);
      const all = [...PROBES.map((key) => container[key]), postStart, preStop].map(fields);
      const asks = all.flatMap(({ httpGet, tcpSocket }) => [fields(httpGet)['host'], fields(tcpSocket)['host']]);
      return asks.some((host) => host !== undefined && host !== '') ? [String(container['name'])] : [];
    }),
  'AppArmor not turned off': everywhere(({ appArmorProfile }) =>
    [undefined, 'RuntimeDefault', 'Localhost'].includes(fields(appArmorProfile)['type'] as string | undefined),
  ),
  'SELinux of a plain container': everywhere(({ seLinuxOptions }) => {
    const { type = '', user = '', role = '' } = fields(seLinuxOptions);
    return SELINUX.includes(String(type)) && user === '' && role === '';
  }),
  '/proc masked': perContainer(({ procMount }) => [undefined, 'Default'].includes(procMount as string | undefined)),
  'only safe sysctls': ({ securityContext }) =>
    list(fields(securityContext)['sysctls'])
      .map((one) => String(fields(one)['name']))
      .filter((name) => !SYSCTLS.includes(name)),
  'no way to more privileges': perContainer(({ allowPrivilegeEscalation }) => allowPrivilegeEscalation === false),
  // What the pod says against it counts also where every container says otherwise.
  'not as root': perContainer(
    ({ runAsNonRoot }, pod) => (runAsNonRoot ?? pod['runAsNonRoot']) === true && pod['runAsNonRoot'] !== false,
  ),
  'not as user 0': everywhere(({ runAsUser }) => runAsUser !== 0),
  'seccomp on': perContainer(({ seccompProfile }, { seccompProfile: ofPod }) => {
    const isOn = (profile: unknown): boolean =>
      ['RuntimeDefault', 'Localhost'].includes(String(fields(profile)['type']));
    return isOn(seccompProfile ?? ofPod) && (ofPod === undefined || isOn(ofPod));
  }),
};

const VOLUMES = 'configMap csi downwardAPI emptyDir ephemeral persistentVolumeClaim projected secret'.split(' ');
const PROBES = ['livenessProbe', 'readinessProbe', 'startupProbe'];
const SELINUX = ['', 'container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t'];
const SYSCTLS = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_wmem',
];

/** Every container of the three kinds. */
function containers(spec: Fields): Fields[] {
  return ['initContainers', 'containers', 'ephemeralContainers'].flatMap((key) => list(spec[key]).map(fields));
}

function perContainer(holds: (context: Fields, pod: Fields) => boolean): (spec: Fields) => string[] {
  return (spec) =>
    containers(spec)
      .filter(({ securityContext }) => !holds(fields(securityContext), fields(spec['securityContext'])))
      .map(({ name }) => String(name));
}

/** Of the pod too, not only of its containers. */
function everywhere(holds: (context: Fields) => boolean): (spec: Fields) => string[] {
  const ofContainers = perContainer(holds);
  return (spec) => [...(holds(fields(spec['securityContext'])) ? [] : ['the pod']), ...ofContainers(spec)];
}

function fields(value: unknown): Fields {
  return (value ?? {}) as Fields;
}

function list(value: unknown): unknown[] {
  return (value ?? []) as unknown[];
}
