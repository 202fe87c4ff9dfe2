import { AlbController, AlbControllerVersion, type Cluster } from 'aws-cdk-lib/aws-eks-v2';
import type { Construct } from 'constructs';
import { acknowledge } from '../acknowledge';
import { CONTROLLER_FINDINGS } from '../known-findings';
import type { Settings } from '../settings';

/**
 * AWS Load Balancer Controller: makes the load balancers that Ingresses ask for. While it is not there, its webhook
 * refuses every Ingress; so those stand in a stack after this one, and are deleted before it.
 */
export function loadBalancerController(scope: Construct, _settings: Settings, cluster: Cluster): AlbController {
  const controller = AlbController.create(scope, {
    cluster,
    version: AlbControllerVersion.V3_2_2,
    // The default is a registry of one region.
    repository: 'public.ecr.aws/eks/aws-load-balancer-controller',
    overwriteServiceAccount: true,
    additionalHelmChartValues: {
      replicaCount: 2,
      podDisruptionBudget: { maxUnavailable: 1, unhealthyPodEvictionPolicy: 'AlwaysAllow' },
      // Services of type LoadBalancer are not ours to change.
      enableServiceMutatorWebhook: false,
      // Else each upgrade makes a new certificate, and webhooks fail until all replicas have it.
      keepTLSSecret: true,
      // Only `spec.ingressClassName` counts.
      disableIngressClassAnnotation: true,
    },
  });
  acknowledge(controller, CONTROLLER_FINDINGS);
  return controller;
}
