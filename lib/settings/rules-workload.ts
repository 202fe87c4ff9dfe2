import { CPU_RULE, FORMS } from '../../constructs/rules';
import type { Rule } from './checks';
import * as form from './forms';
import type { Settings } from './types';

/** What runs in the cluster, and what the world sees of it. */
export const WORKLOAD_RULES: readonly Rule[] = [
  { path: 'workload.namespace', rule: 'a name that Kubernetes takes', holds: form.isLabel },
  {
    path: 'workload.namespace',
    // It is deleted with the stack, and what others have in it.
    rule: "a namespace of its own, none of Kubernetes' own",
    holds: (value) => !/^(default|amazon-cloudwatch|kube-.*)$/.test(String(value)),
  },
  {
    path: 'workload.hostedZone.id',
    rule: 'the id of a hosted zone, such as Z0123456789ABC',
    holds: form.isHostedZoneId,
  },
  { path: 'workload.hostedZone.name', rule: 'a domain', holds: form.isHostName },
  { path: 'workload.hosts', rule: 'at least one host', holds: (value) => form.isUniqueList(value, 1) },
  {
    path: 'workload.hosts.*.host',
    rule: ({ workload }) => `a host of ${workload.hostedZone.name}`,
    beside: ['workload.hostedZone.name'],
    holds: (value, { workload }) => form.isHostName(value) && isInZone(String(value), workload.hostedZone.name),
  },
  { path: 'workload.hosts.*.namespace', rule: 'a name that Kubernetes takes', holds: form.isLabel },
  { path: 'workload.hosts.*.service', rule: 'a name that Kubernetes takes', holds: form.isLabel },
  { path: 'workload.hosts.*.port', rule: 'a port from 1 to 65535', holds: form.whole(1, 65_535) },
  {
    path: 'workload.hosts.*.stickinessSeconds',
    rule: 'a whole number from 1 to 604800',
    holds: optional(form.whole(1, 604_800)),
  },
  {
    path: 'workload.providerSecrets',
    rule: 'a list of different names',
    holds: (value) => form.isUniqueList(value, 1),
  },
  { path: 'workload.providerSecrets.*', rule: 'upper-case letters, digits and _', holds: form.isSecretName },
  {
    path: 'workload.providerSecrets.*',
    rule: 'used in workload.proxy as ${NAME}',
    beside: ['workload.proxy'],
    holds: (value, { workload }) =>
      typeof value === 'string' && JSON.stringify(workload.proxy).includes(`\${${value}}`),
  },
  {
    path: 'workload.proxy.**',
    rule: ({ workload }) =>
      `a text with no other \${NAME} than workload.providerSecrets (${workload.providerSecrets.join(', ')})`,
    holds: (value, settings) => unknownNames(value, settings).length === 0,
    beside: ['workload.providerSecrets'],
    // Not the text, which may hold a key.
    show: unknownNames,
  },
  {
    path: 'workload.image',
    rule: 'asset, or a registry with a uri that ends in @sha256:…',
    holds: (value) => isImage(value as ImageLike),
  },
  { path: 'workload.replicas.min', rule: 'a whole number of at least 2', holds: form.whole(2) },
  {
    path: 'workload.replicas.max',
    rule: ({ workload }) => `a whole number of at least workload.replicas.min (${workload.replicas.min})`,
    beside: ['workload.replicas.min'],
    holds: (value, { workload }) => form.whole(workload.replicas.min)(value),
  },
  {
    path: 'workload.sizes.proxyCpu',
    rule: CPU_RULE,
    holds: optional(form.matching(FORMS.cpu)),
  },
  { path: 'workload.sizes.proxyMemoryMib', rule: 'a whole number of at least 1', holds: optional(form.whole(1)) },
  { path: 'workload.sizes.haproxyMemoryMib', rule: 'a whole number of at least 1', holds: optional(form.whole(1)) },
  {
    path: 'workload.waf.requestsPerFiveMinutes',
    rule: 'a whole number from 10 to 2000000000',
    holds: (value, { workload }) => workload.waf === false || form.whole(10, 2_000_000_000)(value),
  },
  { path: 'workload.idleTimeoutSeconds', rule: 'a whole number from 1 to 4000', holds: form.whole(1, 4000) },
];

function optional(holds: (value: unknown) => boolean): (value: unknown) => boolean {
  return (value) => value === undefined || holds(value);
}

interface ImageLike {
  readonly kind?: unknown;
  readonly uri?: unknown;
}

/** A uri that nobody looks at is a mistake too. */
function isImage({ kind, uri }: ImageLike): boolean {
  return kind === 'asset' ? uri === undefined : kind === 'registry' && form.isImageDigest(uri);
}

function isInZone(host: string, zone: string): boolean {
  return host === zone || host.endsWith(`.${zone}`);
}

/** Those that stand for a secret which there is not. */
function unknownNames(value: unknown, { workload }: Settings): string[] {
  const names = typeof value === 'string' ? [...value.matchAll(/\$\{([^}:]*)/g)].map(([, name = '']) => name) : [];
  return names.filter((name) => !workload.providerSecrets.includes(name));
}
