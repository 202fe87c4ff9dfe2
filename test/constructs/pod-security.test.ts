import { ENVIRONMENTS } from './environments';
import { podSpec, type PodSpec, synthesise } from './manifests';
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

const prod = JSON.stringify(podSpec(synthesise(ENVIRONMENTS.prod)));

it.each(Object.keys(RESTRICTED))('"%s" finds what breaks it', (rule) => {
  const spec = JSON.parse(prod) as Record<string, unknown>;
  BREAKS[rule]?.(spec, firstOf(spec)['securityContext'] as Record<string, unknown>);
  expect(RESTRICTED[rule]?.(spec as PodSpec)).not.toEqual([]);
});

function firstOf(spec: Record<string, unknown>): Record<string, unknown> {
  const [first] = spec['initContainers'] as Record<string, unknown>[];
  return first ?? {};
}
