import { ChainConductor } from '../support/chain-conductor';
import { eventually } from '../support/eventually';
import { ProxyProcess } from '../support/proxy-process';
import { RedisProcess } from '../support/redis-process';
import { ScriptedNode } from '../support/scripted-node';

/**
 * Deploys a contract whose every call logs one event, whose topic is the call's data:
 * `PUSH1 0, CALLDATALOAD, PUSH1 0, PUSH1 0, LOG1, STOP`, stored by `PUSH9 code, PUSH1 0, MSTORE, PUSH1 9, PUSH1 23, RETURN`.
 */
const LOGGER = '0x6860003560006000a10060005260096017f3';
/** Of anvil's own keys, which it signs for. */
const FROM = '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266';

const topic = (number: number): string => `0x${number.toString(16).padStart(64, '0')}`;

interface ToldLog {
  readonly topics: readonly string[];
  readonly blockHash: string;
  readonly removed?: boolean;
}

describe('filters, with one real node', () => {
  let chain: ChainConductor;
  let proxy: ProxyProcess;

  beforeAll(async () => {
    chain = await ChainConductor.start({ nodes: 1 });
    await chain.mine(3);
    proxy = await ProxyProcess.start({
      chains: {
        test: {
          chainId: 31337,
          filters: { ttlMs: 2000, maxPerClient: 5 },
          nodes: chain.nodes.map(({ name, url }) => ({ name, url })),
        },
      },
    });
  });

  afterAll(async () => {
    await proxy.stop();
    await chain.close();
  });

  const headIs = (number: number) =>
    eventually(
      async () => Number(await proxy.call('eth_blockNumber')) === number,
      () => `head ${number}`,
    );

  it('tells the hashes of new blocks once, and no more after it was removed', async () => {
    const id = await proxy.call('eth_newBlockFilter');
    expect(id).toMatch(/^0x[0-9a-f]{32}$/);
    expect(await proxy.call('eth_getFilterChanges', [id])).toEqual([]);
    await chain.mine(2);
    await headIs(chain.height);
    const hashes = [chain.block(chain.height - 1).hash, chain.block().hash];
    expect(await proxy.call('eth_getFilterChanges', [id])).toEqual(hashes);
    expect(await proxy.call('eth_getFilterChanges', [id])).toEqual([]);
    expect(await proxy.call('eth_uninstallFilter', [id])).toBe(true);
    expect(await proxy.call('eth_uninstallFilter', [id])).toBe(false);
    await expect(proxy.call('eth_getFilterChanges', [id])).rejects.toThrow(
      '{"code":-32000,"message":"filter not found"}',
    );
  });

  it('tells new logs once, takes back those of blocks that were given up, and keeps to the criteria', async () => {
    const send = (data: string, to?: string) =>
      chain.nodes[0]?.rpc('eth_sendTransaction', [{ from: FROM, data, ...(to && { to }), gas: '0x20000' }]);
    const deployed = await send(LOGGER);
    await chain.mine();
    await headIs(chain.height);
    const receipt = (await proxy.call('eth_getTransactionReceipt', [deployed])) as { contractAddress: string };
    const address = receipt.contractAddress;
    const ids = await Promise.all(
      [{ address }, { address, topics: [topic(2)] }, { topics: [[topic(7), topic(8)]] }].map((criteria) =>
        proxy.call('eth_newFilter', [criteria]),
      ),
    );
    const poll = async () => {
      const polls = await Promise.all(ids.map((id) => proxy.call('eth_getFilterChanges', [id])));
      return polls.map((logs) =>
        (logs as ToldLog[]).map(({ topics: [name], removed }) => (removed === true ? -1 : 1) * Number(name)),
      );
    };
    for (let number = 1; number <= 3; number++) await send(topic(number), address);
    await chain.mine();
    await send(topic(4), address);
    await chain.mine();
    await headIs(chain.height);
    expect(await poll()).toEqual([[1, 2, 3, 4], [2], []]);
    expect(await poll()).toEqual([[], [], []]);
    await chain.reorg(2);
    await eventually(async () => Number(await proxy.call('eth_blockNumber')) === chain.height);
    const again = (await poll())[0] ?? [];
    expect(again.slice(0, 4)).toEqual([-4, -3, -2, -1]);
    // What was in the blocks that were given up is mined again.
    expect(again.slice(4).sort()).toEqual([1, 2, 3, 4]);
    expect(await poll()).toEqual([[], [], []]);
    const [first] = ids;
    expect(await proxy.call('eth_getFilterLogs', [first])).toEqual(await proxy.call('eth_getLogs', [{ address }]));
  });

  it('forgets a filter that nobody polls', async () => {
    const polled = await proxy.call('eth_newBlockFilter');
    const left = await proxy.call('eth_newBlockFilter');
    for (let i = 0; i < 6; i++) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      await proxy.call('eth_getFilterChanges', [polled]);
    }
    await expect(proxy.call('eth_getFilterChanges', [left])).rejects.toThrow('filter not found');
  });
});

describe('filters of two proxies with one Redis', () => {
  it('are one: made here, polled and removed there, and known to no other chain', async () => {
    const chain = await ChainConductor.start({ nodes: 1 });
    const redis = await RedisProcess.start();
    const nodes = chain.nodes.map(({ name, url }) => ({ name, url }));
    const other = await ScriptedNode.start({ chainId: 5 });
    const config = {
      redis: { url: redis.url },
      defaultChain: 'test',
      chains: {
        test: { chainId: 31337, nodes },
        other: { chainId: 5, nodes: [{ name: 'other', url: other.url }] },
      },
    };
    const [a, b] = await Promise.all([ProxyProcess.start(config), ProxyProcess.start(config)]);
    try {
      await a.until(({ redis: state }) => state?.up === true);
      await b.until(({ redis: state }) => state?.up === true);
      const id = await a.call('eth_newBlockFilter');
      expect(await b.call('eth_getFilterChanges', [id])).toEqual([]);
      await chain.mine(2);
      for (const proxy of [a, b]) {
        await eventually(async () => Number(await proxy.call('eth_blockNumber')) === chain.height);
      }
      expect(await b.call('eth_getFilterChanges', [id])).toEqual([chain.block(1).hash, chain.block(2).hash]);
      expect(await a.call('eth_getFilterChanges', [id])).toEqual([]);
      const before = await a.redisAnswers('filters');
      for (let i = 0; i < 20; i++) expect(await a.call('eth_getFilterChanges', [id])).toEqual([]);
      expect((await a.redisAnswers('filters')) - before).toBe(20);
      await expect(a.call('eth_getFilterChanges', [id], '/other')).rejects.toThrow('filter not found');
      expect(await b.call('eth_uninstallFilter', [id])).toBe(true);
      await expect(a.call('eth_getFilterChanges', [id])).rejects.toThrow('filter not found');
    } finally {
      await Promise.all([a.stop(), b.stop(), redis.stop(), chain.close(), other.close()]);
    }
  });
});
