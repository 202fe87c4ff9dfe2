import { ChainConductor } from '../support/chain-conductor';
import { eventually } from '../support/eventually';
import { ProxyProcess } from '../support/proxy-process';

/** A key of anvil's own, which it signs for. */
const FROM = '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266';
/** Deploys a contract whose every call logs one event, whose topic is the call's data; see filters-smoke.test.ts. */
const LOGGER = '0x6860003560006000a10060005260096017f3';

const topic = (number: number): string => `0x${number.toString(16).padStart(64, '0')}`;

describe('filters that nodes keep', () => {
  let chain: ChainConductor;
  let proxy: ProxyProcess;
  let address: string;

  const send = (data: string, to?: string) =>
    chain.nodes
      .find(({ state }) => state === 'running')
      ?.rpc('eth_sendTransaction', [{ from: FROM, data, gas: '0x20000', ...(to && { to }) }]);
  const headIs = (number: number) =>
    eventually(
      async () => Number(await proxy.call('eth_blockNumber')) === number,
      () => `head ${number}`,
    );
  const polls = (how: string) => proxy.metric('rpc_balancer_filter_polls_total', { how });

  beforeAll(async () => {
    chain = await ChainConductor.start({ nodes: 2 });
    proxy = await ProxyProcess.start({
      chains: {
        test: {
          chainId: 31337,
          filters: { mode: 'sticky' },
          health: { intervalMs: 50 },
          nodes: chain.nodes.map(({ name, url }) => ({ name, url })),
        },
      },
    });
    const deployed = await send(LOGGER);
    await chain.mine();
    await headIs(chain.height);
    const receipt = (await proxy.call('eth_getTransactionReceipt', [deployed])) as { contractAddress: string };
    address = receipt.contractAddress;
  });

  afterAll(async () => {
    await proxy.stop();
    await chain.close();
  });

  it('tell what the node tells, and go on without it when it is killed, nothing lost and nothing twice', async () => {
    const id = await proxy.call('eth_newFilter', [{ address }]);
    const told: number[] = [];
    const poll = async (): Promise<void> => {
      const logs = (await proxy.call('eth_getFilterChanges', [id])) as { topics: string[]; removed?: boolean }[];
      told.push(...logs.map(({ topics: [name], removed }) => (removed === true ? -1 : 1) * Number(name)));
    };
    let sent = 0;
    const next = async (logs: number): Promise<void> => {
      for (let i = 0; i < logs; i++) await send(topic(++sent), address);
      await chain.mine();
      await headIs(chain.height);
      await poll();
    };
    for (let block = 0; block < 4; block++) await next(2);
    await poll();
    await poll();
    expect(told).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(await polls('sticky')).toBeGreaterThan(2);
    // The balancer may hear a moment late that the node is there as well.
    await eventually(
      async () => {
        const unchanged = await polls('unchanged');
        await poll();
        return (await polls('unchanged')) === unchanged + 1;
      },
      () => 'a poll that finds nothing new to ask for',
    );
    // The node that keeps it is one of the two; both are killed in turn.
    const [first, second] = chain.nodes;
    await first?.kill();
    await next(2);
    await next(1);
    await first?.restart();
    await chain.settle();
    await proxy.untilNode(first?.name ?? '', ({ health }) => health === 'up');
    await second?.kill();
    await next(2);
    await next(1);
    await second?.restart();
    await chain.settle();
    await proxy.untilNode(second?.name ?? '', ({ health }) => health === 'up');
    expect(told).toEqual(Array.from({ length: sent }, (_, i) => i + 1));
    expect(await proxy.metric('rpc_balancer_filters_lost_total', { kind: 'logs' })).toBe(1);
    expect(await proxy.call('eth_uninstallFilter', [id])).toBe(true);
  }, 60_000);

  it('take back the logs of blocks that were given up, although the node does not', async () => {
    const id = await proxy.call('eth_newFilter', [{ address }]);
    const poll = async (): Promise<number[]> => {
      const logs = (await proxy.call('eth_getFilterChanges', [id])) as { topics: string[]; removed?: boolean }[];
      return logs.map(({ topics: [name], removed }) => (removed === true ? -1 : 1) * Number(name));
    };
    const told: number[] = [];
    for (const name of [101, 102, 103]) {
      await send(topic(name), address);
      await chain.mine();
      await headIs(chain.height);
      told.push(...(await poll()));
    }
    expect(told).toEqual([101, 102, 103]);
    await chain.reorg(2);
    await headIs(chain.height);
    const again = [...(await poll()), ...(await poll())];
    expect(again.slice(0, 2)).toEqual([-103, -102]);
    expect(again.slice(2).sort()).toEqual([102, 103]);
    await send(topic(104), address);
    await chain.mine();
    await headIs(chain.height);
    expect(await poll()).toEqual([104]);
    expect(await poll()).toEqual([]);
  }, 30_000);

  it('of pending transactions tell each once, and are made again elsewhere when their node is lost', async () => {
    const id = await proxy.call('eth_newPendingTransactionFilter');
    const seen: unknown[] = [];
    const poll = async (): Promise<void> => {
      seen.push(...((await proxy.call('eth_getFilterChanges', [id])) as unknown[]));
    };
    const hashes: unknown[] = [];
    const sendAndSee = async (name: number): Promise<void> => {
      hashes.push(await send(topic(name), address));
      await eventually(
        async () => {
          await poll();
          return seen.includes(hashes.at(-1));
        },
        () => `transaction ${name}`,
      );
    };
    await sendAndSee(201);
    await sendAndSee(202);
    for (const node of chain.nodes) {
      await node.kill();
      await poll();
      await poll();
      await sendAndSee(203);
      await node.restart();
      await chain.settle();
      await proxy.untilNode(node.name, ({ health }) => health === 'up');
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(await proxy.metric('rpc_balancer_filters_lost_total', { kind: 'pending' })).toBeGreaterThan(0);
    await expect(proxy.call('eth_getFilterLogs', [id])).rejects.toThrow('filter not found');
    await expect(proxy.call('eth_newPendingTransactionFilter', [1])).rejects.toThrow('-32602');
  }, 60_000);
});
