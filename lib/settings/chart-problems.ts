import { App } from 'cdk8s';
import { SettingsError as ChartError } from '../../constructs/problems';
import { RpcChart } from '../../constructs/rpc-chart';
import { type WorkloadFacts, workloadProps } from '../workload-props';
import { isAtOrBelow } from './checks';
import type { Settings } from './types';

/** In place of what is known later: the chart takes it for what the CDK writes there, and asks nothing of it. */
const LATER = '${Token[LATER]}';

/** Each is right by itself. */
const ANY: WorkloadFacts = {
  image: LATER,
  serviceAccountRoleArn: LATER,
  certificateArn: LATER,
  securityGroup: LATER,
  accessLogBucket: LATER,
  webAcl: undefined,
  cacheHost: LATER,
  albCidrs: ['10.0.0.0/24'],
  cacheCidrs: ['10.0.1.0/24'],
};

/** Where the chart's props come from; its other paths are keys of the proxy's own configuration. */
const PATHS: readonly (readonly [chart: RegExp, settings: string])[] = [
  [/^namespace\b/, 'workload.namespace'],
  [/^alb\.hosts\b/, 'workload.hosts'],
  [/^alb\.loadBalancerName\b/, 'name'],
  [/^alb\.idleTimeout in seconds/, 'workload.idleTimeoutSeconds'],
  [/^scaling\.minReplicas\b/, 'workload.replicas.min'],
  [/^scaling\.maxReplicas\b/, 'workload.replicas.max'],
  [/^network\./, 'workload.'],
  [/^weighter\./, 'workload.weighter.'],
  [/^arch\b/, 'nodes.arch'],
  [/^settings\./, 'workload.proxy.'],
  [/^proxyCpu\b/, 'workload.sizes.proxyCpu'],
  [/^proxyMemory\b/, 'workload.sizes.proxyMemoryMib'],
  [/^haproxyMemory\b/, 'workload.sizes.haproxyMemoryMib'],
  [/^(?=\w)/, 'workload.proxy.'],
];

/**
 * What the programs in the pod would refuse, and what would not fit together there, found by making the chart.
 *
 * @param settings with nothing in them that cannot be made into a chart at all
 * @param known paths of what is wrong already, and so not told again
 * @returns one sentence each, as `formatProblem` writes them
 */
export function chartProblems(settings: Settings, known: readonly string[]): string[] {
  try {
    new RpcChart(new App(), 'chart', workloadProps(settings, ANY));
    return [];
  } catch (error) {
    if (!(error instanceof ChartError)) throw error;
    const told = error.problems.map(settingsPath);
    return told.filter((problem) => !isAtOrBelow(problem.slice(0, problem.indexOf(' ')), known));
  }
}

function settingsPath(problem: string): string {
  const [chart, path] = PATHS.find(([start]) => start.test(problem)) ?? [/^/, ''];
  return problem.replace(chart, path);
}
