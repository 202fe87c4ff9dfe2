import { parseConfig } from '../../runtime/config/load';
import { loadHaproxyConfig } from '../../runtime/config/load-haproxy';
import { parseWeighterConfig } from '../../runtime/config/weighter-config';
import { type WorkloadFacts, workloadProps } from '../../lib/workload-props';
import { schemaFaults } from '../constructs/kubernetes-schema';
import { find, type Manifest, podSpec, synthesise as chartOf } from '../constructs/manifests';
import { RESTRICTED } from '../constructs/pod-security';
import { manifestsOf } from './manifests';
import { environments } from './synth';

const ALB = 'alb.ingress.kubernetes.io/';

describe.each(environments())('what %s runs', (_, synthesised) => {
  const { settings } = synthesised;
  const deployed = manifestsOf(synthesised, 'app') as unknown as Manifest[];
  const ingress = find(deployed, 'Ingress').metadata.annotations ?? {};
  const files = find(deployed, 'ConfigMap').data ?? {};
  const config = parseConfig(asDeployed(files['config.yaml']), { env: {}, readFile: () => '{"password":"any"}' });

  it('is the chart whose constructs are tested, and nothing else', () => {
    expect(deployed).toEqual(named(chartOf(workloadProps(settings, factsOf(deployed)))));
  });

  it.each(deployed.map((manifest) => [`${manifest.kind} ${manifest.metadata.name}`, manifest]))(
    'has a valid %s',
    (_name, manifest) => expect(schemaFaults(manifest)).toEqual([]),
  );

  it.each(Object.entries(RESTRICTED))('has a pod with %s', (_rule, faults) => {
    expect(faults(podSpec(deployed))).toEqual([]);
  });

  it('has configurations that its programs take', () => {
    const secrets = Object.fromEntries(settings.workload.providerSecrets.map((name) => [name, 'any']));
    const read = { env: {}, readFile: () => '{"password":"any"}' };
    expect(loadHaproxyConfig(asDeployed(files['config.yaml']), { ...read, secrets })).toBeDefined();
    expect(parseWeighterConfig(files['config.json'] ?? '', read)).toBeDefined();
    expect(Object.keys(files).sort()).toEqual(['config.json', 'config.yaml']);
  });

  it('reaches the cache through TLS, as the user that may do what it asks', () => {
    expect(config.redis).toMatchObject({
      url: 'rediss://known-when-deployed:6379',
      username: 'rpc-proxy',
      password: 'any',
      keyPrefix: 'rpc-balancer:',
    });
  });

  it('ends nothing before what needs it has ended', () => {
    const attribute = (annotation: string, name: string): number => {
      const pairs = (ingress[ALB + annotation] ?? '').split(',').map((pair) => pair.split('='));
      return 1000 * Number(pairs.find(([key]) => key === name)?.[1]);
    };
    const idleMs = attribute('load-balancer-attributes', 'idle_timeout.timeout_seconds');
    const deregistrationMs = attribute('target-group-attributes', 'deregistration_delay.timeout_seconds');
    const graceMs = 1000 * podSpec(deployed).terminationGracePeriodSeconds;
    const { drainDelayMs, drainTimeoutMs } = config.listen;
    expect(idleMs).toBe(1000 * settings.workload.idleTimeoutSeconds);
    expect(config.http.keepAliveTimeoutMs).toBeGreaterThan(idleMs);
    expect(drainDelayMs).toBeGreaterThanOrEqual(deregistrationMs + 5000);
    expect(graceMs).toBeGreaterThanOrEqual(drainDelayMs + drainTimeoutMs + config.haproxy.hardStopAfterMs + 10_000);
  });

  it('believes and lets in the networks of the load balancer alone', () => {
    const subnets = synthesised.stacks.get('network')?.template.Resources ?? {};
    const publicCidrs = Object.entries(subnets)
      .filter(([id, { Type }]) => Type === 'AWS::EC2::Subnet' && id.includes('public'))
      .map(([, { Properties }]) => Properties?.['CidrBlock']);
    expect(publicCidrs).toHaveLength(settings.zones.length);
    expect(config.trustedProxies).toEqual(publicCidrs);
    const { ingress: rules } = find(deployed, 'NetworkPolicy').spec as {
      ingress: { from: object[]; ports: unknown }[];
    };
    const byNetwork = rules.map(({ from, ...rule }) => ({ ...rule, from: from.filter((one) => 'ipBlock' in one) }));
    // Pods of the cluster and of namespaces are let in by what they are.
    expect(byNetwork.filter(({ from }) => from.length > 0)).toMatchObject([
      { from: publicCidrs.map((cidr) => ({ ipBlock: { cidr } })), ports: [{ port: 8545 }] },
    ]);
  });
});

/** What the template fills in, read where it went; as tokens, because it is not known. */
function factsOf(deployed: readonly Manifest[]): WorkloadFacts {
  const annotations = find(deployed, 'Ingress').metadata.annotations ?? {};
  const config = find(deployed, 'ConfigMap').data?.['config.yaml'] ?? '';
  const cidrsOf = (text: string): string[] => [...text.matchAll(/\d+\.\d+\.\d+\.\d+\/\d+/g)].map(([cidr]) => cidr);
  const webAcl = annotations[`${ALB}wafv2-acl-arn`];
  const [, cacheRule] = (find(deployed, 'NetworkPolicy').spec as { egress: { to: unknown }[] }).egress;
  return {
    image: token(podSpec(deployed).containers[0]?.image),
    serviceAccountRoleArn: token(find(deployed, 'ServiceAccount').metadata.annotations?.['eks.amazonaws.com/role-arn']),
    certificateArn: token(annotations[`${ALB}certificate-arn`]),
    securityGroup: token(annotations[`${ALB}security-groups`]),
    accessLogBucket: token(/s3\.bucket=([^,]*)/.exec(annotations[`${ALB}load-balancer-attributes`] ?? '')?.[1]),
    webAcl: webAcl === 'none' ? undefined : token(webAcl),
    cacheHost: token(/rediss:\/\/(\$\{[^}]*\})/.exec(config)?.[1]),
    albCidrs: cidrsOf(/trustedProxies:([^:]*):/.exec(config)?.[1] ?? ''),
    cacheCidrs: cidrsOf(JSON.stringify(cacheRule?.to)),
  };
}

const tokens: string[] = [];

function token(text = ''): string {
  return `\${Token[${tokens.push(text) - 1}]}`;
}

/** With what each token stood for. */
function named(manifests: readonly Manifest[]): unknown {
  return JSON.parse(
    JSON.stringify(manifests).replaceAll(/\$\{Token\[(\d+)\]\}/g, (_, index: string) => tokens[Number(index)] ?? ''),
  );
}

/** As CloudFormation fills it in: references of ours are `${stack:output}`, those of the programs have no such form. */
function asDeployed(text = ''): string {
  return text.replaceAll(/\$\{rpc-\w+-\w+:\w+\}/g, 'known-when-deployed');
}
