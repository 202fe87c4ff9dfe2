import { ENVIRONMENTS } from './environments';
import { find, type Manifest, podSpec, type PodSpec, synthesise } from './manifests';
import { RESTRICTED } from './pod-security';

describe.each(Object.entries(ENVIRONMENTS))('the pod of %s', (_, props) => {
  const spec = podSpec(synthesise(props));

  it.each(Object.entries(RESTRICTED))('has %s', (_rule, faults) => {
    expect(faults(spec)).toEqual([]);
  });
});

type Change = (spec: Record<string, unknown>, context: Record<string, unknown>) => void;

/** How each rule would be broken: what a rule cannot find it does not check. */
const BREAKS: Readonly<Record<string, Change>> = {
  'no host process': (_, context) => (context['windowsOptions'] = { hostProcess: true }),
  'no host namespaces': (spec) => (spec['hostNetwork'] = true),
  'no privileged container': (_, context) => (context['privileged'] = true),
  'no capabilities but that for low ports': (_, context) => (context['capabilities'] = { add: ['NET_ADMIN'] }),
  'all capabilities dropped': (_, context) => (context['capabilities'] = { drop: ['NET_RAW'] }),
  'no volumes of the host, only of types that are meant for pods': (spec) =>
    (spec['volumes'] = [{ name: 'host', hostPath: { path: '/' } }]),
  'no ports of the host': (spec) => (firstOf(spec)['ports'] = [{ containerPort: 1, hostPort: 1 }]),
  'no probes or hooks of other hosts': (spec) => (firstOf(spec)['livenessProbe'] = { httpGet: { host: '10.0.0.1' } }),
  'AppArmor not turned off': (_, context) => (context['appArmorProfile'] = { type: 'Unconfined' }),
  'SELinux of a plain container': (_, context) => (context['seLinuxOptions'] = { type: 'spc_t' }),
  '/proc masked': (_, context) => (context['procMount'] = 'Unmasked'),
  'only safe sysctls': (spec) => (spec['securityContext'] = { sysctls: [{ name: 'kernel.msgmax' }] }),
  'no way to more privileges': (_, context) => delete context['allowPrivilegeEscalation'],
  'not as root': (_, context) => (context['runAsNonRoot'] = false),
  'not as user 0': (_, context) => (context['runAsUser'] = 0),
  'seccomp on': (spec) => (spec['securityContext'] = { runAsNonRoot: true }),
};

/** And where a rule is broken at the pod alone, or at a container of another kind. */
const OTHER_BREAKS: readonly [rule: string, how: string, Change][] = [
  ['not as root', 'by the pod', (spec) => (spec['securityContext'] = { runAsNonRoot: false })],
  [
    'seccomp on',
    'by the pod',
    (spec) => {
      for (const one of everyContainer(spec)) contextOf(one)['seccompProfile'] = { type: 'RuntimeDefault' };
      spec['securityContext'] = { runAsNonRoot: true, seccompProfile: { type: 'Unconfined' } };
    },
  ],
  ['seccomp on', 'by one container', (_, context) => (context['seccompProfile'] = { type: 'Unconfined' })],
  ['not as user 0', 'by the pod', (spec) => (spec['securityContext'] = { runAsUser: 0 })],
  ['SELinux of a plain container', 'by a role', (_, context) => (context['seLinuxOptions'] = { role: 'sysadm_r' })],
  ['no host namespaces', 'of processes', (spec) => (spec['hostPID'] = true)],
  ['no host namespaces', 'of messages', (spec) => (spec['hostIPC'] = true)],
  ['no way to more privileges', 'by an ephemeral container', (spec) => (spec['ephemeralContainers'] = [{ name: 'e' }])],
  ['all capabilities dropped', 'by an ephemeral container', (spec) => (spec['ephemeralContainers'] = [{ name: 'e' }])],
  [
    'no probes or hooks of other hosts',
    'by a hook',
    (spec) => (firstOf(spec)['lifecycle'] = { preStop: { tcpSocket: { host: '10.0.0.1' } } }),
  ],
];

const prod = JSON.stringify(podSpec(synthesise(ENVIRONMENTS.prod)));

it.each(Object.keys(RESTRICTED))('"%s" finds what breaks it', (rule) => {
  const spec = JSON.parse(prod) as Record<string, unknown>;
  BREAKS[rule]?.(spec, contextOf(firstOf(spec)));
  expect(RESTRICTED[rule]?.(spec as PodSpec)).not.toEqual([]);
});

it.each(OTHER_BREAKS)('"%s" finds it broken %s', (rule, _, change) => {
  const spec = JSON.parse(prod) as Record<string, unknown>;
  change(spec, contextOf(firstOf(spec)));
  expect(RESTRICTED[rule]?.(spec as PodSpec)).not.toEqual([]);
});

it.each(Object.entries(ENVIRONMENTS))('no annotation of the pods of %s turns AppArmor off', (_, props) => {
  const { template } = find(synthesise(props), 'Deployment').spec as { template: Pick<Manifest, 'metadata'> };
  const names = Object.keys(template.metadata.annotations ?? {});
  expect(names.filter((name) => name.startsWith('container.apparmor.security.beta.kubernetes.io/'))).toEqual([]);
});

function everyContainer(spec: Record<string, unknown>): Record<string, unknown>[] {
  return ['initContainers', 'containers'].flatMap((key) => spec[key] as Record<string, unknown>[]);
}

function contextOf(container: Record<string, unknown>): Record<string, unknown> {
  return container['securityContext'] as Record<string, unknown>;
}

function firstOf(spec: Record<string, unknown>): Record<string, unknown> {
  const [first] = spec['initContainers'] as Record<string, unknown>[];
  return first ?? {};
}
