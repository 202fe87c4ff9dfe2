import { Duration } from 'cdk8s';
import { ENVIRONMENTS } from './environments';
import { find, type Manifest, synthesise } from './manifests';

const PREFIX = 'alb.ingress.kubernetes.io/';

function annotation({ metadata }: Manifest, name: string): string | undefined {
  return metadata.annotations?.[PREFIX + name];
}

function pairs(manifest: Manifest, name: string): Record<string, string> {
  const text = annotation(manifest, name) ?? '';
  return Object.fromEntries(text.split(',').map((pair) => pair.split('=') as [string, string]));
}

const { prod, staging } = ENVIRONMENTS;
const manifests = synthesise(prod);
const own = find(manifests, 'Ingress', 'rpc-proxy-ingress');
const graph = find(manifests, 'Ingress', 'graph-node-ingress');

describe('the Ingress of the proxy', () => {
  it('is for the AWS Load Balancer Controller by its class; the annotation is deprecated', () => {
    expect(own.spec).toMatchObject({ ingressClassName: 'alb' });
    expect(Object.keys(own.metadata.annotations ?? {}).filter((key) => !key.startsWith(PREFIX))).toEqual([]);
  });

  it('sends both host names to the proxy', () => {
    const { rules } = own.spec as { rules: { host: string; http: { paths: unknown[] } }[] };
    expect(rules.map(({ host }) => host)).toEqual(['rpc.example.com', 'ws.example.com']);
    expect(JSON.parse(annotation(own, 'actions.rpc-proxy-8545') ?? '')).toEqual({
      type: 'forward',
      forwardConfig: { targetGroups: [{ serviceName: 'rpc-proxy', servicePort: 8545, weight: 100 }] },
    });
    for (const { http } of rules) {
      const backend = { service: { name: 'rpc-proxy-8545', port: { name: 'use-annotation' } } };
      expect(http.paths).toEqual([{ path: '/', pathType: 'Prefix', backend }]);
    }
  });

  it('speaks TLS only: port 80 leads to 443', () => {
    expect(JSON.parse(annotation(own, 'listen-ports') ?? '')).toEqual([{ HTTP: 80 }, { HTTPS: 443 }]);
    expect(annotation(own, 'ssl-redirect')).toBe('443');
    expect(annotation(own, 'ssl-policy')).toBe('ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09');
  });

  it('asks pods whether they want traffic, gives them the time to end, and picks the less busy one', () => {
    expect(annotation(own, 'target-type')).toBe('ip');
    expect(annotation(own, 'healthcheck-path')).toBe('/readyz');
    expect(pairs(own, 'target-group-attributes')).toEqual({
      'load_balancing.algorithm.type': 'least_outstanding_requests',
      'deregistration_delay.timeout_seconds': '30',
    });
  });

  it('is protected and logged in prod, and in prod only', () => {
    expect(pairs(own, 'load-balancer-attributes')).toEqual({
      'idle_timeout.timeout_seconds': '3600',
      'deletion_protection.enabled': 'true',
      'routing.http.drop_invalid_header_fields.enabled': 'true',
      'access_logs.s3.enabled': 'true',
      'access_logs.s3.bucket': 'rpc-prod-alb-logs',
      'access_logs.s3.prefix': 'rpc-prod',
    });
    expect(pairs(find(synthesise(staging), 'Ingress'), 'load-balancer-attributes')).toMatchObject({
      'deletion_protection.enabled': 'false',
      'access_logs.s3.enabled': 'false',
    });
  });

  it('has a security group that others can review, and lets the controller open the way to the pods', () => {
    expect(annotation(own, 'security-groups')).toBe('sg-0fedcba9876543210');
    expect(annotation(own, 'manage-backend-security-group-rules')).toBe('true');
  });

  it('keeps a client on its pod by cookie only where asked, in the target group and in the action', () => {
    const hosts = [{ host: 'rpc.example.com', stickiness: Duration.minutes(5) }];
    const sticky = find(synthesise({ ...staging, alb: { ...staging.alb, hosts } }), 'Ingress');
    expect(pairs(sticky, 'target-group-attributes')).toMatchObject({
      'stickiness.enabled': 'true',
      'stickiness.lb_cookie.duration_seconds': '300',
    });
    expect(JSON.parse(annotation(sticky, 'actions.rpc-proxy-8545') ?? '')).toMatchObject({
      forwardConfig: { targetGroupStickinessConfig: { enabled: true, durationSeconds: 300 } },
    });
  });

  it('has a firewall where one is given', () => {
    expect(annotation(own, 'wafv2-acl-arn')).toBeUndefined();
    const alb = { ...staging.alb, webAclArn: 'arn:aws:wafv2:x:1:regional/webacl/rpc/1' };
    expect(annotation(find(synthesise({ ...staging, alb }), 'Ingress'), 'wafv2-acl-arn')).toBe(alb.webAclArn);
  });
});

describe("the Ingress of the guide's graph-node", () => {
  /** As the guide has it, word for word; only `stickiness` makes more of it. */
  const GUIDE = {
    'graph-node-jsonrpc': `{"type": "forward", "forwardConfig": {"targetGroups": [
        {"serviceName": "graph-node", "servicePort": 8000, "weight": 100}
      ]}}`,
    'graph-node-websocket': `{"type": "forward", "forwardConfig": {"targetGroups": [
        {"serviceName": "graph-node", "servicePort": 8001, "weight": 100}
      ]}}`,
  };

  it("has the guide's actions", () => {
    const [rpc, ws, ...others] = prod.alb.hosts;
    if (rpc === undefined || ws === undefined) throw new Error('no hosts');
    const hosts = [rpc, ws, ...others.map(({ stickiness: _, ...host }) => host)];
    const plain = find(synthesise({ ...prod, alb: { ...prod.alb, hosts } }), 'Ingress', 'graph-node-ingress');
    for (const [name, action] of Object.entries(GUIDE)) {
      expect(JSON.parse(annotation(plain, `actions.${name}`) ?? '')).toEqual(JSON.parse(action));
      expect(JSON.parse(annotation(graph, `actions.${name}`) ?? '')).toMatchObject(JSON.parse(action) as object);
    }
  });

  it("has the guide's rules and stickiness", () => {
    expect(graph.spec).toEqual({
      ingressClassName: 'alb',
      rules: [
        { host: 'subgraph-api.example.com', http: { paths: [path('graph-node-jsonrpc')] } },
        { host: 'subgraph-ws.example.com', http: { paths: [path('graph-node-websocket')] } },
      ],
    });
    expect(pairs(graph, 'target-group-attributes')).toMatchObject({
      'stickiness.enabled': 'true',
      'stickiness.lb_cookie.duration_seconds': '60',
    });
  });

  function path(name: string): object {
    return { path: '/', pathType: 'Prefix', backend: { service: { name, port: { name: 'use-annotation' } } } };
  }

  it('stands beside its Service, on the same load balancer', () => {
    expect(graph.metadata.namespace).toBe('graph');
    expect(annotation(graph, 'group.name')).toBe(annotation(own, 'group.name'));
  });

  it('says nothing of the load balancer as a whole: of these one Ingress of the group decides', () => {
    const exclusive = [
      'scheme',
      'load-balancer-name',
      'load-balancer-attributes',
      'security-groups',
      'manage-backend-security-group-rules',
      'ssl-policy',
      'ssl-redirect',
    ];
    for (const name of exclusive) {
      expect([name, annotation(own, name)]).toEqual([name, expect.any(String)]);
      expect([name, annotation(graph, name)]).toEqual([name, undefined]);
    }
  });

  it('has listener and certificate all the same: without, its rules would be on port 80 alone', () => {
    expect(JSON.parse(annotation(graph, 'listen-ports') ?? '')).toEqual([{ HTTPS: 443 }]);
    expect(annotation(graph, 'certificate-arn')).toBe(annotation(own, 'certificate-arn'));
  });

  it('has a health check of its own', () => {
    expect(annotation(graph, 'healthcheck-path')).toBe('/');
  });
});
