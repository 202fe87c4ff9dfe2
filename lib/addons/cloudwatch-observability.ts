import type { CfnAddon, Cluster } from 'aws-cdk-lib/aws-eks-v2';
import type { Construct } from 'constructs';
import { logGroup } from '../log-group';
import { nameOf } from '../names';
import type { Settings } from '../settings';
import { eksAddon } from './eks-addon';
import { irsaRole } from '../irsa-role';

const LOGS = ['application', 'dataplane', 'host', 'performance'] as const;

/** Where the logs of this kind are; `application` are those of pods. */
export function containerLogs(settings: Settings, kind: (typeof LOGS)[number]): string {
  return `/aws/containerinsights/${nameOf(settings)}/${kind}`;
}

/**
 * Logs and metrics of pods and nodes in CloudWatch. Application Signals are off: they would put OpenTelemetry into
 * every Node.js process, the proxy's too, and bill per request.
 */
export function cloudwatchObservability(scope: Construct, settings: Settings, cluster: Cluster): CfnAddon {
  const role = irsaRole(scope, 'cloudwatch-role', {
    cluster,
    namespace: 'amazon-cloudwatch',
    serviceAccount: 'cloudwatch-agent',
    description: 'CloudWatch agent: write logs and metrics',
    managed: {
      policy: 'CloudWatchAgentServerPolicy',
      reason: 'What the agent needs changes with its versions, and AWS keeps the policy up with them.',
    },
  });
  const addon = eksAddon(scope, 'cloudwatch', {
    cluster,
    settings,
    name: 'amazon-cloudwatch-observability',
    values: {
      applicationSignals: { enabled: false },
      manager: { applicationSignals: { autoMonitor: { monitorAllServices: false } } },
    },
    role,
  });
  for (const kind of LOGS) {
    addon.node.addDependency(logGroup(scope, `${kind}-logs`, settings, containerLogs(settings, kind)));
  }
  return addon;
}
