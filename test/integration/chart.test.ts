import { statSync } from 'node:fs';
import { Duration } from 'cdk8s';
import { PATHS } from '../../runtime/contract/paths';
import { PORTS } from '../../runtime/contract/ports';
import { ENVIRONMENTS } from '../constructs/environments';
import { find, synthesise } from '../constructs/manifests';
import { eventually } from '../support/eventually';
import { runLoad } from '../support/load-client';
import { echoMix } from '../support/load-mix';
import { ScriptedNode } from '../support/scripted-node';
import { ChartImage } from './chart-image';
import { ChartPod } from './chart-pod';
import { ask } from './haproxy-bed';

jest.setTimeout(120_000);

/** A load balancer that knows at once that a pod ends: then draining takes seconds. */
const alb = { ...ENVIRONMENTS.staging.alb, deregistrationDelay: Duration.seconds(2) };
const manifests = synthesise({ ...ENVIRONMENTS.staging, alb });
const KEYS = { QUICKNODE_KEY: 'canary-quicknode', ALCHEMY_KEY: 'canary-alchemy' };
const LOCAL_PORTS = [8001, 8002];

/**
 * The chart of staging, started: the text of its ConfigMap, the arguments, users and volumes of its containers. The providers
 * are scripted, because they have to tell which key came.
 */
describe('the pod of the chart', () => {
  let image: ChartImage;
  let quicknode: ScriptedNode;
  let alchemy: ScriptedNode;
  let pod: ChartPod;

  beforeAll(async () => {
    image = await ChartImage.make();
  });

  afterAll(() => image.remove());

  beforeEach(async () => {
    const now = (): number => Math.floor(Date.now() / 1000) * 1000;
    [quicknode, alchemy] = await Promise.all([
      ScriptedNode.start({ name: 'quicknode', chainId: 1, now }),
      ScriptedNode.start({ name: 'alchemy', chainId: 1, now }),
    ]);
    const addresses = {
      'https://example.quiknode.pro': quicknode.url,
      'https://eth-mainnet.g.alchemy.com': alchemy.url,
    };
    pod = await ChartPod.create(manifests, image, addresses, LOCAL_PORTS);
    await pod.putSecret(PATHS.providerKeys, KEYS);
  });

  afterEach(async () => {
    await pod.close();
    await quicknode.close();
    await alchemy.close();
  });

  it('serves a request through the proxy and one through the pool, with the keys of the secret', async () => {
    await pod.startAll();
    expect((await ask(pod.url(PORTS.rpc), 'eth_chainId')).result).toBe('0x1');
    expect((await ask(pod.url(PORTS.http), 'eth_chainId')).result).toBe('0x1');
    expect((await ask(`${pod.url(PORTS.rpc)}/mainnet`, 'eth_blockNumber')).result).toMatch(/^0x/);
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
    await pod.putSecret(PATHS.providerKeys, { QUICKNODE_KEY: 'canary-quicknode' });
    expect(await pod.run('render')).toBe(2);
    expect(pod.get('render').output).toContain('chains.mainnet.nodes[1].provider.url must be the name of a secret');
    expect(pod.get('render').output).not.toContain('canary');
  });

  it('takes another key and another provider under load, without a failed request', async () => {
    await pod.startAll();
    const load = runLoad({ url: pod.url(PORTS.rpc), clients: 4, durationMs: 8000, mix: echoMix, timeoutMs: 10_000 });
    await pod.putSecret(PATHS.providerKeys, { ...KEYS, ALCHEMY_KEY: 'canary-rotated' });
    await eventually(() => alchemy.requests.some(({ path }) => path === '/v2/canary-rotated'));
    const { data = {} } = find(manifests, 'ConfigMap');
    const text = data['config.yaml']?.replace('/v2/', '/v3/') ?? '';
    await pod.putConfig({ ...data, 'config.yaml': text });
    await eventually(() => alchemy.requests.some(({ path }) => path === '/v3/canary-rotated'));
    const ledger = await load;
    expect(ledger.failures()).toEqual([]);
    expect(ledger.entries.length).toBeGreaterThan(100);
    for (const name of ['config-render', 'haproxy', 'node-weighter', 'proxy']) {
      expect(pod.get(name).output).not.toContain('canary');
    }
  });

  it('stays ready when no provider answers: all pods would be gone at once', async () => {
    await pod.startAll();
    await Promise.all([quicknode.refuse(), alchemy.refuse()]);
    await eventually(async () => (await ask(pod.url(PORTS.rpc), 'eth_call', [{}, 'latest'])).status === 503);
    for (const port of [PORTS.rpc, PORTS.admin]) expect((await fetch(`${pod.url(port)}/readyz`)).status).toBe(200);
    expect(pod.get('haproxy').hasEnded).toBe(false);
  });

  it('ends from the proxy to the last sidecar, without a failed request while the load balancer still sends', async () => {
    await pod.startAll();
    const load = runLoad({ url: pod.url(PORTS.rpc), clients: 4, durationMs: 5000, mix: echoMix, timeoutMs: 10_000 });
    await eventually(() => quicknode.requests.length > 100);
    const stopped = pod.stopAll();
    const ledger = await load;
    expect((await fetch(`${pod.url(PORTS.admin)}/readyz`)).status).toBe(503);
    expect(ledger.failures()).toEqual([]);
    expect(await stopped).toEqual({ proxy: 0, 'node-weighter': 0, haproxy: 0, 'config-render': 0 });
  });

  function modeOf(path: string): object {
    const { mode, uid, gid } = statSync(pod.path(path));
    return { mode: (mode & 0o777).toString(8), uid, gid };
  }
});
