import { InstanceArchitecture } from 'aws-cdk-lib/aws-ec2';
import { ARCH } from '../../lib/arch';
import { accessString } from '../../lib/cache-access';
import { CACHE_KEY_PREFIX, CACHE_USER } from '../../lib/cache-names';
import { KUBERNETES } from '../../lib/kubernetes-version';
import { type Manifest, manifestsOf } from './manifests';
import { onlyOf, propertiesOf } from './properties';
import { environments, resourcesOf } from './synth';

/** Bytes of a manifest; CloudFormation hands a custom resource no more than 256 KiB in all. */
const MANIFEST_BYTES = 200_000;

describe.each(environments())('%s', (_, synthesised) => {
  const { settings } = synthesised;
  const all = (type: string): Record<string, unknown>[] => propertiesOf(synthesised, type);
  const only = (type: string): Record<string, unknown> => onlyOf(synthesised, type);

  it('has nodes, images and instances of one architecture', () => {
    const { ami, instances } = ARCH[settings.nodes.arch];
    const nodeArch = settings.nodes.arch === 'arm64' ? 'arm64' : 'amd64';
    const groups = all('AWS::EKS::Nodegroup');
    expect(groups).toHaveLength(settings.zones.length);
    for (const group of groups) {
      expect(group).toMatchObject({ AmiType: ami, InstanceTypes: settings.nodes.instanceTypes });
      // By the letter that AWS puts there for its own processors.
      const kinds = settings.nodes.instanceTypes.map((name) => /^[a-z]+\d+g/.test(name));
      expect(kinds).toEqual(kinds.map(() => instances === InstanceArchitecture.ARM_64));
    }
    const built = [{ platform: `linux/${nodeArch}`, file: 'runtime/Dockerfile' }];
    expect(synthesised.stacks.get('app')?.images).toEqual(settings.workload.image.kind === 'asset' ? built : []);
    const pods = manifestsOf(synthesised).filter(({ kind, metadata }) => kind === 'Deployment' && isOurs(metadata));
    expect(pods).toHaveLength(1);
    expect(pods[0]).toMatchObject({
      spec: { template: { spec: { nodeSelector: { 'kubernetes.io/arch': nodeArch } } } },
    });
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
    // As test/lib/cache-access.test.ts tries it.
    expect(only('AWS::ElastiCache::User')).toMatchObject({
      UserName: CACHE_USER,
      AccessString: accessString(CACHE_KEY_PREFIX),
    });
    expect(only('AWS::ElastiCache::UserGroup')).toMatchObject({ UserIds: ['${accessuser952DB190}'] });
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
});

function isOurs(metadata: unknown): boolean {
  return (metadata as { name: string }).name === 'rpc-proxy';
}

function containerOf(manifests: readonly Manifest[], name: string): unknown {
  return manifests
    .filter((manifest) => manifest['kind'] === 'Deployment')
    .flatMap((manifest) => (manifest as unknown as Deployment).spec.template.spec.containers)
    .find((container) => container.name === name);
}

interface Deployment {
  readonly spec: { readonly template: { readonly spec: { readonly containers: { readonly name: string }[] } } };
}
