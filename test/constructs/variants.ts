import type { RpcSettings } from '../../constructs/pod-settings';
import { SettingsError } from '../../constructs/problems';
import type { RpcChartProps } from '../../constructs/rpc-chart';
import { ENVIRONMENTS } from './environments';
import { synthesise } from './manifests';

const { staging } = ENVIRONMENTS;

/** What a chart is refused for; nothing where it can be made. */
export function problems(props: RpcChartProps): readonly string[] {
  try {
    synthesise(props);
    return [];
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
}

/** Staging, but for some of the balancer's own keys; of any type, as what comes from elsewhere may be. */
export function withSettings(settings: Partial<RpcSettings> | object): RpcChartProps {
  return { ...staging, settings: { ...staging.settings, ...settings } };
}

/** Staging, but for some of its load balancer. */
export function withAlb(alb: Partial<RpcChartProps['alb']>): RpcChartProps {
  return { ...staging, alb: { ...staging.alb, ...alb } };
}

/** Staging with one node. */
export function withNode(node: object): RpcChartProps {
  return withSettings({
    chains: { mainnet: { chainId: 1, nodes: [{ name: 'a', localPort: 8001, ...node }] } },
  });
}
