import { ENVIRONMENTS } from './environments';
import { find, synthesise } from './manifests';

interface Rule {
  readonly from?: readonly unknown[];
  readonly to?: readonly unknown[];
  readonly ports: readonly { readonly protocol: string; readonly port: number }[];
}

describe.each(Object.entries(ENVIRONMENTS))('the network policy of %s', (_, props) => {
  const { spec } = find(synthesise(props), 'NetworkPolicy');
  const { policyTypes, podSelector, ingress, egress } = spec as {
    policyTypes: unknown;
    podSelector: unknown;
    ingress: Rule[];
    egress: Rule[];
  };
  const namespace = (name: string): object => ({
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } },
  });
  const cidrs = (list: readonly string[]): object[] => list.map((cidr) => ({ ipBlock: { cidr } }));
  const into = (port: number): unknown[] =>
    ingress.filter(({ ports }) => ports.some((one) => one.port === port)).flatMap(({ from }) => from ?? ['everybody']);

  it('is for the pods, in both directions: what it does not name is refused', () => {
    expect(podSelector).toEqual({ matchLabels: { app: 'rpc-proxy' } });
    expect(policyTypes).toEqual(['Ingress', 'Egress']);
  });

  it('lets the load balancer and the named namespaces to the proxy', () => {
    const { albCidrs, clientNamespaces = [] } = props.network;
    expect(into(8545)).toEqual([...cidrs(albCidrs), ...clientNamespaces.map(namespace)]);
  });

  it('lets the cluster, and nobody from outside, to the pool', () => {
    expect(into(8000)).toEqual([{ namespaceSelector: {} }]);
  });

  it('lets monitoring, and nobody else, see how the programs are', () => {
    const { monitoringNamespaces = [] } = props.network;
    for (const port of [9090, 8404, 9091]) expect(into(port)).toEqual(monitoringNamespaces.map(namespace));
  });

  it('opens nothing else, and nothing to everybody', () => {
    const open = new Set(ingress.flatMap(({ ports }) => ports.map(({ port }) => port)));
    expect([8000, 8404, 8545, 9090, 9091]).toEqual(expect.arrayContaining([...open]));
    for (const { from, ports } of ingress) {
      expect(from).not.toEqual([]);
      expect(from).toBeDefined();
      expect(ports).not.toEqual([]);
    }
  });

  it("lets out to DNS, Redis and the nodes' ports, and not to the address that gives credentials", () => {
    const tcp = (...list: number[]): object[] => list.map((port) => ({ port, protocol: 'TCP' }));
    const dns = { ...namespace('kube-system'), podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } } };
    const nodes = props.redis === undefined ? tcp(443) : tcp(443, 8545);
    expect(egress).toEqual([
      { to: [dns], ports: [...tcp(53), { port: 53, protocol: 'UDP' }] },
      ...(props.redis === undefined ? [] : [{ to: cidrs(props.redis.cidrs), ports: tcp(6379) }]),
      { to: [{ ipBlock: { cidr: '0.0.0.0/0', except: ['169.254.0.0/16'] } }], ports: nodes },
    ]);
  });
});
