import { ProxyProcess } from '../support/proxy-process';
import { ScriptedNode } from '../support/scripted-node';

/**
 * A node on a fork of its own was asked for blocks below its head, which it has otherwise: its height was enough. Now its
 * branch is followed down to where it left ours, and an answer that names another hash is not believed.
 */
describe('a node on a branch of its own', () => {
  let nodes: ScriptedNode[];
  let proxy: ProxyProcess;

  beforeEach(async () => {
    nodes = await Promise.all(
      ['a', 'b', 'c'].map((name) => ScriptedNode.start({ name, chainId: 1, head: 100, now: () => 1_800_000_000_000 })),
    );
    proxy = await ProxyProcess.start({
      chains: {
        test: {
          chainId: 1,
          health: { intervalMs: 50 },
          cache: { maxBytes: 0 },
          nodes: nodes.map(({ name, url }) => ({ name, url })),
        },
      },
    });
    await proxy.until(({ chains }) => chains[0]?.nodes.every(({ health }) => health === 'up') === true);
  });

  afterEach(async () => {
    await proxy.stop();
    await Promise.all(nodes.map((node) => node.close()));
  });

  const hashesOf = async (number: string): Promise<Set<unknown>> => {
    const blocks = await Promise.all(
      Array.from({ length: 40 }, () => proxy.call('eth_getBlockByNumber', [number, false])),
    );
    return new Set(blocks.map((block) => (block as { hash: string } | null)?.hash));
  };

  it('shows nothing of it, neither by number nor as latest, from the first moment on', async () => {
    const [a, , c] = nodes;
    c?.branchAt(101, 'fork');
    for (let block = 101; block <= 103; block++) {
      // The branch seen first stays at equal height, and that is to be the one that most are on.
      for (const node of nodes) if (node !== c) node.mine();
      await proxy.until(({ chains }) => chains[0]?.head?.number === block);
      c?.mine();
      const hashes = await hashesOf('latest');
      expect(hashes.size).toBe(1);
      await proxy.until(({ chains }) => chains[0]?.nodes.every(({ head }) => head === block) === true);
    }
    const main = (
      (await await fetch(a?.url ?? '', {
        method: 'POST',
        body: '{"jsonrpc":"2.0","id":1,"method":"eth_getBlockByNumber","params":["0x65",false]}',
      }).then((response) => response.json())) as { result: { hash: string } }
    ).result.hash;
    expect(await hashesOf('0x65')).toEqual(new Set([main]));
    expect(c?.callsOf('eth_getBlockByNumber').length).toBeGreaterThan(0);
  });
});
