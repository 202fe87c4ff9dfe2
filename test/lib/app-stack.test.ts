import type { Settings } from '../../lib/settings';
import { find, type Manifest } from '../constructs/manifests';
import { example } from './example';
import { manifestsOf } from './manifests';
import { onlyOf, propertiesOf } from './properties';
import { changed } from './rejected';
import { environments, type Resource, resourcesOf, synthesise } from './synth';

const ALB = 'alb.ingress.kubernetes.io/';

/** The guide's example of more hosts, of a service that somebody else runs. */
const GRAPH_NODE = [
  { host: 'subgraph-api.staging.example.com', port: 8000, action: 'graph-node-jsonrpc' },
  { host: 'subgraph-ws.staging.example.com', port: 8001, action: 'graph-node-websocket' },
].map((host) => ({ ...host, namespace: 'graph', service: 'graph-node', healthCheckPath: '/', stickinessSeconds: 60 }));

const all = environments();

describe.each(all)('the app of %s', (name, synthesised) => {
  const resources = synthesised.stacks.get('app')?.template.Resources ?? {};
  const named = (start: string): [string, Resource] => {
    const found = Object.entries(resources).filter(([id]) => id.startsWith(start));
    expect(found).toHaveLength(1);
    return found[0] ?? ['', { Type: '' }];
  };

  it('makes the namespace first, and never prunes it', () => {
    const [namespaceId, { Properties }] = named('workloadnamespace');
    expect(Properties).not.toHaveProperty('PruneLabel');
    const [, { DependsOn, Properties: ofChart }] = named('workloadmanifest');
    expect(DependsOn).toContain(namespaceId);
    expect(ofChart).toHaveProperty('PruneLabel');
  });

  it('has all that pods and load balancer need from their first moment before them, and deletes it after them', () => {
    const [, { DependsOn = [], Properties }] = named('workloadmanifest');
    for (const start of ['roleDefaultPolicy', 'accesslogsPolicy', 'cachefrompods']) {
      expect(DependsOn).toContain(named(start)[0]);
    }
    for (const start of ['certificate', 'frontend', 'accesslogsDE', 'role']) {
      const [id] = start === 'role' ? ['roleC7B7E775'] : named(start);
      expect(JSON.stringify(Properties)).toContain(`"${id}"`);
    }
  });

  it('waits for the address of the Ingress, asks for the load balancer, and then tells DNS', () => {
    const [address, waits] = named('loadbalanceraddress');
    expect(waits.DependsOn).toContain(named('workloadmanifest')[0]);
    expect(waits.Properties).toMatchObject({
      ObjectType: 'ingress',
      ObjectName: 'rpc-proxy-ingress',
      ObjectNamespace: synthesised.settings.workload.namespace,
      JsonPath: '.status.loadBalancer.ingress[0].hostname',
      TimeoutSeconds: 600,
    });
    const [lookup, asks] = named('loadbalancerlookupF');
    expect(asks.DependsOn).toContain(address);
    for (const when of ['Create', 'Update']) {
      expect(JSON.parse(String(asks.Properties?.[when]))).toMatchObject({
        action: 'DescribeLoadBalancersCommand',
        parameters: { Names: [`rpc-${name}`] },
      });
    }
    expect(asks.Properties).not.toHaveProperty('Delete');
    const records = resourcesOf(synthesised, 'AWS::Route53::RecordSet');
    expect(records.map(({ Properties }) => Properties?.['Name'])).toEqual(
      synthesised.settings.workload.hosts.map(({ host }) => `${host}.`),
    );
    for (const { Properties } of records) {
      expect(Properties).toMatchObject({
        HostedZoneId: synthesised.settings.workload.hostedZone.id,
        AliasTarget: { DNSName: { 'Fn::GetAtt': [lookup, 'LoadBalancers.0.DNSName'] } },
      });
    }
  });

  it('lets pods, and nothing else, connect to the cache', () => {
    expect(propertiesOf(synthesised, 'AWS::EC2::SecurityGroupIngress')).toEqual([
      {
        Description: 'Pods of the cluster',
        GroupId: `\${rpc-${name}-cache:securitygroupE7525979GroupId}`,
        SourceSecurityGroupId: `\${rpc-${name}-cluster:cluster611F8AFFClusterSecurityGroupId}`,
        IpProtocol: 'tcp',
        FromPort: 6379,
        ToPort: 6379,
      },
    ]);
  });
});

// A reference to another stack is the same text when what it stands for was replaced: see lib/workload.ts.
it('applies the manifest again when the cache is made otherwise', () => {
  const manifestOf = (settings: Settings): Record<string, unknown> => {
    const found = resourcesOf(synthesise(settings)).find(({ id }) => id.startsWith('workloadmanifest'));
    return found?.Properties ?? {};
  };
  const before = manifestOf(example);
  const after = manifestOf(changed(example, { 'cache.nodeType': 'cache.m7g.large' }));
  expect(after['Manifest']).toEqual(before['Manifest']);
  expect(after['Revision']).not.toEqual(before['Revision']);
});

describe('more hosts', () => {
  const synthesised = synthesise(changed(example, { 'workload.hosts': [...example.workload.hosts, ...GRAPH_NODE] }));
  const manifests = manifestsOf(synthesised, 'app') as unknown as Manifest[];

  it('join certificate and DNS', () => {
    const hosts = ['rpc', 'ws', 'subgraph-api', 'subgraph-ws'].map((host) => `${host}.staging.example.com`);
    const { DomainName, SubjectAlternativeNames } = onlyOf(synthesised, 'AWS::CertificateManager::Certificate');
    expect([DomainName, ...(SubjectAlternativeNames as string[])]).toEqual(hosts);
    const records = propertiesOf(synthesised, 'AWS::Route53::RecordSet').map(({ Name }) => Name);
    expect(records).toEqual(hosts.map((host) => `${host}.`));
  });

  it("are an Ingress beside their service, on the same load balancer, with the guide's actions", () => {
    const { metadata } = find(manifests, 'Ingress', 'graph-node-ingress');
    const annotations = metadata.annotations ?? {};
    expect(metadata.namespace).toBe('graph');
    expect(annotations[`${ALB}group.name`]).toBe('rpc-staging');
    for (const { action, port } of GRAPH_NODE) {
      expect(JSON.parse(annotations[`${ALB}actions.${action}`] ?? '')).toMatchObject({
        type: 'forward',
        forwardConfig: { targetGroups: [{ serviceName: 'graph-node', servicePort: port, weight: 100 }] },
      });
    }
    expect(annotations[`${ALB}target-group-attributes`]).toContain('stickiness.lb_cookie.duration_seconds=60');
  });
});
