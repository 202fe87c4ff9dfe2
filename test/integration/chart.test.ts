import { statSync } from 'node:fs';
import { PATHS } from '../../runtime/contract/paths';
import { PORTS } from '../../runtime/contract/ports';
import { ENVIRONMENTS } from '../constructs/environments';
import { eventually } from '../support/eventually';
import { runLoad } from '../support/load-client';
import { echoMix } from '../support/load-mix';
import { ChartBed, KEYS } from './chart-bed';
import { ChartImage } from './chart-image';
import type { ChartPod } from './chart-pod';
import { ask } from './haproxy-bed';

jest.setTimeout(120_000);

/** The chart of staging, started: the text of its ConfigMap, the arguments, users and volumes of its containers. */
describe('the pod of the chart', () => {
  let image: ChartImage;
  let bed: ChartBed;
  let pod: ChartPod;

  beforeAll(async () => {
    image = await ChartImage.make();
  });

  afterAll(() => image.remove());

  beforeEach(async () => {
    bed = await ChartBed.create(image, ENVIRONMENTS.staging);
    pod = bed.pod;
  });

  afterEach(() => bed.close());

  it('serves a request through the proxy and one through the pool, with the keys of the secret', async () => {
    await pod.startAll();
    expect((await ask(pod.url(PORTS.rpc), 'eth_chainId')).result).toBe('0x1');
    expect((await ask(pod.url(PORTS.http), 'eth_chainId')).result).toBe('0x1');
    expect((await ask(`${pod.url(PORTS.rpc)}/mainnet`, 'eth_blockNumber')).result).toMatch(/^0x/);
    const { quicknode, alchemy } = bed.nodes;
    expect(new Set(quicknode.requests.map(({ path }) => path))).toEqual(new Set(['/canary-quicknode/']));
    expect(new Set(alchemy.requests.map(({ path }) => path))).toEqual(new Set(['/v2/canary-alchemy']));
  });

  it('has weights set by the weighter, over the socket of the shared group', async () => {
    await pod.startAll();
    const weighter = pod.get('node-weighter');
    await eventually(
      async () => (await fetch(`${pod.url(PORTS.weighter)}/readyz`)).ok,
      () => weighter.output,
    );
    expect((await fetch(`${pod.url(PORTS.stats)}/metrics`)).status).toBe(200);
    if (process.getuid?.() === 0) {
      expect(modeOf(PATHS.haproxyConfig)).toEqual({ mode: '640', uid: 10001, gid: 2000 });
      expect(modeOf(PATHS.adminSocket)).toEqual({ mode: '660', uid: 99, gid: 2000 });
      expect(modeOf(PATHS.masterSocket)).toEqual({ mode: '660', uid: 99, gid: 2000 });
    }
  });

  it('does not start while a key is missing, and says which', async () => {
    await pod.putSecret(PATHS.providerKeys, { QUICKNODE_KEY: KEYS.QUICKNODE_KEY });
    expect(await pod.run('render')).toBe(2);
    expect(pod.get('render').output).toContain('chains.mainnet.nodes[1].provider.url must be the name of a secret');
    expect(pod.get('render').output).not.toContain('canary');
  });

  it('stays ready when no provider answers: all pods would be gone at once', async () => {
    await pod.startAll();
    await Promise.all([bed.nodes.quicknode.refuse(), bed.nodes.alchemy.refuse()]);
    await eventually(async () => (await ask(pod.url(PORTS.rpc), 'eth_call', [{}, 'latest'])).status === 503);
    for (const port of [PORTS.rpc, PORTS.admin]) expect((await fetch(`${pod.url(port)}/readyz`)).status).toBe(200);
    expect(pod.get('haproxy').hasEnded).toBe(false);
  });

  it('ends from the proxy to the last sidecar, without a failed request while the load balancer still sends', async () => {
    await pod.startAll();
    const load = runLoad({ url: pod.url(PORTS.rpc), clients: 4, durationMs: 5000, mix: echoMix, timeoutMs: 10_000 });
    await eventually(() => bed.nodes.quicknode.requests.length > 100);
    const stopped = pod.stopAll();
    const ledger = await load;
    expect((await fetch(`${pod.url(PORTS.admin)}/readyz`)).status).toBe(503);
    expect(ledger.failures()).toEqual([]);
    expect(Object.entries(await stopped)).toEqual([
      ['proxy', 0],
      ['node-weighter', 0],
      ['haproxy', 0],
      ['config-render', 0],
    ]);
  });

  function modeOf(path: string): object {
    const { mode, uid, gid } = statSync(pod.path(path));
    return { mode: (mode & 0o777).toString(8), uid, gid };
  }
});
