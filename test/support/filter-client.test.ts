import { ChainConductor } from './chain-conductor';
import { FilterClient } from './filter-client';
import { FilterReference } from './filter-reference';
import { foldTold, toTold, type LogJson } from './filter-sequence';
import { LogEmitter, TICK, TICK_TOPIC, tickOf } from './log-emitter';
import { closeConnections, resultOf } from './oracle-client';
import { LOGGER } from './scripted-logs';
import { ScriptedNode } from './scripted-node';

afterAll(closeConnections);

describe('a scripted node', () => {
  let node: ScriptedNode;

  beforeEach(async () => {
    node = await ScriptedNode.start({ head: 100 });
    node.chain.logsPerBlock = 2;
  });

  afterEach(() => node.close());

  const say = (told: readonly string[]): string[] => told.map((one) => one.slice(0, one.indexOf(' ', 5)));

  it('tells the logs of replaced blocks as removed, the last first, before those of the new ones', async () => {
    const client = await FilterClient.create('eth_newFilter', [{ address: LOGGER }], [node.url]);
    await client.poll();
    node.mine(2);
    await client.poll();
    node.branchAt(102, 'other');
    node.mine();
    await client.poll();
    expect(say(client.told)).toEqual([
      ...['+101 #0', '+101 #1', '+102 #0', '+102 #1'],
      ...['-102 #1', '-102 #0', '+102 #0', '+102 #1', '+103 #0', '+103 #1'],
    ]);
    expect(foldTold(client.told)).toHaveLength(6);
    const logs = (await resultOf(node.url, 'eth_getLogs', [{ fromBlock: '0x65' }])) as LogJson[];
    expect(foldTold(client.told)).toEqual(foldTold(logs.map(toTold)));
  });

  it('hands out ids that count up, of blocks and of transactions that wait too', async () => {
    const blocks = await FilterClient.create('eth_newBlockFilter', [], [node.url]);
    const pending = await FilterClient.create('eth_newPendingTransactionFilter', [], [node.url]);
    expect([blocks.id, pending.id]).toEqual(['0x1', '0x2']);
    node.mine();
    const hash = await resultOf(node.url, 'eth_sendRawTransaction', ['0x01']);
    await Promise.all([blocks.poll(), pending.poll()]);
    await Promise.all([blocks.poll(), pending.poll()]);
    expect(blocks.told).toEqual([node.chain.hash(101)]);
    expect(pending.told).toEqual([hash]);
    expect(await resultOf(node.url, 'eth_uninstallFilter', ['0x1'])).toBe(true);
    await blocks.poll();
    expect(blocks.refusals).toEqual(['-32000 filter not found']);
  });
});

it('a sequence with anything twice, or removed before it was there, does not fold', () => {
  const log = (removed: boolean): string => `${removed ? '-' : '+'}1 #0 7 0xaa 0xbb 0xcc`;
  expect(foldTold([log(false), log(true), log(false)])).toHaveLength(1);
  expect(() => foldTold([log(false), log(false)])).toThrow('told twice');
  expect(() => foldTold([log(true)])).toThrow('removed without being there');
  expect(() => foldTold(['0xab', '0xcd', '0xab'])).toThrow('told twice');
});

it('the reference knows what a real node tells, and what it should tell of a reorg', async () => {
  const chain = await ChainConductor.start({ nodes: 2 });
  try {
    const [a, b] = chain.nodes as [ChainConductor['nodes'][number], ChainConductor['nodes'][number]];
    const emitter = await LogEmitter.deploy(chain, b);
    const criteria = { address: emitter.address, topics: [TICK_TOPIC, null] };
    const reference = new FilterReference(chain, b, criteria);
    const client = await FilterClient.create('eth_newFilter', [criteria], [a.url]);
    for (const count of [3, 1, 4]) {
      await emitter.emit(count);
      await reference.mine();
    }
    await client.poll();
    expect(client.told).toEqual(reference.logs);
    expect(client.told).toHaveLength(8);

    await reference.reorg(2);
    const undone = reference.logs.slice(8, 13).map((log) => log.split(' ').slice(0, 3).join(' '));
    expect(undone.map((log) => log.slice(0, log.lastIndexOf(' ')))).toEqual([
      '-4 #3',
      '-4 #2',
      '-4 #1',
      '-4 #0',
      '-3 #0',
    ]);
    const logs = (await resultOf(a.url, 'eth_getLogs', [{ ...criteria, fromBlock: '0x0' }])) as LogJson[];
    expect(foldTold(reference.logs)).toEqual(logs.map(toTold).map((log) => log.slice(1)));
    expect(logs.map(({ data }) => tickOf(data))).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(
      TICK.parseLog({ ...logs[5], topics: [...(logs[5]?.topics ?? [])], data: logs[5]?.data ?? '' })?.args.toArray(),
    ).toEqual([1n, 5n]);
  } finally {
    await chain.close();
  }
});
