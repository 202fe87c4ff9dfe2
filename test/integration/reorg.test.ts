import { setTimeout as sleep } from 'node:timers/promises';
import { ChainConductor } from '../support/chain-conductor';
import { runLoad } from '../support/load-client';
import { readMix } from '../support/load-mix';
import { ProxyProcess } from '../support/proxy-process';

it('a reorg on all nodes costs no read', async () => {
  const chain = await ChainConductor.start({ nodes: 3 });
  await chain.mine(8);
  const nodes = chain.nodes.map(({ name, url }) => ({ name, url }));
  const proxy = await ProxyProcess.start({ chains: { dev: { chainId: 31337, health: { intervalMs: 250 }, nodes } } });
  await proxy.until(({ chains }) => chains.every((one) => one.nodes.every(({ health }) => health === 'up')));
  const running = runLoad({ url: proxy.url, clients: 16, durationMs: 4000, mix: readMix });
  for (let depth = 1; depth <= 3; depth++) {
    await sleep(900);
    await chain.reorg(depth);
  }
  const ledger = await running;
  await proxy.stop();
  await chain.close();
  expect(ledger.failures()).toEqual([]);
}, 30_000);
