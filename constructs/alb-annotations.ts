import { ALB_DEFAULTS, type AlbProps } from './alb-props';
import type { Host, HostGroup } from './hosts';

type Annotations = Record<string, string>;

const PREFIX = 'alb.ingress.kubernetes.io/';

/** Of the load balancer as a whole: on one Ingress of the group only, where all others inherit them. */
export function loadBalancerAnnotations(props: AlbProps, idleSeconds: number): Annotations {
  const { accessLogs, deletionProtection, webAclArn, sslPolicy = ALB_DEFAULTS.sslPolicy } = props;
  const attributes = {
    'idle_timeout.timeout_seconds': idleSeconds,
    'deletion_protection.enabled': deletionProtection,
    'routing.http.drop_invalid_header_fields.enabled': true,
    'access_logs.s3.enabled': accessLogs !== undefined,
    ...(accessLogs && { 'access_logs.s3.bucket': accessLogs.bucket, 'access_logs.s3.prefix': accessLogs.prefix }),
  };
  return prefixed({
    scheme: 'internet-facing',
    'load-balancer-name': props.loadBalancerName,
    'security-groups': props.securityGroup,
    // With a group of our own the controller would else leave the way to the pods closed.
    'manage-backend-security-group-rules': 'true',
    'ssl-policy': sslPolicy,
    'ssl-redirect': '443',
    'load-balancer-attributes': pairs(attributes),
    ...(webAclArn !== undefined && { 'wafv2-acl-arn': webAclArn }),
  });
}

/**
 * Of one Ingress. Its listeners and certificate are its own also in a group: without them its rules would be served on
 * port 80 alone.
 *
 * @param redirects whether port 80 is this Ingress's too, where it is sent to 443
 */
export function ingressAnnotations(
  group: HostGroup,
  props: AlbProps,
  deregistrationSeconds: number,
  redirects: boolean,
): Annotations {
  const [{ healthCheckPath, stickinessSeconds }] = group.hosts;
  const attributes = {
    'load_balancing.algorithm.type': 'least_outstanding_requests',
    'deregistration_delay.timeout_seconds': deregistrationSeconds,
    ...(stickinessSeconds !== undefined && {
      'stickiness.enabled': true,
      'stickiness.type': 'lb_cookie',
      'stickiness.lb_cookie.duration_seconds': stickinessSeconds,
    }),
  };
  return prefixed({
    'group.name': props.loadBalancerName,
    'listen-ports': JSON.stringify(redirects ? [{ HTTP: 80 }, { HTTPS: 443 }] : [{ HTTPS: 443 }]),
    'certificate-arn': props.certificateArn,
    'target-type': 'ip',
    'target-group-attributes': pairs(attributes),
    'healthcheck-path': healthCheckPath,
    'healthcheck-interval-seconds': '10',
    'healthcheck-timeout-seconds': '5',
    'healthy-threshold-count': '2',
    'unhealthy-threshold-count': '2',
    'success-codes': '200',
    ...actions(group.hosts),
  });
}

/** One forwarding action a name; hosts that share a name share its target. */
function actions(hosts: readonly Host[]): Annotations {
  return Object.fromEntries(
    hosts.map((host) => [
      `actions.${host.action}`,
      JSON.stringify({ type: 'forward', forwardConfig: forwardConfig(host) }),
    ]),
  );
}

function forwardConfig({ service, port, weight, stickinessSeconds }: Host): object {
  const targetGroups = [{ serviceName: service, servicePort: port, weight }];
  if (stickinessSeconds === undefined) return { targetGroups };
  // A sticky target group is refused in a weighted action that is not sticky itself.
  return { targetGroups, targetGroupStickinessConfig: { enabled: true, durationSeconds: stickinessSeconds } };
}

function pairs(attributes: Readonly<Record<string, string | number | boolean>>): string {
  return Object.entries(attributes)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}

function prefixed(annotations: Annotations): Annotations {
  return Object.fromEntries(Object.entries(annotations).map(([key, value]) => [PREFIX + key, value]));
}
