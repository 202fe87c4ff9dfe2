import { type Manifest, manifestsOf } from './manifests';
import { parsed, plain } from './plain';
import { resourcesOf, type Synthesised } from './synth';

export interface Statement {
  readonly Effect: string;
  readonly Action?: string | readonly string[];
  readonly NotAction?: unknown;
  readonly Resource?: string | readonly string[];
  readonly Principal?: unknown;
  readonly Condition?: Record<string, unknown>;
}

export interface PolicyDocument {
  readonly Statement: readonly Statement[];
}

/** Where policies stand: by type of resource, the properties that hold one, and to whom it is given. */
const HOLDERS: Record<string, { readonly properties: readonly string[]; readonly label: string }> = {
  'AWS::IAM::Role': { properties: ['AssumeRolePolicyDocument'], label: 'may be assumed' },
  'AWS::IAM::Policy': { properties: ['PolicyDocument'], label: 'may' },
  'AWS::IAM::ManagedPolicy': { properties: ['PolicyDocument'], label: 'may' },
  'AWS::KMS::Key': { properties: ['KeyPolicy'], label: 'may be used' },
  'AWS::S3::BucketPolicy': { properties: ['PolicyDocument'], label: 'may be used' },
  'AWS::SNS::TopicPolicy': { properties: ['PolicyDocument'], label: 'may be used' },
  'AWS::SecretsManager::ResourcePolicy': { properties: ['ResourcePolicy'], label: 'may be used' },
};

export interface FoundPolicy {
  readonly stack: string;
  readonly id: string;
  readonly type: string;
  readonly document: PolicyDocument;
}

/** Every policy document of an environment, in plain words. */
export function policiesOf(synthesised: Synthesised): FoundPolicy[] {
  const late = lateConditions(synthesised);
  const read = (document: unknown): PolicyDocument =>
    JSON.parse(JSON.stringify(plain(document)), (_, value: unknown) => late.get(value) ?? value) as PolicyDocument;
  return resourcesOf(synthesised).flatMap(({ stack, id, Type, Properties }) => [
    ...(HOLDERS[Type]?.properties ?? []).flatMap((property) => {
      const document = Properties?.[property];
      return document === undefined ? [] : [{ stack, id, type: Type, document: read(document) }];
    }),
    ...((Properties?.['Policies'] ?? []) as { PolicyDocument: unknown }[]).map(({ PolicyDocument }) => ({
      stack,
      id,
      type: 'AWS::IAM::Policy',
      document: read(PolicyDocument),
    })),
  ]);
}

/** Conditions whose keys are known at deployment only; the cluster's issuer is written OIDC. */
function lateConditions(synthesised: Synthesised): Map<unknown, unknown> {
  return new Map(
    resourcesOf(synthesised, 'Custom::AWSCDKCfnJson').map(({ id, Properties }) => {
      const conditions = Object.entries(parsed(Properties?.['Value']) as Record<string, unknown>);
      return [
        `\${${id}.Value}`,
        Object.fromEntries(conditions.map(([key, value]) => [key.replace(/^split\(.*\)\[1\]/, 'OIDC'), value])),
      ];
    }),
  );
}

/** Who may do what, in AWS and in Kubernetes. */
export function iamDigest(synthesised: Synthesised): unknown {
  const statements: Record<string, string[]> = {};
  for (const { stack, id, type, document } of policiesOf(synthesised)) {
    const name = `${stack} ${id} ${HOLDERS[type]?.label ?? 'may'}`;
    statements[name] = [...(statements[name] ?? []), ...document.Statement.map(sentence)];
  }
  return {
    statements: sorted(statements),
    managed: sorted(
      Object.fromEntries(
        resourcesOf(synthesised, 'AWS::IAM::Role').map(({ stack, id, Properties }) => [
          `${stack} ${id}`,
          ((plain(Properties?.['ManagedPolicyArns']) ?? []) as string[]).map((arn) => arn.replace(/^.*policy\//, '')),
        ]),
      ),
    ),
    clusterAccess: resourcesOf(synthesised, 'AWS::EKS::AccessEntry').map(({ Properties }) => plain(Properties)),
    rbac: Object.fromEntries(manifestsOf(synthesised).filter(isRbac).map(rbacEntry)),
  };
}

function sentence({ Effect, Action, Resource, Principal, Condition }: Statement): string {
  const parts = [
    Effect === 'Allow' ? '' : `${Effect} `,
    list(Action),
    Resource === undefined ? '' : ` on ${list(Resource)}`,
    Principal === undefined ? '' : ` by ${JSON.stringify(Principal)}`,
    Condition === undefined ? '' : ` if ${JSON.stringify(Condition)}`,
  ];
  return parts.join('');
}

function list(value: string | readonly string[] | undefined): string {
  return [value ?? []].flat().join(', ');
}

function sorted<T>(record: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

export function isRbac({ kind }: Manifest): boolean {
  return String(kind).includes('Role');
}

interface Rbac {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly rules?: readonly { apiGroups: string[]; resources: string[]; resourceNames?: string[]; verbs: string[] }[];
  readonly subjects?: readonly { kind: string; namespace: string; name: string }[];
}

function rbacEntry(manifest: Manifest): [string, string[]] {
  const { kind, metadata, rules = [], subjects = [] } = manifest as unknown as Rbac;
  const groupOf = ([group = '']: string[]): string => (group === '' ? '' : `${group}/`);
  return [
    `${kind} ${metadata.name}`,
    [
      ...rules.map(
        ({ apiGroups, resources, resourceNames, verbs }) =>
          `${list(verbs)} ${resources.map((name) => groupOf(apiGroups) + name).join(', ')}` +
          (resourceNames === undefined ? '' : ` named ${list(resourceNames)}`),
      ),
      ...subjects.map((subject) => `for ${subject.kind} ${subject.namespace}/${subject.name}`),
    ],
  ];
}
