import { NAMES } from '../runtime/contract/names';
import { PORTS } from '../runtime/contract/ports';
import { ALB_DEFAULTS, type AlbProps } from './alb-props';
import { type Host, toHost } from './hosts';
import type { Rule } from './problems';
import { FORMS, text, textOrNone, whole } from './rules';

/** Lower case, because the group of Ingresses has its name too, and the controller ignores those of another form. */
const ALB_NAME = /^(?!internal-)[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/;
/** No longer than a condition of the load balancer's may be. */
const HOST = /^(?=.{1,128}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,}$/;
const CERTIFICATE = /^arn:aws[a-z-]*:(acm|iam):[a-z0-9-]*:\d{12}:(certificate|server-certificate)\/[^\s,]+$/;
const WEB_ACL = /^(none|arn:aws[a-z-]*:wafv2:[^\s,]+)$/;
/** In a list of pairs, where `,` and `=` would begin another attribute. */
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const PREFIX = /^[\w.-]+(\/[\w.-]+)*$/;
const URL_PATH = /^\/[\x21-\x7e]{0,1023}$/;

/** What each prop of the load balancer must be by itself. */
export function albRules(alb: AlbProps, chartNamespace: string): Rule[] {
  const { accessLogs } = alb;
  const idle = alb.idleTimeout?.toSeconds({ integral: false }) ?? ALB_DEFAULTS.idleTimeoutSeconds;
  const deregistration = alb.deregistrationDelay?.toSeconds({ integral: false }) ?? ALB_DEFAULTS.deregistrationSeconds;
  return [
    text(
      'alb.loadBalancerName',
      alb.loadBalancerName,
      ALB_NAME,
      'at most 32 lower-case letters, digits and dashes, with no dash at an end and no internal- in front',
    ),
    text('alb.certificateArn', alb.certificateArn, CERTIFICATE, 'the ARN of a certificate'),
    text('alb.securityGroup', alb.securityGroup, /^sg-[0-9a-f]+$/, 'the id of a security group, such as sg-0123abcd'),
    ...textOrNone('alb.sslPolicy', alb.sslPolicy, /^ELBSecurityPolicy-[\w-]+$/, 'the name of a policy of ELB'),
    ...textOrNone('alb.webAclArn', alb.webAclArn, WEB_ACL, 'the ARN of a web ACL, or none'),
    ...textOrNone('alb.accessLogs.bucket', accessLogs?.bucket, BUCKET, 'the name of a bucket'),
    ...textOrNone('alb.accessLogs.prefix', accessLogs?.prefix, PREFIX, 'a path of letters, digits, dots, dashes and _'),
    whole('alb.idleTimeout in seconds', idle, 1, 4000),
    whole('alb.deregistrationDelay in seconds', deregistration, 0, 3600),
    ...hostRules(alb, chartNamespace),
  ];
}

function hostRules(alb: AlbProps, chartNamespace: string): Rule[] {
  const hosts = alb.hosts.map((host) => toHost(host, chartNamespace));
  const isOurs = ({ service, namespace }: Host): boolean => service === NAMES.app && namespace === chartNamespace;
  const [first] = hosts;
  return [
    {
      path: 'alb.hosts',
      rule: `a list that begins with a host of ${NAMES.app}, whose Ingress tells what the load balancer is`,
      got: first?.service,
      holds: first !== undefined && isOurs(first),
    },
    ...hosts.flatMap((host, index) => {
      const path = `alb.hosts[${index}]`;
      const before = hosts.slice(0, index);
      return [
        text(`${path}.host`, host.host, HOST, 'a host name of at most 128 characters'),
        text(`${path}.namespace`, host.namespace, FORMS.dnsLabel, 'the name of a namespace'),
        text(`${path}.service`, host.service, FORMS.dnsLabel, 'the name of a Service'),
        text(`${path}.action`, host.action, FORMS.dnsLabel, 'at most 63 lower-case letters, digits and dashes'),
        text(`${path}.healthCheckPath`, host.healthCheckPath, URL_PATH, 'a path that begins with /'),
        isOurs(host) ? ownPort(path, host) : whole(`${path}.port`, host.port, 1, 65_535),
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

/** The pool and what operators look at are not for the world; the network policy would refuse the load balancer there. */
function ownPort(path: string, { port }: Host): Rule {
  return {
    path: `${path}.port`,
    rule: `${PORTS.rpc}, the one of ${NAMES.app} that is for the load balancer`,
    got: port,
    holds: port === PORTS.rpc,
  };
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
