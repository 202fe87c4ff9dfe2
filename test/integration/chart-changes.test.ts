import type { RpcSettings } from '../../constructs/pod-settings';
import { CONTAINERS } from '../../runtime/contract/names';
import { PATHS } from '../../runtime/contract/paths';
import { PORTS } from '../../runtime/contract/ports';
import { ENVIRONMENTS } from '../constructs/environments';
import { find, synthesise } from '../constructs/manifests';
import { eventually } from '../support/eventually';
import { runLoad } from '../support/load-client';
import { echoMix } from '../support/load-mix';
import { ChartBed, KEYS } from './chart-bed';
import { ChartImage } from './chart-image';
import type { ChartPod } from './chart-pod';
import { ask } from './haproxy-bed';

jest.setTimeout(120_000);

const { staging } = ENVIRONMENTS;
const [quicknode, alchemy] = nodesOf(staging.settings);
const spare = { name: 'spare', localPort: 8003, provider: { url: 'https://eth.spare.example/${SPARE_KEY}' } };
/** What the load does not ask. */
const LOGS = 'eth_getLogs';

/**
 * The chart of staging, whose ConfigMap is swapped as the kubelet does, and whose secret is replaced as the CSI driver does.
 * Nobody tells the programs.
 */
describe('the pod of the chart, under load', () => {
  let image: ChartImage;
  let bed: ChartBed;
  let pod: ChartPod;

  beforeAll(async () => {
    image = await ChartImage.make();
  });

  afterAll(() => image.remove());

  beforeEach(async () => {
    bed = await ChartBed.create(image, staging);
    pod = bed.pod;
    await pod.startAll();
  });

  afterEach(() => bed.close());

  it('takes another key and another provider, without a failed request', async () => {
    const { alchemy } = bed.nodes;
    await underLoad(async () => {
      await pod.putSecret(PATHS.providerKeys, { ...KEYS, ALCHEMY_KEY: 'canary-rotated' });
      await eventually(() => alchemy.requests.some(({ path }) => path === '/v2/canary-rotated'));
      const elsewhere = { ...spare, name: 'alchemy', localPort: 8002 };
      await bed.deploy(withNodes([quicknode, elsewhere]));
      await eventually(() => bed.nodes.spare.requests.some(({ path }) => path === '/canary-spare'));
    });
  });

  it('takes another limit, one node more and one node fewer, without a failed request', async () => {
    const proxy = pod.get('proxy');
    await underLoad(async () => {
      const limits = { methods: { [LOGS]: { perMinute: 1, burst: 1 } } };
      const manifests = await bed.deploy({ ...withNodes([quicknode, alchemy, spare]), limits });
      // No pod is replaced for it.
      expect(find(manifests, 'Deployment')).toEqual(find(synthesise(bed.props), 'Deployment'));
      expect(await proxy.untilLogged('configuration applied')).toMatchObject({
        level: 'info',
        sections: ['limits'],
        nodesAdded: ['mainnet/spare'],
      });
      expect(await statusesOfLogs()).toEqual([200, 429]);
      await eventually(() => bed.nodes.spare.callsOf('eth_call').length > 0);

      await bed.deploy(withNodes([alchemy, spare]));
      expect(await proxy.untilLogged('configuration applied', 2)).toMatchObject({
        sections: ['limits'],
        nodesRemoved: ['mainnet/quicknode'],
      });
      expect(await statusesOfLogs()).toEqual([200, 200]);
      await pod.get('config-render').untilLogged('HAProxy reloaded', 2);
    });
    expect(await metric('config_reloads_total{result="applied"}')).toBe(2);
    expect(proxy.logged('configuration')).toHaveLength(2);
  });

  it('goes on as before when the ConfigMap is wrong, and says what is wrong', async () => {
    const { data = {} } = find(synthesise(bed.props), 'ConfigMap');
    const followers = [pod.get('proxy'), pod.get('config-render')];
    await underLoad(async () => {
      const wrong = data['config.yaml']?.replace('name: alchemy', 'name: al chemy') ?? '';
      await pod.putConfig({ ...data, 'config.yaml': wrong });
      for (const follower of followers) {
        const { problems } = await follower.untilLogged('configuration refused');
        expect(problems).toEqual([expect.stringMatching(/^chains\.mainnet\.nodes\[1\]\.name must be /)]);
      }
      expect(await metric('config_valid')).toBe(0);
      expect((await fetch(`${pod.url(PORTS.admin)}/readyz`)).status).toBe(200);

      await pod.putConfig(data);
      for (const follower of followers) await follower.untilLogged('configuration is good again');
      expect(await metric('config_valid')).toBe(1);
    });
    expect(pod.get('config-render').logged('HAProxy reloaded')).toEqual([]);
  });

  async function underLoad(change: () => Promise<void>): Promise<void> {
    const load = runLoad({
      ...{ url: pod.url(PORTS.rpc), clients: 4, durationMs: 8000, pauseMs: 5 },
      ...{ mix: echoMix, timeoutMs: 10_000 },
    });
    await change();
    const ledger = await load;
    expect(ledger.failures()).toEqual([]);
    expect(ledger.entries.length).toBeGreaterThan(100);
    for (const name of Object.values(CONTAINERS)) expect(pod.get(name).output).not.toContain('canary');
  }

  async function statusesOfLogs(): Promise<number[]> {
    const statuses: number[] = [];
    for (let turn = 0; turn < 2; turn++) statuses.push((await ask(pod.url(PORTS.rpc), LOGS, [{}])).status);
    return statuses;
  }

  async function metric(name: string): Promise<number> {
    const text = await (await fetch(`${pod.url(PORTS.admin)}/metrics`)).text();
    const line = text.split('\n').find((one) => one.startsWith(`rpc_balancer_${name} `));
    return Number(line?.split(' ').at(-1));
  }
});

function nodesOf({ chains }: RpcSettings) {
  const [first, second] = chains['mainnet']?.nodes ?? [];
  if (first === undefined || second === undefined) throw new Error('staging has no two nodes');
  return [first, second] as const;
}

function withNodes(nodes: RpcSettings['chains'][string]['nodes']): RpcSettings {
  return { ...staging.settings, chains: { mainnet: { chainId: 1, nodes } } };
}
