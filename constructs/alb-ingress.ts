import { Construct } from 'constructs';
import { k8s } from 'cdk8s-plus-27';
import { ingressAnnotations, loadBalancerAnnotations } from './alb-annotations';
import { ALB_DEFAULTS, type AlbProps } from './alb-props';
import { groupHosts, type HostGroup, toHost } from './hosts';
import { labels } from './pod-defaults';

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
      // Neither name has a dot in it, so two groups have two ids.
      new k8s.KubeIngress(this, `${group.namespace}.${group.service}`, {
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
