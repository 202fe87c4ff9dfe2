import { Duration } from 'cdk8s';
import type { RpcSettings } from '../../constructs/pod-settings';
import type { RpcChartProps } from '../../constructs/rpc-chart';
import { PATHS } from '../../runtime/contract/paths';
import { find, type Manifest, synthesise } from '../constructs/manifests';
import { ScriptedNode } from '../support/scripted-node';
import type { ChartImage } from './chart-image';
import { type Addresses, ChartPod } from './chart-pod';

/** What the charts' URLs begin with, and the chain that is there. */
const NODES = {
  quicknode: { url: 'https://example.quiknode.pro', chainId: 1 },
  alchemy: { url: 'https://eth-mainnet.g.alchemy.com', chainId: 1 },
  /** In no chart from the start. */
  spare: { url: 'https://eth.spare.example', chainId: 1 },
  own: { url: 'http://erigon.nodes.svc.cluster.local:8545', chainId: 1 },
  optimism: { url: 'https://opt-mainnet.g.alchemy.com', chainId: 10 },
} as const;
const LOCAL_PORTS = [8001, 8002, 8003];

export const KEYS = {
  QUICKNODE_KEY: 'canary-quicknode',
  ALCHEMY_KEY: 'canary-alchemy',
  SPARE_KEY: 'canary-spare',
} as const;

type NodeName = keyof typeof NODES;

/**
 * The pod of a chart, not started yet, its secret of keys in place. The nodes are scripted, because they have to tell which
 * key came.
 *
 *     const bed = await ChartBed.create(image, ENVIRONMENTS.staging);
 *     await bed.pod.startAll();
 *     await bed.deploy({ ...ENVIRONMENTS.staging.settings, limits: { perMinute: 60 } });
 *     await bed.close();
 */
export class ChartBed {
  private constructor(
    readonly props: RpcChartProps,
    readonly pod: ChartPod,
    readonly nodes: Readonly<Record<NodeName, ScriptedNode>>,
  ) {}

  /** @param others further texts of the ConfigMap, and what they are on this machine */
  static async create(image: ChartImage, props: RpcChartProps, others: Addresses = {}): Promise<ChartBed> {
    // A load balancer that knows at once that a pod ends: then draining takes seconds.
    const quick = { ...props, alb: { ...props.alb, deregistrationDelay: Duration.seconds(2) } };
    const nodes = await startNodes();
    const addresses = Object.entries(NODES).map(([name, { url }]) => [url, nodes[name as NodeName].url] as const);
    const all = { ...Object.fromEntries(addresses), ...others };
    const pod = await ChartPod.create(synthesise(quick), image, all, LOCAL_PORTS);
    await pod.putSecret(PATHS.providerKeys, KEYS);
    return new ChartBed(quick, pod, nodes);
  }

  /** Has the pod's ConfigMap be what the chart makes of other settings. @returns all the chart makes of them */
  async deploy(settings: RpcSettings): Promise<Manifest[]> {
    const manifests = synthesise({ ...this.props, settings });
    await this.pod.putConfig(find(manifests, 'ConfigMap').data ?? {});
    return manifests;
  }

  async close(): Promise<void> {
    await this.pod.close();
    await Promise.all(Object.values(this.nodes).map((node) => node.close()));
  }
}

async function startNodes(): Promise<Record<NodeName, ScriptedNode>> {
  const startedAt = Date.now();
  const started = Object.entries(NODES).map(async ([name, { chainId }]) => {
    return [name, await ScriptedNode.start({ name, chainId, now: () => startedAt })] as const;
  });
  return Object.fromEntries(await Promise.all(started)) as Record<NodeName, ScriptedNode>;
}
