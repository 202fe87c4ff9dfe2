import { ChainConductor } from '../support/chain-conductor';
import { eventually } from '../support/eventually';
import { logLines } from '../support/program-process';
import { ProxyProcess } from '../support/proxy-process';

describe('a chain in trouble', () => {
  let chain: ChainConductor;
  let proxy: ProxyProcess;

  beforeAll(async () => {
    chain = await ChainConductor.start({ nodes: 2 });
    await chain.mine(1);
    proxy = await ProxyProcess.start({
      chains: {
        dev: {
          chainId: 31337,
          health: { intervalMs: 100 },
          nodes: chain.nodes.map(({ url }, index) => ({ name: `node-${index}`, url })),
        },
      },
    });
    await proxy.until(({ chains }) => chains[0]?.nodes.every(({ health }) => health === 'up') === true);
  });

  afterAll(async () => {
    await proxy.stop();
    await chain.close();
  });

  it('is told of when its last node is down, and when one is back', async () => {
    const [first, second] = chain.nodes;
    await first?.kill();
    await proxy.until(({ chains }) => chains[0]?.nodes[0]?.health === 'down');
    await second?.kill();
    await eventually(
      () => logLines(proxy.output, 'no healthy node').length > 0,
      () => proxy.output,
    );
    expect(logLines(proxy.output, 'no healthy node')).toMatchObject([{ chain: 'dev', level: 'error' }]);
    await second?.restart();
    await chain.settle();
    await eventually(
      () => logLines(proxy.output, 'a node is healthy again').length > 0,
      () => proxy.output,
    );
    expect(logLines(proxy.output, 'a node is healthy again')).toMatchObject([{ chain: 'dev', level: 'info' }]);
  }, 60_000);
});
