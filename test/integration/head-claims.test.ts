import type { AnvilNode } from '../../bin/dev-chain/anvil-node';
import { ChainConductor } from '../support/chain-conductor';
import { runLoad } from '../support/load-client';
import { echoMix, readMix } from '../support/load-mix';
import { ProxyProcess } from '../support/proxy-process';
import { ScriptedNode } from '../support/scripted-node';

const health = { intervalMs: 100 };

describe('a node that claims 10 000 blocks nobody else has', () => {
  let nodes: [ScriptedNode, ScriptedNode, ScriptedNode];
  let proxy: ProxyProcess;

  beforeEach(async () => {
    const start = (name: string): Promise<ScriptedNode> => ScriptedNode.start({ name, now: () => 1_800_000_000_000 });
    nodes = await Promise.all([start('a'), start('b'), start('rogue')]);
  });

  afterEach(async () => {
    await proxy.stop();
    await Promise.all(nodes.map((node) => node.close()));
  });

  it.each(['from the start', 'while it serves'])(
    '%s is out with that reason, and the head goes on without it',
    async (when) => {
      const [a, b, rogue] = nodes;
      const claim = (): void => rogue.setHead(rogue.head + 10_000);
      if (when === 'from the start') claim();
      const members = nodes.map(({ name, url }) => ({ name, url }));
      proxy = await ProxyProcess.start({ chains: { test: { chainId: 1337, health, nodes: members } } });
      await proxy.until(({ chains }) => chains[0]?.nodes.filter((node) => node.health === 'up').length !== 0);
      if (when === 'while it serves') {
        await proxy.untilNode('rogue', (node) => node.health === 'up');
        claim();
      }
      await proxy.untilNode('rogue', (node) => node.health === 'lagging');
      const { reason, attempts } = await proxy.node('rogue');
      expect(reason).toBe('claims block 10100, 10000 ahead of the other nodes');
      expect(await proxy.call('eth_blockNumber')).toBe('0x64');

      const ledger = await runLoad({ url: proxy.url, clients: 8, total: 400, mix: echoMix });
      expect(ledger.failures()).toEqual([]);
      expect((await proxy.node('rogue')).attempts).toBe(attempts);

      for (const node of [a, b]) node.mine(2);
      await proxy.until(({ chains }) => chains[0]?.head?.number === 102);
      expect(await proxy.call('eth_getBlockByNumber', ['latest', false])).toMatchObject({ number: '0x66' });
      expect((await proxy.node('rogue')).attempts).toBe(attempts);
    },
  );
});

describe('a node that starts again empty', () => {
  const LONG = 60;
  let chain: ChainConductor;
  let nodes: [AnvilNode, AnvilNode, AnvilNode];
  let proxy: ProxyProcess;

  beforeEach(async () => {
    chain = await ChainConductor.start({ nodes: 3 });
    nodes = chain.nodes as [AnvilNode, AnvilNode, AnvilNode];
    await chain.mine(LONG);
    const members = nodes.map(({ name, url }) => ({ name, url }));
    proxy = await ProxyProcess.start({ chains: { dev: { chainId: 31337, health, nodes: members } } });
    await proxy.until(({ chains }) => chains.every((one) => one.nodes.every((node) => node.health === 'up')));
  });

  afterEach(async () => {
    await proxy.stop();
    await chain.close();
  });

  it('is out until it has caught up, and then takes its part without a rush', async () => {
    const [, , c] = nodes;
    await c.kill();
    await proxy.untilNode(c.name, (node) => node.health === 'down');
    await chain.freezeHead(c);
    await c.restart();
    await proxy.untilNode(c.name, (node) => node.health === 'lagging');
    const { reason, attempts } = await proxy.node(c.name);
    expect(reason).toBe(`${LONG} blocks behind`);
    const meanwhile = await runLoad({ url: proxy.url, clients: 8, total: 400, mix: readMix });
    expect(meanwhile.failures()).toEqual([]);
    expect((await proxy.node(c.name)).attempts).toBe(attempts);

    // As many in flight as at the others is all it is given: the less busy of two needs no slow start.
    const enough = new AbortController();
    const { signal } = enough;
    const running = runLoad({ url: proxy.url, clients: 30, durationMs: 30_000, signal, mix: readMix });
    await chain.release(c);
    await proxy.untilNode(c.name, (node) => node.health === 'up');
    const before = await counts();
    await proxy.untilNode(c.name, (node) => node.attempts >= attempts + 300);
    const after = await counts();
    enough.abort();
    const [, , toC = 0] = after.map((count, index) => count - (before[index] ?? 0));
    expect(toC / (sum(after) - sum(before))).toBeLessThan(0.5);
    const ended = (await running).failures().flatMap(({ outcomes }) => outcomes.map(({ outcome }) => outcome.kind));
    expect(ended.filter((kind) => kind !== 'clientAbort')).toEqual([]);
  }, 40_000);

  it('loses no read either when it is back before a probe has failed', async () => {
    const [, , c] = nodes;
    const running = runLoad({ url: proxy.url, clients: 8, durationMs: 1500, mix: readMix });
    await chain.freezeHead(c);
    await c.restart();
    await proxy.untilNode(c.name, (node) => node.health === 'lagging');
    const ledger = await running;
    expect(ledger.failures()).toEqual([]);
  }, 40_000);

  async function counts(): Promise<number[]> {
    return Promise.all(nodes.map(async ({ name }) => (await proxy.node(name)).attempts));
  }
});

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
