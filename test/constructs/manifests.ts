import { Testing, Yaml } from 'cdk8s';
import { NamespaceChart } from '../../constructs/namespace-chart';
import { RpcChart, type RpcChartProps } from '../../constructs/rpc-chart';
import type { Container, Sidecar } from '../../constructs/pod-defaults';

/** An object as Kubernetes gets it. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: unknown;
  readonly data?: Readonly<Record<string, string>>;
}

/** All objects of an environment, in the order in which they are applied. */
export function synthesise(props: RpcChartProps): Manifest[] {
  const app = Testing.app();
  const namespace = new NamespaceChart(app, 'namespace', { name: props.namespace });
  const chart = new RpcChart(app, 'rpc', props);
  // As text and back: what is undefined or an object of a class must not hide.
  return Yaml.load(writeTemporary([...manifestsOf(namespace), ...manifestsOf(chart)])) as Manifest[];
}

export function manifestsOf(chart: RpcChart | NamespaceChart): Manifest[] {
  return Testing.synth(chart) as Manifest[];
}

/** What `kubectl apply` would read. */
export function toYaml(manifests: readonly Manifest[]): string {
  return Yaml.stringify(...manifests);
}

export function find(manifests: readonly Manifest[], kind: string, name?: string): Manifest {
  const found = manifests.filter((one) => one.kind === kind && (name ?? one.metadata.name) === one.metadata.name);
  const [only] = found;
  if (only === undefined || found.length > 1) throw new Error(`${found.length} of ${kind} ${name ?? ''}`);
  return only;
}

/** The part of a pod's spec that tests look at. */
export interface PodSpec {
  readonly initContainers: readonly (Container & Partial<Sidecar>)[];
  readonly containers: readonly Container[];
  readonly volumes: readonly (Readonly<Record<string, unknown>> & { readonly name: string })[];
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly terminationGracePeriodSeconds: number;
  readonly automountServiceAccountToken: boolean;
  readonly nodeSelector: Readonly<Record<string, string>>;
  readonly [other: string]: unknown;
}

export function podSpec(manifests: readonly Manifest[]): PodSpec {
  const { spec } = find(manifests, 'Deployment');
  return (spec as { template: { spec: PodSpec } }).template.spec;
}

export function containersOf({ initContainers, containers }: PodSpec): (Container & Partial<Sidecar>)[] {
  return [...initContainers, ...containers];
}

export function container(spec: PodSpec, name: string): Container & Partial<Sidecar> {
  const found = containersOf(spec).find((one) => one.name === name);
  if (found === undefined) throw new Error(`no container ${name}`);
  return found;
}

function writeTemporary(manifests: readonly Manifest[]): string {
  return Yaml.tmp([...manifests]);
}
