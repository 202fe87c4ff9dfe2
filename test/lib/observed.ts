import type { App } from 'aws-cdk-lib';
import { ObservabilityStack } from '../../lib/observability-stack';
import { createRpcStage } from '../../lib/rpc-stage';
import { ENVIRONMENTS, type Settings } from '../../lib/settings';
import { synthesise, type Synthesised } from './synth';

export const FULL_NAME = 'app/rpc-test/0123456789abcdef';

/** An environment with what watches it; the load balancer is one that was looked up already. */
export function createObserved(app: App, settings: Settings): ObservabilityStack {
  const { network, cluster, cache } = createRpcStage(app, settings);
  const arn = `arn:aws:elasticloadbalancing:${settings.region}:${settings.account}:loadbalancer/${FULL_NAME}`;
  return new ObservabilityStack(app, settings, {
    network,
    watched: [cluster, cache],
    loadBalancer: { arn, fullName: FULL_NAME },
  });
}

export function observedEnvironments(): readonly (readonly [string, Synthesised])[] {
  return ENVIRONMENTS.map((settings) => [settings.name, synthesise(settings, createObserved)]);
}
