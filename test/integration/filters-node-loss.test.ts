import { setTimeout as sleep } from 'node:timers/promises';
import type { AnvilNode } from '../../bin/dev-chain/anvil-node';
import { foldTold } from '../support/filter-sequence';
import { allHeard, expectAsExpected, FilterBed, type Mode, stopAll, type Watch } from './filter-bed';

/**
 * What a client hears through proxies that lose nodes, beside what it would hear of one healthy node that tells reorgs
 * (test/support/filter-reference.ts). Before each reorg the chain stands still until all have heard of its newest block:
 * who did not hear of a block is rightly not told that it is gone.
 */
describe('the node that feeds a filter dies', () => {
  let bed: FilterBed;

  beforeAll(async () => {
    bed = await FilterBed.start(['computed', 'sticky']);
  }, 40_000);

  afterAll(() => bed.close(), 20_000);

  const lost = async (mode: Mode): Promise<number> => {
    const counts = await Promise.all(bed.proxies[mode].map((proxy) => proxy.metric('rpc_balancer_filters_lost_total')));
    return counts.reduce((sum, count) => sum + count, 0);
  };

  it('while fifty logs a second come for thirty seconds, with reorgs, and nothing is lost, nothing comes twice, and the order is kept', async () => {
    const [x, y] = bed.nodes as [AnvilNode, AnvilNode];
    const watches: readonly Watch[] = await bed.reference.still(async () => {
      await bed.atTip();
      return [
        await bed.watch('computed', 'logs'),
        await bed.watch('computed', 'even logs'),
        await bed.watch('computed', 'blocks'),
        await bed.watchAt(x, 'logs'),
        await bed.watchAt(y, 'even logs'),
        await bed.watch('sticky', 'blocks'),
      ];
    });
    for (const { client } of watches) client.start(80);
    bed.run(50);

    await sleep(6000);
    await x.kill();
    await sleep(6000);
    // The filters of y are told of this one by a node that tells no removed logs.
    await bed.reference.reorg(2, () => allHeard(watches));
    await sleep(4000);
    await x.restart();
    await sleep(4000);
    // The node and two blocks are lost at once.
    await bed.reference.reorg(2, async () => {
      await allHeard(watches);
      await y.kill();
    });
    await sleep(10_000);
    await bed.rest();
    await bed.reference.still(() => allHeard(watches));
    await stopAll(watches);

    expect(bed.emitter.emitted).toBeGreaterThan(1000);
    expectAsExpected(watches);
    for (const { client } of watches) expect(client.polls).toBeGreaterThan(100);
    const removed = watches.map(({ client }) => client.told.filter((told) => told.startsWith('-')).length);
    expect(removed.map((count) => count > 20)).toEqual([true, true, false, true, true, false]);
    expect(await lost('sticky')).toBe(2);
    expect(await lost('computed')).toBe(0);
    await y.restart();
    await bed.chain.settle();
  }, 90_000);

  // A filter for pending transactions can only be kept by a node. Of what came between the last poll before its loss and
  // the first one after it, nobody knows which part waited where.
  it.each(['computed', 'sticky'] as const)(
    'and of the transactions that wait another one tells on, none of them twice (%s)',
    async (mode) => {
      await bed.reference.still(() => bed.atTip());
      const client = await bed.open(mode, 'eth_newPendingTransactionFilter');
      client.start(50);
      const emit = async (count: number): Promise<string[]> => {
        const hashes: string[] = [];
        for (let sent = 0; sent < count; sent++) hashes.push(await bed.emitter.emit(1));
        return hashes;
      };
      const before = await emit(30);
      await client.heard(before.at(-1) ?? '');
      const feeder = await bed.feederOf(client.id);
      const lostBefore = await lost(mode);
      await feeder.kill();
      const between = await emit(10);
      for (let turn = 0; (await lost(mode)) === lostBefore; turn++) {
        if (turn > 100) throw new Error(`the loss of ${feeder.name} was not noticed: ${client.state}`);
        await sleep(50);
      }
      const after = await emit(30);
      await client.heard(after.at(-1) ?? '');
      await client.stop();
      for (let turn = 0; turn < 3; turn++) await client.poll();

      expect(client.told.filter((hash) => !between.includes(hash))).toEqual([...before, ...after]);
      expect(() => foldTold(client.told)).not.toThrow();
      expect(client.refusals).toEqual([]);
      expect(await bed.feederOf(client.id)).not.toBe(feeder);
      await feeder.restart();
      await bed.reference.mine();
      await Promise.all(
        bed.proxies[mode].map((proxy) => proxy.untilNode(feeder.name, ({ health }) => health === 'up')),
      );
    },
    40_000,
  );
});
