import { App } from 'cdk8s';
import { SettingsError as ChartError } from '../../constructs/problems';
import { RpcChart } from '../../constructs/rpc-chart';
import { type WorkloadFacts, workloadProps } from '../workload-props';
import type { Settings } from './types';

/** In place of what is known later; each is right by itself. */
const ANY: WorkloadFacts = {
  image: `any@sha256:${'0'.repeat(64)}`,
  serviceAccountRoleArn: 'any',
  certificateArn: 'any',
  securityGroup: 'any',
  accessLogBucket: 'any',
  webAcl: undefined,
  cacheHost: 'cache.invalid',
  albCidrs: ['10.0.0.0/24'],
  cacheCidrs: ['10.0.1.0/24'],
};

/** Where the chart's props come from; its other paths are keys of the proxy's own configuration. */
const PATHS: readonly (readonly [chart: RegExp, settings: string])[] = [
  [/^namespace\b/, 'workload.namespace'],
  [/^alb\.hosts\b/, 'workload.hosts'],
  [/^alb\.idleTimeout in seconds/, 'workload.idleTimeoutSeconds'],
  [/^scaling\.minReplicas\b/, 'workload.replicas.min'],
  [/^scaling\.maxReplicas\b/, 'workload.replicas.max'],
  [/^network\./, 'workload.'],
  [/^weighter\./, 'workload.weighter.'],
  [/^proxyMemory\b/, 'workload.sizes.proxyMemoryMib'],
  [/^haproxyMemory\b/, 'workload.sizes.haproxyMemoryMib'],
  [/^(?=\w)/, 'workload.proxy.'],
];

/**
 * What the programs in the pod would refuse, and what would not fit together there, found by making the chart.
 *
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
    return told.filter((problem) => !known.some((path) => problem.startsWith(path)));
  }
}

function settingsPath(problem: string): string {
  const [chart, path] = PATHS.find(([start]) => start.test(problem)) ?? [/^/, ''];
  return problem.replace(chart, path);
}
