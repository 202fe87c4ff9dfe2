import { Contract, JsonRpcProvider } from 'ethers';
import { setTimeout as sleep } from 'node:timers/promises';
import { createPublicClient, defineChain, http, parseAbiItem } from 'viem';
import { eventually } from '../support/eventually';
import { TICK } from '../support/log-emitter';
import { FilterBed, type Mode } from './filter-bed';

/** What dApps hear of events, of blocks and of transactions that wait, with ethers 6 and viem, while a node dies. */
describe.each<Mode>(['computed', 'sticky'])('clients with %s filters', (mode) => {
  let bed: FilterBed;

  beforeAll(async () => {
    bed = await FilterBed.start([mode], 1);
    bed.reference.start(250);
  }, 40_000);

  afterAll(() => bed.close(), 20_000);

  it('hear of all, once and in order', async () => {
    const url = bed.urls(mode)[0] ?? '';
    const provider = new JsonRpcProvider(url, 31337, { staticNetwork: true, pollingInterval: 100, cacheTimeout: -1 });
    const contract = new Contract(bed.emitter.address, TICK, provider);
    const chain = defineChain({
      id: 31337,
      name: 'dev',
      nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
      rpcUrls: { default: { http: [url] } },
    });
    const reader = createPublicClient({ chain, transport: http(url), pollingInterval: 100, cacheTime: 0 });
    const heard = { ethers: [] as number[], viem: [] as number[], blocks: [] as number[], pending: [] as string[] };
    const errors: unknown[] = [];
    const onError = (error: unknown): void => void errors.push(error);
    try {
      await contract.on('Tick', (_parity: bigint, number: bigint) => void heard.ethers.push(Number(number)));
      const stops = [
        reader.watchEvent({
          address: bed.emitter.address as `0x${string}`,
          event: parseAbiItem('event Tick(uint256 indexed parity, uint256 number)'),
          onLogs: (logs) => void heard.viem.push(...logs.map(({ args }) => Number(args.number))),
          onError,
        }),
        reader.watchBlocks({
          emitMissed: true,
          onBlock: ({ number }) => void heard.blocks.push(Number(number)),
          onError,
        }),
        reader.watchPendingTransactions({ onTransactions: (hashes) => void heard.pending.push(...hashes), onError }),
      ];
      // Two for logs and one for what waits: from here on nothing may be missed.
      await eventually(async () => (await bed.proxies[mode][0]?.metric('rpc_balancer_filters')) === 3);

      bed.emitter.start(20);
      await sleep(1500);
      const [feeder] = await bed.feeders('');
      expect(feeder).toBeDefined();
      await feeder?.kill();
      await sleep(2500);
      await bed.emitter.stop();
      const all = Array.from({ length: bed.emitter.emitted }, (_, number) => number);
      await eventually(
        () => heard.ethers.length >= all.length && heard.viem.length >= all.length,
        () => JSON.stringify(heard),
      );
      await sleep(500);
      for (const stop of stops) stop();
      await contract.removeAllListeners();

      expect(heard.ethers).toEqual(all);
      expect(heard.viem).toEqual(all);
      expect(heard.blocks.length).toBeGreaterThan(10);
      expect(heard.blocks).toEqual(heard.blocks.map((_, index) => (heard.blocks[0] ?? 0) + index));
      expect(heard.pending.length).toBeGreaterThan(10);
      expect(new Set(heard.pending).size).toBe(heard.pending.length);
      expect(errors).toEqual([]);
    } finally {
      provider.destroy();
    }
  }, 40_000);
});
