import { network } from '../runtime/config/forms';
import { ALB_DEFAULTS } from './alb-props';
import { SCALING_DEFAULTS } from './autoscaling';
import { type Host, toHost } from './hosts';
import type { Rule } from './problems';
import { NAMES } from '../runtime/contract/names';
import type { RpcChartProps } from './rpc-chart';
import { isToken } from './tokens';

/** What each prop of the chart must be by itself. */
export function chartRules(props: RpcChartProps): Rule[] {
  return [
    text('namespace', props.namespace, DNS_LABEL, 'a name of lower-case letters, digits and dashes'),
    text('image', props.image, BY_DIGEST, 'an image by digest, such as registry.example/rpc@sha256:…'),
    ...(props.haproxyImage === undefined
      ? []
      : [text('haproxyImage', props.haproxyImage, BY_DIGEST, 'an image by digest, such as haproxy:3.2@sha256:…')]),
    ...networkRules(props),
    ...scalingRules(props),
    ...albRules(props),
    ...hostRules(props),
  ];
}

const DNS_LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const BY_DIGEST = /@sha256:[0-9a-f]{64}$/;
const HOST = /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,}$/;
const ALB_NAME = /^(?!internal-)[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/i;

function text(path: string, got: string, form: RegExp, rule: string): Rule {
  return { path, rule, got, holds: isToken(got) || form.test(got) };
}

function whole(path: string, got: number, min: number, max: number): Rule {
  const holds = Number.isInteger(got) && got >= min && got <= max;
  return { path, rule: `a whole number from ${min} to ${max}`, got, holds };
}

function networkRules({
  network: { albCidrs, clientNamespaces = [], monitoringNamespaces = [] },
  redis,
}: RpcChartProps) {
  const cidrs: [string, readonly string[]][] = [
    ['network.albCidrs', albCidrs],
    ...(redis === undefined ? [] : ([['redis.cidrs', redis.cidrs]] as [string, readonly string[]][])),
  ];
  const namespaces = { clientNamespaces, monitoringNamespaces };
  return [
    ...cidrs.flatMap(([path, list]): Rule[] => [
      // A rule of the network policy without a source would let everybody in.
      { path, rule: 'a list with at least one network', got: 'an empty list', holds: list.length > 0 },
      ...list.map((got, i) => ({
        path: `${path}[${i}]`,
        rule: 'a network such as 10.0.0.0/24',
        got,
        holds: network.test(got) && got.includes('/'),
      })),
    ]),
    ...Object.entries(namespaces).flatMap(([name, list]) =>
      list.map((got, i) => text(`network.${name}[${i}]`, got, DNS_LABEL, 'the name of a namespace')),
    ),
  ];
}

function scalingRules({ scaling }: RpcChartProps): Rule[] {
  const { minReplicas, maxReplicas, targetCpuPercent } = { ...SCALING_DEFAULTS, ...scaling };
  return [
    // With one pod each rollout and each drained node is an outage.
    whole('scaling.minReplicas', minReplicas, 2, 1000),
    { ...whole('scaling.maxReplicas', maxReplicas, minReplicas, 1000) },
    whole('scaling.targetCpuPercent', targetCpuPercent, 1, 100),
  ];
}

function albRules({ alb }: RpcChartProps): Rule[] {
  const idle = alb.idleTimeout?.toSeconds() ?? ALB_DEFAULTS.idleTimeoutSeconds;
  const deregistration = alb.deregistrationDelay?.toSeconds() ?? ALB_DEFAULTS.deregistrationSeconds;
  return [
    text('alb.loadBalancerName', alb.loadBalancerName, ALB_NAME, 'at most 32 letters, digits and dashes'),
    whole('alb.idleTimeout in seconds', idle, 1, 4000),
    whole('alb.deregistrationDelay in seconds', deregistration, 0, 3600),
  ];
}

function hostRules({ alb, namespace }: RpcChartProps): Rule[] {
  const hosts = alb.hosts.map((host) => toHost(host, namespace));
  const [first] = hosts;
  return [
    {
      path: 'alb.hosts',
      rule: `a list that begins with a host of ${NAMES.app}, whose Ingress tells what the load balancer is`,
      got: first?.service,
      holds: first?.service === NAMES.app && first.namespace === namespace,
    },
    ...hosts.flatMap((host, index) => {
      const path = `alb.hosts[${index}]`;
      const before = hosts.slice(0, index);
      return [
        text(`${path}.host`, host.host, HOST, 'a host name'),
        text(`${path}.namespace`, host.namespace, DNS_LABEL, 'the name of a namespace'),
        text(`${path}.service`, host.service, DNS_LABEL, 'the name of a Service'),
        text(`${path}.action`, host.action, DNS_LABEL, 'a name of lower-case letters, digits and dashes'),
        whole(`${path}.port`, host.port, 1, 65_535),
        whole(`${path}.weight`, host.weight, 0, 999),
        ...(host.stickinessSeconds === undefined
          ? []
          : [whole(`${path}.stickiness in seconds`, host.stickinessSeconds, 1, 604_800)]),
        unique(`${path}.host`, host.host, before),
        ...sameRules(path, host, before),
      ];
    }),
  ];
}

function unique(path: string, got: string, before: readonly Host[]): Rule {
  return { path, rule: 'unique', got, holds: before.every(({ host }) => host !== got) };
}

/** What is told once for a Service, or once for an action, whatever number of hosts it has. */
function sameRules(path: string, host: Host, before: readonly Host[]): Rule[] {
  const ofService = before.find((one) => one.namespace === host.namespace && one.service === host.service);
  const ofAction = before.find((one) => one.namespace === host.namespace && one.action === host.action);
  const rules: Rule[] = [];
  const same = (key: keyof Host, other: Host | undefined, as: string): void => {
    if (other === undefined) return;
    const rule = `as for ${other.host}, which has the same ${as} (${other[key] ?? 'none'})`;
    rules.push({ path: `${path}.${key}`, rule, got: host[key], holds: host[key] === other[key] });
  };
  same('healthCheckPath', ofService, 'Service');
  same('stickinessSeconds', ofService, 'Service');
  for (const key of ['service', 'port', 'weight'] as const) same(key, ofAction, 'action');
  return rules;
}
