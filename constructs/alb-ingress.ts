import type { Duration } from 'cdk8s';
import { Construct } from 'constructs';
import { k8s } from 'cdk8s-plus-27';
import { ingressAnnotations, loadBalancerAnnotations } from './alb-annotations';
import { groupHosts, type HostGroup, type HostProps, toHost } from './hosts';
import { labels } from './pod-defaults';

export interface AlbProps {
  /** At most 32 letters, digits and dashes; DNS finds the load balancer by it. */
  readonly loadBalancerName: string;
  /** ARN of a certificate for all hosts. May be a token. */
  readonly certificateArn: string;
  /** Id of the security group that says who may connect. May be a token. */
  readonly securityGroup: string;
  /** From one byte to the next until a connection is closed, 1 to 4000 s. @default 1 hour, for WebSockets, as in the guide */
  readonly idleTimeout?: Duration;
  /** For how long requests to a pod that ends are finished, 0 to 3600 s. @default 30 s */
  readonly deregistrationDelay?: Duration;
  /** Whether it can be deleted only after this was turned off. */
  readonly deletionProtection: boolean;
  /** Which TLS versions and ciphers are spoken. @default TLS 1.2 and 1.3, with forward secrecy, post-quantum too */
  readonly sslPolicy?: string;
  /** Where each request is logged. The bucket's policy must exist before. @default nowhere */
  readonly accessLogs?: { readonly bucket: string; readonly prefix: string };
  /** ARN of a web ACL. May be a token. @default none */
  readonly webAclArn?: string;
  /** At least one of the proxy. */
  readonly hosts: readonly HostProps[];
}

export const ALB_DEFAULTS = {
  idleTimeoutSeconds: 3600,
  deregistrationSeconds: 30,
  sslPolicy: 'ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09',
};

/**
 * One load balancer for all hosts, made by the AWS Load Balancer Controller: an Ingress for each Service that has hosts, in
 * the Service's namespace, all of one group. The first tells what the load balancer is.
 */
export class AlbIngress extends Construct {
  /** @param namespace where the proxy is */
  constructor(scope: Construct, id: string, props: AlbProps, namespace: string) {
    super(scope, id);
    const idleSeconds = props.idleTimeout?.toSeconds() ?? ALB_DEFAULTS.idleTimeoutSeconds;
    const deregistrationSeconds = props.deregistrationDelay?.toSeconds() ?? ALB_DEFAULTS.deregistrationSeconds;
    const groups = groupHosts(props.hosts.map((host) => toHost(host, namespace)));
    for (const [index, group] of groups.entries()) {
      const isFirst = index === 0;
      new k8s.KubeIngress(this, `${group.namespace}-${group.service}`, {
        metadata: {
          name: `${group.service}-ingress`,
          namespace: group.namespace,
          labels,
          annotations: {
            ...(isFirst ? loadBalancerAnnotations(props, idleSeconds) : {}),
            ...ingressAnnotations(group, props, deregistrationSeconds, isFirst),
          },
        },
        spec: { ingressClassName: 'alb', rules: rules(group) },
      });
    }
  }
}

/** The Service of a rule is an action's name; what it means stands in the annotation. */
function rules({ hosts }: HostGroup): k8s.IngressRule[] {
  return hosts.map(({ host, action }) => ({
    host,
    http: {
      paths: [
        { path: '/', pathType: 'Prefix', backend: { service: { name: action, port: { name: 'use-annotation' } } } },
      ],
    },
  }));
}
