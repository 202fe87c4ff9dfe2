import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Manifest } from './manifests';

/**
 * What Kubernetes 1.36 would say of an object: fields it does not know, values of another type, and (by a second source,
 * generated from the same API) what is required and missing.
 *
 * @returns faults, none where it is valid
 */
export function schemaFaults(manifest: Manifest): string[] {
  const { apiVersion, kind, metadata } = manifest;
  const place = `${kind} ${metadata.name}`;
  if (kind === 'SecretProviderClass') return secretProviderFaults(manifest, place);
  const type = TYPES[`${apiVersion} ${kind}`];
  if (type === undefined) return [`${place}: ${apiVersion} ${kind} is in no table`];
  return [...walk(manifest, type, place), ...requiredFaults(manifest, place)];
}

const TYPES: Readonly<Record<string, string>> = {
  'v1 ConfigMap': 'V1ConfigMap',
  'v1 Namespace': 'V1Namespace',
  'v1 Service': 'V1Service',
  'v1 ServiceAccount': 'V1ServiceAccount',
  'apps/v1 Deployment': 'V1Deployment',
  'autoscaling/v2 HorizontalPodAutoscaler': 'V2HorizontalPodAutoscaler',
  'networking.k8s.io/v1 Ingress': 'V1Ingress',
  'networking.k8s.io/v1 NetworkPolicy': 'V1NetworkPolicy',
  'policy/v1 PodDisruptionBudget': 'V1PodDisruptionBudget',
  'scheduling.k8s.io/v1 PriorityClass': 'V1PriorityClass',
};

interface Attribute {
  readonly baseName: string;
  readonly type: string;
}

/** Which module is known only when an object is looked at. */
const load = createRequire(__filename);

const MODELS = join(dirname(load.resolve('@kubernetes/client-node/package.json')), 'dist', 'gen', 'models');

/** By file: the package's index cannot be loaded on Node 20. */
function attributesOf(type: string): readonly Attribute[] {
  const models = load(join(MODELS, `${type}.js`)) as Record<string, { getAttributeTypeMap(): readonly Attribute[] }>;
  return models[type]?.getAttributeTypeMap() ?? [];
}

const PLAIN: Readonly<Record<string, readonly string[]>> = {
  string: ['string'],
  number: ['number'],
  boolean: ['boolean'],
  IntOrString: ['number', 'string'],
};

function walk(value: unknown, type: string, place: string): string[] {
  const plain = PLAIN[type];
  if (plain !== undefined) return plain.includes(typeof value) ? [] : [`${place} is ${typeof value}, not ${type}`];
  const item = /^Array<(.*)>$/.exec(type)?.[1];
  if (item !== undefined) {
    if (!Array.isArray(value)) return [`${place} is ${typeof value}, not a list`];
    return value.flatMap((one, i) => walk(one, item, `${place}[${i}]`));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${place} is not an object`];
  const entry = /^\{ \[key: string\]: (.*); \}$/.exec(type)?.[1];
  if (entry !== undefined) return Object.entries(value).flatMap(([key, one]) => walk(one, entry, `${place}.${key}`));
  const attributes = attributesOf(type);
  return Object.entries(value).flatMap(([key, one]) => {
    const attribute = attributes.find(({ baseName }) => baseName === key);
    return attribute === undefined ? [`${place}.${key} is unknown`] : walk(one, attribute.type, `${place}.${key}`);
  });
}

function requiredFaults(manifest: Manifest, place: string): string[] {
  const { apiVersion, kind } = manifest;
  const models = load(`kubernetes-models/${apiVersion}/${kind}`) as Record<
    string,
    new (data: unknown) => { validate(): void }
  >;
  const Model = models[kind];
  if (Model === undefined) return [`${place}: no model`];
  try {
    new Model(manifest).validate();
    return [];
  } catch (error) {
    return [`${place}: ${error instanceof Error ? error.message : String(error)}`];
  }
}

/** Of the driver's CustomResourceDefinition v1, as far as it tells: `provider` a text, `parameters` texts. */
function secretProviderFaults({ apiVersion, spec }: Manifest, place: string): string[] {
  const { provider, parameters, ...others } = spec as Record<string, unknown>;
  return [
    ...(apiVersion === 'secrets-store.csi.x-k8s.io/v1' ? [] : [`${place}: ${apiVersion}`]),
    ...walk(provider, 'string', `${place}.spec.provider`),
    ...walk(parameters, '{ [key: string]: string; }', `${place}.spec.parameters`),
    ...Object.keys(others).map((key) => `${place}.spec.${key} is unknown`),
  ];
}
