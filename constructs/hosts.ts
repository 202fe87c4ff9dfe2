import type { Duration } from 'cdk8s';
import { NAMES } from '../runtime/contract/names';
import { PORTS, ROUTES } from '../runtime/contract/ports';

/** A host name of the load balancer, and the Service its requests go to. */
export interface HostProps {
  /** Such as `rpc.example.com`. */
  readonly host: string;
  /** Of the Service. @default the chart's */
  readonly namespace?: string;
  /** Name of the Service. @default the proxy's */
  readonly service?: string;
  /** Port of the Service; of the proxy's, `rpc` alone. @default the proxy's `rpc` */
  readonly port?: number;
  /** Name of the forwarding action. @default the service and the port, such as `rpc-proxy-8545` */
  readonly action?: string;
  /** Share of the action's traffic, 0 to 999. @default 100 */
  readonly weight?: number;
  /** Path that answers 200 when a pod can serve; the same for all hosts of one Service. @default `/readyz` */
  readonly healthCheckPath?: string;
  /**
   * For how long a cookie keeps a client on its pod, 1 s to 7 days; the same for all hosts of one Service. Clients of
   * JSON-RPC keep no cookies. @default no stickiness
   */
  readonly stickiness?: Duration;
}

export type Host = Required<Omit<HostProps, 'stickiness'>> & { readonly stickinessSeconds: number | undefined };

export function toHost(props: HostProps, chartNamespace: string): Host {
  const { host, namespace = chartNamespace, service = NAMES.app, port = PORTS.rpc, weight = 100 } = props;
  const { action = `${service}-${port}`, healthCheckPath = ROUTES.readyz, stickiness } = props;
  return {
    host,
    namespace,
    service,
    port,
    action,
    weight,
    healthCheckPath,
    // What is no whole number is refused where hosts are checked.
    stickinessSeconds: stickiness?.toSeconds({ integral: false }),
  };
}

/** The hosts of one Service: they share an Ingress, since health checks and stickiness are told once for one. */
export interface HostGroup {
  readonly namespace: string;
  readonly service: string;
  /** Not empty. */
  readonly hosts: readonly [Host, ...Host[]];
}

/** In the order in which they come. */
export function groupHosts(hosts: readonly Host[]): HostGroup[] {
  const groups = new Map<string, [Host, ...Host[]]>();
  for (const host of hosts) {
    const key = `${host.namespace}/${host.service}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [host]);
    else group.push(host);
  }
  return [...groups.values()].map((group) => ({
    namespace: group[0].namespace,
    service: group[0].service,
    hosts: group,
  }));
}
