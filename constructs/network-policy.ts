import { Construct } from 'constructs';
import { k8s } from 'cdk8s-plus-27';
import { LABELS, NAMES } from '../runtime/contract/names';
import { PORTS } from '../runtime/contract/ports';
import { labels } from './pod-defaults';

export interface NetworkProps {
  /** Subnets of the load balancer, such as `10.0.0.0/24`; only from there is X-Forwarded-For believed. */
  readonly albCidrs: readonly string[];
  /** Namespaces whose pods may call the proxy. @default none */
  readonly clientNamespaces?: readonly string[];
  /** Namespaces whose pods may read metrics. @default none */
  readonly monitoringNamespaces?: readonly string[];
}

export interface NetworkPolicyProps extends NetworkProps {
  /** Ports of providers and nodes. */
  readonly nodePorts: readonly number[];
  /** Name servers that HAProxy asks instead of the cluster's. @default none */
  readonly nameservers?: readonly { readonly ip: string; readonly port: number }[];
  /** @default no Redis */
  readonly redis?: { readonly cidrs: readonly string[]; readonly port: number };
}

/**
 * Who reaches what, in both directions; all else is refused.
 *
 *     load balancer, client namespaces ─▶ rpc        any pod of the cluster ─▶ http
 *     monitoring namespaces ─▶ admin, stats, weighter
 *     pods ─▶ DNS, name servers of their own, Redis, the ports of providers and nodes; not the cloud's own addresses, which give credentials
 */
export class NetworkPolicy extends Construct {
  constructor(scope: Construct, id: string, props: NetworkPolicyProps) {
    super(scope, id);
    new k8s.KubeNetworkPolicy(this, 'policy', {
      metadata: { name: NAMES.app, labels },
      spec: {
        podSelector: { matchLabels: { ...LABELS } },
        policyTypes: ['Ingress', 'Egress'],
        ingress: ingress(props),
        egress: egress(props),
      },
    });
  }
}

function ingress({ albCidrs, clientNamespaces = [], monitoringNamespaces = [] }: NetworkProps) {
  return [
    { from: [...albCidrs.map(network), ...clientNamespaces.map(namespace)], ports: tcp(PORTS.rpc) },
    { from: [{ namespaceSelector: {} }], ports: tcp(PORTS.http) },
    // A rule without a source would let everybody in.
    ...(monitoringNamespaces.length === 0
      ? []
      : [{ from: monitoringNamespaces.map(namespace), ports: tcp(PORTS.admin, PORTS.stats, PORTS.weighter) }]),
  ];
}

function egress({ nodePorts, nameservers = [], redis }: NetworkPolicyProps) {
  const dns = { ...namespace('kube-system'), podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } } };
  const anywhere = { ipBlock: { cidr: '0.0.0.0/0', except: ['169.254.0.0/16'] } };
  return [
    { to: [dns], ports: tcpAndUdp(53) },
    ...nameservers.map(({ ip, port }) => ({ to: [network(cidrOf(ip))], ports: tcpAndUdp(port) })),
    ...(redis === undefined ? [] : [{ to: redis.cidrs.map(network), ports: tcp(redis.port) }]),
    { to: [anywhere], ports: tcp(...nodePorts) },
  ];
}

function network(cidr: string): k8s.NetworkPolicyPeer {
  return { ipBlock: { cidr } };
}

/** By the label that Kubernetes gives each. */
function namespace(name: string): k8s.NetworkPolicyPeer {
  return { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } } };
}

function cidrOf(ip: string): string {
  return ip.includes(':') ? `${ip}/128` : `${ip}/32`;
}

function tcp(...ports: number[]): k8s.NetworkPolicyPort[] {
  return ports.map((port) => ({ protocol: 'TCP', port: k8s.IntOrString.fromNumber(port) }));
}

/** As DNS is spoken. */
function tcpAndUdp(port: number): k8s.NetworkPolicyPort[] {
  return [...tcp(port), { protocol: 'UDP', port: k8s.IntOrString.fromNumber(port) }];
}
