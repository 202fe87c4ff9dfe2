import { example } from './example';
import { changed } from './rejected';
import { environments, resourcesOf, synthesise } from './synth';

/**
 * Logical ids of what holds state, or of what Kubernetes deletes when the id changes. CloudFormation knows a resource by
 * its id alone: a construct that is moved or renamed means a new cluster, a new cache, new keys. Never change one here
 * without a plan for what becomes of the old one.
 */
const LOCKED: Readonly<Record<string, string>> = {
  'network vpcA2121C38': 'AWS::EC2::VPC',
  'network flowlogsF7236B43': 'AWS::S3::Bucket',
  'cluster cluster611F8AFF': 'AWS::EKS::Cluster',
  'cluster clusterOidcProviderNative18394D07': 'AWS::IAM::OIDCProvider',
  'cluster kubernetessecrets83CA9B20': 'AWS::KMS::Key',
  'cluster providersecretkey511A6B64': 'AWS::KMS::Key',
  'cluster providersecret8E616521': 'AWS::SecretsManager::Secret',
  'cluster vpccni': 'AWS::EKS::Addon',
  'cluster clusterautoscalermanifestF9DCCA4D': 'Custom::AWSCDK-EKS-KubernetesResource',
  'cluster clusterautoscaleraccountmanifestaccountServiceAccountResource20A4FEFE':
    'Custom::AWSCDK-EKS-KubernetesResource',
  'observability alarmtopic1D8EE27F': 'AWS::SNS::Topic',
  'cache group': 'AWS::ElastiCache::ReplicationGroup',
  'cache keyFEDD6EC0': 'AWS::KMS::Key',
  'cache accesssecretABA5B675': 'AWS::SecretsManager::Secret',
  'cache accessuser952DB190': 'AWS::ElastiCache::User',
  'cache accessusers4002F1D5': 'AWS::ElastiCache::UserGroup',
  'app workloadnamespace851083CD': 'Custom::AWSCDK-EKS-KubernetesResource',
  'app workloadmanifest8CAAB749': 'Custom::AWSCDK-EKS-KubernetesResource',
  'app accesslogsDE09D170': 'AWS::S3::Bucket',
  'app certificateEC031123': 'AWS::CertificateManager::Certificate',
};

/** Of groups of nodes, which are called after their zones: those of the example. */
const NODES = ['nodesapnortheast1a17220ADF', 'nodesapnortheast1cBC9B77F6'];
/** Of the controller, whose id the CDK makes of the cluster's path. */
const CONTROLLER = 'rpcstagingcluster7801072FAlbControllerB6512B2A';

it('ids that are made of names stay as they are', () => {
  const idsOf = (type: string): string[] => resourcesOf(synthesise(example), type).map(({ id }) => id);
  expect(idsOf('AWS::EKS::Nodegroup')).toEqual(NODES);
  expect(idsOf('Custom::AWSCDK-EKS-HelmChart')).toEqual([CONTROLLER]);
});

describe.each(environments())('%s', (name, synthesised) => {
  it('keeps the ids of what holds state', () => {
    const found = Object.fromEntries(resourcesOf(synthesised).map(({ stack, id, Type }) => [`${stack} ${id}`, Type]));
    expect(Object.fromEntries(Object.keys(LOCKED).map((id) => [id, found[id]]))).toEqual(LOCKED);
  });

  it('is made after what it needs, and deleted before it', () => {
    const after = Object.fromEntries([...synthesised.stacks].map(([part, stack]) => [part, stack.after]));
    const [network, ...others] = ['network', 'cluster', 'cache'].map((part) => `rpc-${name}-${part}`);
    const app = `rpc-${name}-app`;
    expect(after).toEqual({
      network: [],
      cluster: [network],
      cache: [network],
      app: [network, ...others],
      observability: [network, ...others, app],
    });
  });

  it('gives every manifest and every chart time to go before the nodes do', () => {
    // Those of other stacks go with their stack, before this one.
    const applied = resourcesOf(synthesised).filter(
      ({ stack, Type }) => stack === 'cluster' && Type.startsWith('Custom::AWSCDK-EKS-'),
    );
    expect(applied.length).toBeGreaterThanOrEqual(4);
    const groups = resourcesOf(synthesised, 'AWS::EKS::Nodegroup').map(({ id }) => id);
    for (const { id, DependsOn } of applied) {
      expect({ id, missing: groups.filter((group) => DependsOn?.includes(group) !== true) }).toEqual({
        id,
        missing: [],
      });
    }
  });

  it('has the network add-ons before nodes, the others after', () => {
    const addons = resourcesOf(synthesised, 'AWS::EKS::Addon');
    const groups = resourcesOf(synthesised, 'AWS::EKS::Nodegroup');
    const before = ['vpc-cni', 'kube-proxy'];
    const isBefore = ({ Properties }: (typeof addons)[number]): boolean =>
      before.includes(String(Properties?.['AddonName']));
    for (const group of groups) {
      expect(group.DependsOn).toEqual(expect.arrayContaining(addons.filter(isBefore).map(({ id }) => id)));
    }
    for (const addon of addons.filter((each) => !isBefore(each))) {
      expect(addon.DependsOn).toEqual(expect.arrayContaining(groups.map(({ id }) => id)));
    }
  });

  it('makes log groups before AWS would', () => {
    const dependsOn = resourcesOf(synthesised).find(({ Type }) => Type === 'AWS::EKS::Cluster')?.DependsOn ?? [];
    expect(dependsOn.some((id) => id.startsWith('controlplanelogs'))).toBe(true);
    const agent = resourcesOf(synthesised).find(({ id }) => id === 'cloudwatch')?.DependsOn ?? [];
    expect(agent.filter((id) => /^(application|dataplane|host|performance)logs/.test(id))).toHaveLength(4);
  });
});

describe('a stack', () => {
  const reference = synthesise(example);
  const changesOf = (path: string, value: unknown): string[] => {
    const { stacks } = synthesise(changed(example, { [path]: value }));
    return [...stacks]
      .filter(([part, { template }]) => !same(template, reference.stacks.get(part)?.template))
      .map(([part]) => part);
  };

  // The CLI skips a stack whose text is the same; it would keep what the other stack replaced.
  it('has another text when the one it follows is made otherwise', () => {
    expect(changesOf('network.natGateways', 2).sort()).toEqual(['app', 'cache', 'cluster', 'network', 'observability']);
    expect(changesOf('cache.nodeType', 'cache.m7g.large').sort()).toEqual(['app', 'cache', 'observability']);
  });

  it('has the same text, synthesised again for something else', () => {
    expect(changesOf('operations.budgetUsd', 601)).toEqual(['observability']);
  });
});

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
