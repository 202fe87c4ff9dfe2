import fc from 'fast-check';
import { type HeadChange, HeadTracker } from '../../runtime/chain/head-tracker';
import { block, hashOf } from './blocks';

const NODES = ['x', 'y', 'z'] as const;
const node = fc.constantFrom(...NODES);

/** What may happen to three nodes of a chain that never forks: it grows, they lag, fall silent, come back, restart. */
const happening = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('show' as const), node, lag: fc.nat({ max: 12 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('grow' as const), by: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('forget' as const), node }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('claim' as const), ahead: fc.integer({ min: 5000 }) }) },
);

test('without a fork the head never goes back, is always a block of the chain, and no claim of one node moves it', () => {
  let moves = 0;
  fc.assert(
    fc.property(fc.array(happening, { minLength: 20, maxLength: 120 }), (story) => {
      let at = 0;
      let tip = 1000;
      let highest = -1;
      const changes: HeadChange[] = [];
      const tracker = new HeadTracker({ now: () => at, maxLagBlocks: 3, onChange: (change) => changes.push(change) });
      tracker.setNodes([...NODES, 'rogue']);
      for (const event of story) {
        // Quick enough that nothing which lasts for half a minute is a reset of the chain.
        at += 100;
        if (event.kind === 'grow') tip += event.by;
        else if (event.kind === 'show') tracker.observe(event.node, block(tip - event.lag));
        else if (event.kind === 'forget') tracker.forget(event.node);
        // The rogue has company, or it would be the only authority there is.
        else if (highest >= 0) {
          tracker.observe('x', block(tip));
          tracker.observe('rogue', block(tip + event.ahead));
          tracker.forget('rogue');
        }
        highest = Math.max(highest, tracker.head?.number ?? -1);
        expect(tracker.head?.number ?? -1).toBe(highest);
        expect(highest).toBeLessThanOrEqual(tip);
        if (tracker.head) expect(tracker.hashAt(highest)).toBe(hashOf(highest));
      }
      expect(changes.filter(({ reorg }) => reorg)).toEqual([]);
      moves += changes.length;
    }),
    { numRuns: 200 },
  );
  expect(moves).toBeGreaterThan(200);
});

test('nodes that agree in the end agree with the head, whatever they showed before', () => {
  const anyBlock = fc.tuple(node, fc.integer({ min: 0, max: 60 }), fc.constantFrom('a', 'b', 'c'));
  fc.assert(
    fc.property(fc.array(anyBlock, { maxLength: 60 }), (shown) => {
      let at = 0;
      const tracker = new HeadTracker({ now: () => at, maxLagBlocks: 3 });
      tracker.setNodes(NODES);
      const show = (name: string, number: number, branch: string): void => {
        at += 1000;
        const hash = hashOf(number, branch);
        tracker.observe(name, { number, hash, parentHash: hashOf(number - 1, branch), timestamp: number });
      };
      for (const [name, number, branch] of shown) show(name, number, branch);
      for (let number = 20; number < 90; number++) for (const name of NODES) show(name, number, 'c');
      expect(tracker.head?.hash).toBe(hashOf(89, 'c'));
    }),
    { numRuns: 200 },
  );
});
