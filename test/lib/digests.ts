import { alarmDigest } from './digest-alarms';
import { iamDigest, isRbac } from './digest-iam';
import { type Manifest, manifestsOf } from './manifests';
import { parsed, plain } from './plain';
import { type Resource, resourcesOf, type Synthesised } from './synth';
import { synthesiseCi } from './synth-ci';

/** What a reviewer reads of an environment: one golden file each. */
export const DIGESTS: Record<string, (synthesised: Synthesised) => unknown> = {
  resources,
  iam: iamDigest,
  exposure,
  retention,
  values,
  alarms: alarmDigest,
  ci: ({ settings }) => iamDigest(synthesiseCi(settings)),
  manifests: (synthesised) => manifestsOf(synthesised, 'cluster').filter((manifest) => !isRbac(manifest)),
  workload: (synthesised) => manifestsOf(synthesised, 'app'),
};

/** Types and logical ids, by stack. */
function resources({ stacks }: Synthesised): unknown {
  return Object.fromEntries(
    [...stacks].map(([part, { template }]) => [
      part,
      Object.entries(template.Resources)
        .map(([id, { Type }]) => `${Type} ${id}`)
        .sort(),
    ]),
  );
}

/** What can be reached, and from where. */
function exposure(synthesised: Synthesised): unknown {
  const of = (type: string, ...keys: string[]): unknown[] =>
    resourcesOf(synthesised, type).map(({ stack, id, Properties }) => ({
      at: `${stack} ${id}`,
      ...pick(Properties, keys),
    }));
  const cluster = resourcesOf(synthesised, 'AWS::EKS::Cluster').map(
    ({ Properties }) => Properties?.['ResourcesVpcConfig'],
  );
  return {
    securityGroups: of('AWS::EC2::SecurityGroup', 'SecurityGroupIngress', 'SecurityGroupEgress'),
    ingress: of(
      'AWS::EC2::SecurityGroupIngress',
      'IpProtocol',
      'FromPort',
      'ToPort',
      'CidrIp',
      'SourceSecurityGroupId',
    ),
    loadBalancer: manifestsOf(synthesised, 'app')
      .filter(({ kind }) => kind === 'Ingress')
      .map(ingress),
    names: of('AWS::Route53::RecordSet', 'Type', 'Name', 'AliasTarget'),
    certificates: of('AWS::CertificateManager::Certificate', 'DomainName', 'SubjectAlternativeNames'),
    firewall: of('AWS::WAFv2::WebACL', 'Rules', 'CustomResponseBodies'),
    kubernetesApi: cluster.map((config) =>
      pick(config as Resource['Properties'], ['EndpointPublicAccess', 'EndpointPrivateAccess', 'PublicAccessCidrs']),
    ),
    subnets: of('AWS::EC2::Subnet', 'AvailabilityZone', 'CidrBlock', 'MapPublicIpOnLaunch'),
    routesOut: of('AWS::EC2::Route', 'DestinationCidrBlock', 'GatewayId', 'NatGatewayId'),
    buckets: of('AWS::S3::Bucket', 'PublicAccessBlockConfiguration'),
    cache: of('AWS::ElastiCache::ReplicationGroup', 'TransitEncryptionMode', 'SecurityGroupIds', 'UserGroupIds'),
    nodes: of('AWS::EC2::LaunchTemplate', 'LaunchTemplateData'),
  };
}

/** What an Ingress asks of the load balancer that others can see. */
function ingress({ metadata, spec }: Manifest): unknown {
  const { annotations = {} } = metadata as { annotations?: Record<string, string> };
  const told = ['scheme', 'security-groups', 'listen-ports', 'ssl-redirect', 'ssl-policy', 'wafv2-acl-arn'];
  const { rules } = spec as { rules: { host: string }[] };
  return {
    hosts: rules.map(({ host }) => host),
    ...Object.fromEntries(
      told
        .map((name) => [name, annotations[`alb.ingress.kubernetes.io/${name}`]] as const)
        .filter(([, value]) => value !== undefined),
    ),
  };
}

/** What outlives what, and for how long. */
function retention(synthesised: Synthesised): unknown {
  return {
    stacks: [...synthesised.stacks].map(([part, { terminationProtection }]) => ({ part, terminationProtection })),
    clusters: resourcesOf(synthesised, 'AWS::EKS::Cluster').map(({ Properties }) => ({
      deletionProtection: Properties?.['DeletionProtection'],
    })),
    policies: resourcesOf(synthesised)
      .filter(({ DeletionPolicy, Type }) => DeletionPolicy !== undefined && !Type.startsWith('Custom::'))
      .map(
        ({ stack, id, DeletionPolicy, UpdateReplacePolicy }) =>
          `${stack} ${id}: ${DeletionPolicy}, replaced: ${UpdateReplacePolicy}`,
      ),
    logs: resourcesOf(synthesised, 'AWS::Logs::LogGroup').map(
      ({ id, Properties }) =>
        `${String(plain(Properties?.['LogGroupName'] ?? id))}: ${String(Properties?.['RetentionInDays'])} days`,
    ),
    buckets: resourcesOf(synthesised, 'AWS::S3::Bucket').map(({ id, Properties }) => ({
      id,
      rules: Properties?.['LifecycleConfiguration'],
    })),
    snapshots: resourcesOf(synthesised, 'AWS::ElastiCache::ReplicationGroup').map(
      ({ Properties }) => `${String(Properties?.['SnapshotRetentionLimit'])} days`,
    ),
  };
}

/** Of Helm charts and add-ons. */
function values(synthesised: Synthesised): unknown {
  return {
    addons: resourcesOf(synthesised, 'AWS::EKS::Addon').map(({ Properties }) => ({
      ...pick(Properties, ['AddonName', 'AddonVersion', 'ResolveConflicts', 'ServiceAccountRoleArn']),
      values: Properties?.['ConfigurationValues'] === undefined ? {} : parsed(Properties['ConfigurationValues']),
    })),
    charts: resourcesOf(synthesised, 'Custom::AWSCDK-EKS-HelmChart').map(({ Properties }) => ({
      ...pick(Properties, ['Chart', 'Repository', 'Version', 'Namespace', 'Wait']),
      values: parsed(Properties?.['Values']),
    })),
  };
}

function pick(properties: Resource['Properties'], keys: readonly string[]): Record<string, unknown> {
  const entries = keys.map((key) => [key, plain(properties?.[key])] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}
