import { setTimeout as sleep } from 'node:timers/promises';
import type { AnvilNode } from '../../bin/dev-chain/anvil-node';
import { ChainConductor } from '../support/chain-conductor';
import { eventually } from '../support/eventually';
import { runLoad } from '../support/load-client';
import { readMix } from '../support/load-mix';
import { ProxyProcess } from '../support/proxy-process';
import { WeighterProcess } from '../support/weighter-process';
import { ask, HaproxyBed } from './haproxy-bed';

jest.setTimeout(60_000);

const INTERVAL_MS = 500;
const MAX_BLOCK_AGE_MS = 4000;

/**
 * Everything together, and real: nodes, HAProxy with the rendered text, the weighter that finds its servers by itself,
 * the proxy behind the local ports.
 *
 *     proxy ─┬▶ :local ─▶ node-0          pool ─▶ rpc-backend ─▶ :local … ─▶ nodes
 *            ├▶ :local ─▶ node-1                      ▲
 *            └▶ :local ─▶ node-2                      └── set weight ── weighter
 */
describe('nodes behind HAProxy', () => {
  let chain: ChainConductor;
  let nodes: [AnvilNode, AnvilNode, AnvilNode];
  let bed: HaproxyBed;
  let weighter: WeighterProcess;
  let proxy: ProxyProcess;
  let mining: NodeJS.Timeout;

  beforeEach(async () => {
    chain = await ChainConductor.start({ nodes: 3 });
    nodes = chain.nodes as typeof nodes;
    await chain.mine(3);
    // One block a second, which is also what its timestamps say.
    mining = setInterval(() => void chain.mine().catch(() => undefined), 1000);
    bed = await HaproxyBed.start({
      dev: { chainId: 31337, nodes: nodes.map(({ name, url }) => ({ name, url })) },
    });
    const [, host, port] = /^(.*):(\d+)$/.exec(/stats socket ipv4@(\S+)/.exec(bed.text)?.[1] ?? '') ?? [];
    weighter = await WeighterProcess.start({
      admin: { host, port: Number(port) },
      adjustIntervalMs: INTERVAL_MS,
      maxBlockAgeMs: MAX_BLOCK_AGE_MS,
    });
    const members = nodes.map(({ name }) => ({ name, localPort: Number(new URL(bed.localUrl(name)).port) }));
    proxy = await ProxyProcess.start({
      chains: { dev: { chainId: 31337, health: { intervalMs: 200 }, nodes: members } },
    });
    await proxy.until(({ chains }) => chains.every((one) => one.nodes.every(({ health }) => health === 'up')));
  });

  afterEach(async () => {
    clearInterval(mining);
    const { code } = await proxy.stop();
    await weighter.stop();
    await bed.stop();
    await chain.close();
    expect(code).toBe(0);
  });

  async function weightOf(node: AnvilNode): Promise<number> {
    return Number((await bed.haproxy.stat()).get(`rpc-backend/${node.name}`)?.['weight']);
  }

  /** Requests the pool has sent to a node; its checks do not count. */
  async function sessionsOf(node: AnvilNode): Promise<number> {
    return Number((await bed.haproxy.stat()).get(`rpc-backend/${node.name}`)?.['stot']);
  }

  it('of which one makes no more blocks: it weighs nothing, the pool spares it, and it is taken back', async () => {
    const [frozen, other] = nodes;
    expect(await Promise.all(nodes.map(weightOf))).toEqual([100, 100, 100]);
    await chain.freezeHead(frozen);
    const since = performance.now();
    await eventually(async () => (await weightOf(frozen)) === 0);
    const took = performance.now() - since;
    // A block of up to a second ago must grow too old first.
    expect(took).toBeGreaterThan(MAX_BLOCK_AGE_MS - 2500);
    expect(took).toBeLessThan(MAX_BLOCK_AGE_MS + 1000 + 2 * INTERVAL_MS + 1000);
    const [before, others] = [await sessionsOf(frozen), await sessionsOf(other)];
    for (let i = 0; i < 20; i++) expect((await ask(bed.url, 'eth_chainId')).result).toBe('0x7a69');
    expect(await sessionsOf(frozen)).toBe(before);
    expect(await sessionsOf(other)).toBeGreaterThan(others);
    await chain.release(frozen);
    await eventually(async () => (await weightOf(frozen)) === 100);
    for (let i = 0; i < 20; i++) expect((await ask(bed.url, 'eth_chainId')).result).toBe('0x7a69');
    expect(await sessionsOf(frozen)).toBeGreaterThan(before);
  });

  it('of which one is on another chain: HAProxy leaves it out, and it does not count as the healthy one', async () => {
    const [other, frozen] = nodes;
    await chain.setChainId(other, 5);
    await bed.haproxy.untilServer(`rpc-backend/${other.name}`, 'DOWN');
    for (const node of nodes.slice(1)) await chain.freezeHead(node);
    // Both who could serve have only old blocks: better those than none.
    await eventually(() => weighter.logged('no server is healthy').length > 0);
    await eventually(async () => (await weightOf(frozen)) === 100);
    for (let i = 0; i < 10; i++) expect((await ask(bed.url, 'eth_chainId')).result).toBe('0x7a69');
  });

  it('of which one is killed under load: the proxy loses no read, and the pool soon has none for it', async () => {
    const [dead] = nodes;
    const load = runLoad({ url: proxy.url, clients: 16, durationMs: 5000, mix: readMix, timeoutMs: 10_000 });
    await sleep(1500);
    await dead.kill();
    const ledger = await load;
    expect(ledger.failures()).toEqual([]);
    expect(ledger.entries.length).toBeGreaterThan(500);
    // Probes and requests meet HAProxy's word that nothing was sent, which is as good as a refused connection.
    expect((await proxy.node(dead.name)).reason).toMatch(/CONNECT_FAILED|RESET|NODE_DOWN/);
    await eventually(async () => (await weightOf(dead)) === 0);
    await bed.haproxy.untilServer(`rpc-backend/${dead.name}`, 'DOWN');
    for (let i = 0; i < 20; i++) expect((await ask(bed.url, 'eth_chainId')).result).toBe('0x7a69');
  });

  it('that is reloaded under load: no read is lost, and the weights are as they were within one interval', async () => {
    const [frozen] = nodes;
    await chain.freezeHead(frozen);
    await eventually(async () => (await weightOf(frozen)) === 0);
    const load = runLoad({ url: proxy.url, clients: 16, durationMs: 4000, mix: readMix, timeoutMs: 10_000 });
    await sleep(1000);
    await bed.haproxy.reload();
    const since = performance.now();
    await eventually(async () => (await weightOf(frozen)) === 0);
    // HAProxy is asked every second between rounds, or each interval where that is shorter.
    expect(performance.now() - since).toBeLessThan(INTERVAL_MS + 1500);
    const ledger = await load;
    expect(ledger.failures()).toEqual([]);
    expect(weighter.logged('HAProxy restarted').length).toBeGreaterThan(0);
  });
});
