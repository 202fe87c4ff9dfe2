import fc from 'fast-check';
import { beginTrail, type Trail } from '../../runtime/chain/trail';
import { refuse } from '../../runtime/filters/answers';
import { advanceBlocks, advanceLogs, isElsewhere, isUpToDate } from '../../runtime/filters/computed';
import type { Outcome } from '../../runtime/rpc/outcome';
import { Folded, held } from './folded';
import { MemoryChain } from './memory-chain';

/** What may happen between polls. */
const happening = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('grow' as const), logs: fc.nat({ max: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('rewind' as const), blocks: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('poll' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('forget' as const), ring: fc.integer({ min: 1, max: 300 }) }) },
);
const story = fc.array(happening, { minLength: 5, maxLength: 80 });

/** A chain of which a client is told from its 20th block on, so that no reorganisation goes below what is known. */
function begun(): { chain: MemoryChain; trail: Trail } {
  const chain = new MemoryChain();
  for (let i = 0; i < 20; i++) chain.grow(1);
  return { chain, trail: beginTrail(chain.head, (number) => chain.head.hashAt(number)) };
}

type Event = typeof happening extends fc.Arbitrary<infer T> ? T : never;

function happen(chain: MemoryChain, event: Exclude<Event, { kind: 'poll' }>): void {
  if (event.kind === 'grow') chain.grow(event.logs);
  else if (event.kind === 'forget') chain.ring = event.ring;
  else {
    // A branch that takes over is not shorter than the one before it, and not deeper than what a filter knows.
    const blocks = Math.min(event.blocks, chain.blocks.length - 8);
    chain.rewind(blocks);
    for (let i = 0; i <= blocks; i++) chain.grow(i % 3);
  }
}

test('what was told of logs, taken back ones undone, is what the chain has, whenever it is polled', async () => {
  let polls = 0;
  let removed = 0;
  await fc.assert(
    fc.asyncProperty(
      story,
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 1, max: 9 }),
      async (events, maxBlocks, range) => {
        const { chain, trail: first } = begun();
        chain.maxRange = range;
        const before = held(chain.blocks.flatMap(({ logs }) => logs));
        const client = new Folded();
        // Blocks from before that are given up had logs the client was not told.
        client.logs.push(...before);
        let trail = first;
        const floor = chain.tip.number;
        const poll = async (): Promise<void> => {
          if (isUpToDate(trail, chain.head)) return;
          const advance = await advanceLogs(trail, {}, { head: chain.head, send: chain.send, maxBlocks });
          trail = advance.trail;
          client.tell(advance.changes);
          polls++;
          removed += advance.changes.filter((text) => text.includes('"removed":true')).length;
          const told = new Set(chain.blocks.flatMap(({ logs }) => logs).map((text) => held([text])[0]));
          // Of before the filter only what a new branch put in the place of old blocks is told.
          client.logs.splice(
            0,
            client.logs.length,
            ...client.logs.filter((log) => told.has(log) || !before.includes(log)),
          );
        };
        for (const event of [...events, { kind: 'poll' as const }]) {
          if (event.kind === 'poll') await poll();
          else happen(chain, event);
        }
        expect(client.problems).toEqual([]);
        expect(client.logs).toEqual(held(chain.blocks.flatMap(({ logs }) => logs)));
        expect(trail.upTo).toBe(chain.tip.number);
        expect(trail.blocks.length).toBeLessThanOrEqual(64);
        expect(floor).toBe(20);
      },
    ),
    { numRuns: 300 },
  );
  expect(polls).toBeGreaterThan(300);
  expect(removed).toBeGreaterThan(100);
});

test('what was told of blocks is each block that came in, from where a new branch left the old one, in order', async () => {
  await fc.assert(
    fc.asyncProperty(story, async (events) => {
      const { chain, trail: first } = begun();
      let trail = first;
      let known = chain.blocks.map(({ hash }) => hash);
      for (const event of [...events, { kind: 'poll' as const }]) {
        if (event.kind !== 'poll') {
          happen(chain, event);
          continue;
        }
        const now = chain.blocks.map(({ hash }) => hash);
        const expected = now.filter((hash, number) => known[number] !== hash);
        known = now;
        if (isUpToDate(trail, chain.head)) {
          expect(expected).toEqual([]);
          continue;
        }
        const advance = await advanceBlocks(trail, { head: chain.head, send: chain.send, maxBlocks: 1000 });
        trail = advance.trail;
        expect(advance.changes.map((text) => JSON.parse(text) as string)).toEqual(expected);
      }
    }),
    { numRuns: 300 },
  );
});

test('nobody is asked where the ring knows the blocks, and only for logs of what is new', async () => {
  const { chain, trail } = begun();
  for (let i = 0; i < 5; i++) chain.grow(1);
  await advanceBlocks(trail, { head: chain.head, send: chain.send, maxBlocks: 100 });
  expect(chain.asked).toEqual([]);
  await advanceLogs(trail, {}, { head: chain.head, send: chain.send, maxBlocks: 100 });
  expect(chain.asked).toEqual(['eth_getLogs']);
  await advanceLogs(trail, {}, { head: chain.head, send: chain.send, maxBlocks: 2 });
  expect(chain.asked).toHaveLength(4);
  const { changes } = await advanceLogs(
    trail,
    { from: 22, to: 23 },
    { head: chain.head, send: chain.send, maxBlocks: 9 },
  );
  expect(changes.map((text) => Number((JSON.parse(text) as { blockNumber: string }).blockNumber))).toEqual([22, 23]);
});

test('a process that is behind another tells nothing, rather than take back what it has not seen yet', () => {
  const { chain, trail } = begun();
  const behind = chain.head;
  chain.grow(1);
  const ahead = { ...trail, upTo: 21, blocks: [...trail.blocks, { number: 21, hash: chain.tip.hash, logs: [] }] };
  expect(isUpToDate(ahead, behind)).toBe(true);
  expect(isUpToDate(ahead, chain.head)).toBe(true);
  chain.rewind(1);
  chain.grow(0);
  expect(isUpToDate(ahead, chain.head)).toBe(false);
  // The other process is on a branch that this one never was on; once this one is above that, it is given up.
  expect(isElsewhere(ahead, chain.head, () => false)).toBe(true);
  expect(isElsewhere(ahead, chain.head, () => true)).toBe(false);
  chain.grow(0);
  expect(isElsewhere(ahead, chain.head, () => false)).toBe(false);
});

test('a poll far behind gets on, however few questions there is time for', async () => {
  const { chain, trail: first } = begun();
  chain.ring = 1;
  for (let i = 0; i < 40; i++) chain.grow(i % 2);
  let trail = first;
  const told: string[] = [];
  for (let polls = 0; trail.upTo < chain.tip.number; polls++) {
    expect(polls).toBeLessThan(40);
    let left = 6;
    const send = (method: string, params: readonly unknown[]): Promise<Outcome> =>
      left-- > 0 ? chain.send(method, params) : Promise.resolve(refuse('DEADLINE', 'the deadline passed'));
    const advance = await advanceLogs(trail, {}, { head: chain.head, send, maxBlocks: 4 });
    trail = advance.trail;
    told.push(...advance.changes);
  }
  expect(told).toEqual(chain.blocks.slice(21).flatMap(({ logs }) => logs));
});
