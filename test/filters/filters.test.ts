import fc from 'fast-check';
import { FiltersBed } from './filters-bed';
import { Folded, held } from './folded';

const happening = fc.oneof(
  { weight: 15, arbitrary: fc.record({ kind: fc.constant('grow' as const), logs: fc.nat({ max: 3 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('reorg' as const),
      blocks: fc.integer({ min: 1, max: 4 }),
      tells: fc.boolean(),
    }),
  },
  { weight: 15, arbitrary: fc.record({ kind: fc.constant('poll' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('lag' as const), behind: fc.nat({ max: 2 }) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('look' as const), behind: fc.nat({ max: 3 }) }) },
  { weight: 7, arbitrary: fc.record({ kind: fc.constant('pollOther' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('belief' as const), believes: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('kill' as const) }) },
);

type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never;

/** @returns what a poll told, if this was one */
async function happen(bed: FiltersBed, id: unknown, event: Happening): Promise<string[]> {
  if (event.kind === 'poll') return bed.poll(id);
  if (event.kind === 'pollOther') return bed.pollOther(id);
  if (event.kind === 'grow') bed.grow(event.logs);
  else if (event.kind === 'lag') bed.node.behind = event.behind;
  else if (event.kind === 'look') bed.other.look(event.behind);
  else if (event.kind === 'belief') bed.other.believes = event.believes;
  else if (event.kind === 'kill') bed.node.alive = false;
  else bed.reorg(Math.min(event.blocks, bed.chain.blocks.length - 25), event.tells);
  return [];
}

describe('a block filter', () => {
  it('tells each block of the chain once, in order, at two processes that see it a moment apart', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { minLength: 5, maxLength: 60 }), async (events) => {
        const bed = new FiltersBed();
        for (let i = 0; i < 5; i++) bed.grow(0);
        const id = await bed.result('eth_newBlockFilter');
        const begin = bed.chain.blocks.length;
        const told: string[] = [];
        for (const event of events) told.push(...(await happen(bed, id, event)));
        for (let i = 0; i < 3; i++) told.push(...(await bed.poll(id)));
        expect(new Set(told).size).toBe(told.length);
        // Of those told and given up since, nothing more is told.
        const ours = bed.chain.blocks.slice(begin).map(({ hash }) => `"${hash}"`);
        expect(told.filter((hash) => ours.includes(hash))).toEqual(ours);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a log filter', () => {
  it.each([false, true])(
    'tells all there is, in order and once, whatever happens to the chain and to its node (sticky: %s)',
    async (sticky) => {
      const hows = new Set<string>();
      let lost = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(happening, { minLength: 5, maxLength: 60 }), async (events) => {
          const bed = new FiltersBed({ sticky });
          // So that no reorganisation goes below the beginning.
          for (let i = 0; i < 5; i++) bed.grow(0);
          const id = await bed.result('eth_newFilter', [{}]);
          const client = new Folded();
          client.logs.push(...held(bed.chain.blocks.flatMap(({ logs }) => logs)));
          for (const event of events) client.tell(await happen(bed, id, event));
          bed.node.behind = 0;
          for (let i = 0; i < 3; i++) client.tell(await bed.poll(id));
          expect(client.problems).toEqual([]);
          expect(client.logs).toEqual(held(bed.chain.blocks.flatMap(({ logs }) => logs)));
          for (const how of bed.hows) hows.add(how);
          lost += bed.lost.length;
        }),
        { numRuns: 300 },
      );
      expect(hows).toEqual(new Set(['computed', 'unchanged', ...(sticky ? ['sticky'] : [])]));
      expect(lost > 0).toBe(sticky);
    },
  );

  const moment = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('grow' as const), logs: fc.nat({ max: 2 }) }) },
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('poll' as const) }) },
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('pollOther' as const) }) },
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('pass' as const) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('look' as const), behind: fc.nat({ max: 3 }) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('belief' as const), believes: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('kill' as const) }) },
  );

  it.each([false, true])(
    'that is polled many times at once, in two processes, loses, repeats and takes back nothing (sticky: %s)',
    async (sticky) => {
      await fc.assert(
        fc.asyncProperty(fc.array(moment, { minLength: 10, maxLength: 120 }), async (events) => {
          const bed = new FiltersBed({ sticky });
          const id = await bed.result('eth_newFilter', [{}]);
          const polls: Promise<string[]>[] = [];
          for (const event of events) {
            if (event.kind === 'grow') bed.grow(event.logs);
            else if (event.kind === 'poll') polls.push(bed.poll(id));
            else if (event.kind === 'pollOther') polls.push(bed.pollOther(id));
            else if (event.kind === 'pass') await new Promise((resolve) => setImmediate(resolve));
            else if (event.kind === 'look') bed.other.look(event.behind);
            else if (event.kind === 'belief') bed.other.believes = event.believes;
            else bed.node.alive = false;
          }
          const told = (await Promise.all(polls)).flat();
          for (let i = 0; i < 3; i++) told.push(...(await bed.poll(id)));
          const expected = bed.chain.blocks.slice(21).flatMap(({ logs }) => logs);
          expect(told.sort()).toEqual([...expected].sort());
        }),
        { numRuns: 300 },
      );
    },
  );
});

describe('a sticky log filter', () => {
  it('loses nothing its node told while nobody tells of which branch that is', async () => {
    const bed = new FiltersBed({ sticky: true });
    const id = await bed.result('eth_newFilter', [{}]);
    const told: string[] = [];
    for (let i = 0; i < 3; i++) {
      bed.grow(1);
      told.push(...(await bed.poll(id)));
    }
    expect(bed.hows).toContain('sticky');
    bed.chain.ring = 1;
    bed.grow(2);
    bed.chain.refusing = true;
    expect(await bed.poll(id)).toEqual([]);
    bed.chain.refusing = false;
    for (let i = 0; i < 3; i++) {
      bed.grow(0);
      told.push(...(await bed.poll(id)));
    }
    expect(told).toEqual(bed.chain.blocks.slice(21).flatMap(({ logs }) => logs));
  });
});

describe("what a node tells by an id that is somebody else's by now", () => {
  const address = `0x${'Ab'.repeat(20)}`;
  const [topic, other] = [`0x${'1'.repeat(64)}`, `0x${'2'.repeat(64)}`];

  it.each([
    [{ address: `0x${'cd'.repeat(20)}`, topics: [topic] }, 1],
    [{ address: address.toLowerCase(), topics: [other] }, 1],
    [{ address: address.toLowerCase(), topics: [] }, 1],
    [{ address: address.toLowerCase(), topics: [topic, other] }, 0],
  ])('is not told on, and the node is lost: a log of %j', async (members, lost) => {
    const bed = new FiltersBed({ sticky: true });
    const id = await bed.result('eth_newFilter', [{ address, topics: [[topic], null] }]);
    bed.grow(0);
    const { number, hash } = bed.chain.tip;
    const log = { blockNumber: `0x${number.toString(16)}`, blockHash: hash, logIndex: '0x0', ...members };
    bed.node.untold.push(JSON.stringify(log));
    expect(await bed.poll(id)).toHaveLength(1 - lost);
    expect(bed.lost).toHaveLength(lost);
  });

  it('is no transaction, and another node keeps the filter', async () => {
    const bed = new FiltersBed();
    const id = await bed.result('eth_newPendingTransactionFilter');
    bed.node.untold.push('{"blockNumber":"0x1","logIndex":"0x0"}');
    expect(await bed.poll(id)).toEqual([]);
    expect(bed.lost).toEqual(['pending']);
  });
});

describe('a pending filter', () => {
  it('tells each transaction once, over the loss of its node', async () => {
    const bed = new FiltersBed();
    const id = await bed.result('eth_newPendingTransactionFilter');
    bed.node.untold.push('"0xaa"', '"0xbb"');
    expect(await bed.poll(id)).toEqual(['"0xaa"', '"0xbb"']);
    bed.node.alive = false;
    expect(await bed.poll(id)).toEqual([]);
    expect(bed.node.made).toBe(2);
    expect(bed.lost).toEqual(['pending']);
    bed.node.untold.push('"0xBB"', '"0xcc"', '{"hash":"0xaa"}');
    expect(await bed.poll(id)).toEqual(['"0xcc"']);
    const many = await Promise.all(Array.from({ length: 8 }, () => bed.poll(id)));
    expect(many.flat()).toEqual([]);
  });

  it('leaves its node alone while that asks for a pause, and stays there', async () => {
    const bed = new FiltersBed();
    const id = await bed.result('eth_newPendingTransactionFilter');
    bed.node.untold.push('"0xaa"');
    bed.node.resting = true;
    expect(await bed.poll(id)).toEqual([]);
    expect([bed.node.asked, bed.node.made]).toEqual([0, 1]);
    bed.node.resting = false;
    expect(await bed.poll(id)).toEqual(['"0xaa"']);
  });

  it('asks no node for a caller who has left', async () => {
    const bed = new FiltersBed();
    const id = await bed.result('eth_newPendingTransactionFilter');
    bed.process.cancel.cancel();
    expect(await bed.call('eth_getFilterChanges', [id])).toMatchObject({ refused: { reason: 'DEADLINE' } });
    expect(bed.node.asked).toBe(0);
  });

  it('drops nothing its node told, however many others are faster', async () => {
    const bed = new FiltersBed();
    const id = await bed.result('eth_newPendingTransactionFilter');
    bed.node.untold.push('"0xaa"');
    let faster = 25;
    const replace = jest.spyOn(bed.store, 'replace').mockImplementation((...args) => {
      if (--faster > 0) return Promise.resolve(false);
      replace.mockRestore();
      return bed.store.replace(...args);
    });
    expect(await bed.poll(id)).toEqual(['"0xaa"']);
    expect(faster).toBe(0);
  });

  it('loses nothing when it is polled many times at once', async () => {
    const bed = new FiltersBed();
    const id = await bed.result('eth_newPendingTransactionFilter', [true]);
    const told: string[] = [];
    for (let i = 0; i < 50; i++) {
      const polls: Promise<string[]>[] = [];
      for (const part of ['a', 'b', 'c', 'd']) {
        bed.node.untold.push(`"0x${i}${part}"`);
        polls.push(bed.poll(id));
        // So that the node has been asked before there is more to tell.
        await new Promise((resolve) => setImmediate(resolve));
      }
      for (const changes of await Promise.all(polls)) told.push(...changes);
    }
    expect(told).toHaveLength(200);
    expect(new Set(told).size).toBe(200);
  });
});

describe('filters', () => {
  it('are bounded for each client and in all, and make room when they are removed', async () => {
    const bed = new FiltersBed({ maxPerClient: 2, maxFilters: 3 });
    const refused = (rule: string) => ({
      kind: 'refused',
      refused: { code: -32005, message: `Limit exceeded: ${rule} filters at once` },
    });
    const [first] = [await bed.result('eth_newBlockFilter'), await bed.result('eth_newFilter', [{}])];
    expect(await bed.call('eth_newBlockFilter', [])).toMatchObject(refused('filters.maxPerClient of 2'));
    await bed.result('eth_newBlockFilter', [], 'd');
    expect(await bed.call('eth_newBlockFilter', [], 'd')).toMatchObject(refused('filters.maxFilters of 3'));
    expect(await bed.result('eth_uninstallFilter', [first])).toBe(true);
    expect(await bed.result('eth_newBlockFilter', [], 'd')).toMatch(/^0x[0-9a-f]{32}$/);
  });

  it('count for nobody where making them comes to nothing', async () => {
    const bed = new FiltersBed({ maxPerClient: 1 });
    jest.spyOn(bed.store, 'add').mockRejectedValueOnce(new Error('a defect'));
    await expect(bed.call('eth_newBlockFilter', [])).rejects.toThrow('a defect');
    expect(await bed.result('eth_newBlockFilter')).toMatch(/^0x/);
  });

  it('are looked for only by ids that are of our form', async () => {
    const bed = new FiltersBed();
    const find = jest.spyOn(bed.store, 'find');
    for (const id of ['0x1', `0x${'A'.repeat(32)}`, 'x'.repeat(1000), '']) {
      for (const method of ['eth_getFilterChanges', 'eth_getFilterLogs']) {
        expect(await bed.call(method, [id])).toMatchObject({ refused: { message: 'filter not found' } });
      }
      expect(await bed.result('eth_uninstallFilter', [id])).toBe(false);
    }
    expect(find).not.toHaveBeenCalled();
  });

  it.each([
    ['eth_getFilterChanges', ['0x1'], -32000, 'filter not found'],
    ['eth_getFilterLogs', ['0x1'], -32000, 'filter not found'],
    ['eth_getFilterChanges', [1], -32602, 'Invalid params: params[0] must be the id of a filter, got number'],
    ['eth_uninstallFilter', [], -32602, 'Invalid params: params[0] must be the id of a filter, got undefined'],
    ['eth_newFilter', [], -32602, 'Invalid params: params must be a list of one object, got []'],
  ])('%s %j is refused', async (method, params, code, message) => {
    expect(await new FiltersBed().call(method, params)).toMatchObject({ kind: 'refused', refused: { code, message } });
  });

  it('of blocks have no logs; of logs have all that the criteria name', async () => {
    const bed = new FiltersBed();
    const blocks = await bed.result('eth_newBlockFilter');
    const logs = await bed.result('eth_newFilter', [{ fromBlock: '0x2', toBlock: '0x5' }]);
    expect(await bed.call('eth_getFilterLogs', [blocks])).toMatchObject({ refused: { message: 'filter not found' } });
    expect(await bed.result('eth_getFilterLogs', [logs])).toHaveLength(4);
  });

  it('ask no node while the head stands still', async () => {
    const bed = new FiltersBed({ sticky: true });
    const id = await bed.result('eth_newFilter', [{}]);
    bed.grow(1);
    for (let i = 0; i < 4; i++) await bed.poll(id);
    const { asked } = bed.node;
    bed.chain.asked = [];
    for (let i = 0; i < 10; i++) expect(await bed.poll(id)).toEqual([]);
    expect([bed.node.asked, bed.chain.asked]).toEqual([asked, []]);
  });
});
