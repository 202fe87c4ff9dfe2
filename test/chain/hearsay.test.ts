import fc from 'fast-check';
import { type HeadChange, HeadTracker } from '../../runtime/chain/head-tracker';
import type { BlockRef } from '../../runtime/rpc/block-ref';
import { block, forked, hashOf } from './blocks';

/** Nodes that all show block 100, of which 98 and 99 are known too; a clock that stands still unless moved. */
class Scene {
  at = 1_000_000;
  readonly changes: HeadChange[] = [];
  readonly tracker = new HeadTracker({
    now: () => this.at,
    maxLagBlocks: 3,
    onChange: (change) => this.changes.push(change),
  });

  constructor(readonly nodes: readonly string[] = ['x', 'y', 'z']) {
    this.tracker.setNodes(nodes);
    for (const number of [98, 99, 100]) this.all(block(number)).wait(12_000);
    this.changes.length = 0;
  }

  get head(): string | undefined {
    return this.tracker.head?.hash;
  }

  show(blocks: Record<string, BlockRef>): this {
    for (const [node, shown] of Object.entries(blocks)) this.tracker.observe(node, shown);
    return this;
  }

  all(shown: BlockRef): this {
    return this.show(Object.fromEntries(this.nodes.map((node) => [node, shown])));
  }

  wait(ms: number): this {
    this.at += ms;
    return this;
  }
}

describe('what another process says of the head', () => {
  test('raises ours, and is no reorg', () => {
    const scene = new Scene();
    expect(scene.tracker.hear(block(102))).toBe(true);
    expect(scene.head).toBe(hashOf(102));
    expect(scene.tracker.hashAt(101)).toBe(hashOf(101));
    expect(scene.tracker.isHeard).toBe(true);
    expect(scene.changes).toEqual([{ head: block(102), previous: block(100), reorg: false }]);
  });

  test.each([
    ['at or below ours', block(100)],
    ['of another branch', forked(101, 'b', 99)],
    ['further above than one node might raise it', block(106)],
  ])('is ignored where it is %s', (_, told) => {
    const scene = new Scene();
    expect(scene.tracker.hear(told)).toBe(false);
    expect(scene.head).toBe(hashOf(100));
    expect(scene.changes).toEqual([]);
  });

  test('is no first head: that our own nodes must show', () => {
    const tracker = new HeadTracker({ now: () => 0, maxLagBlocks: 3 });
    tracker.setNodes(['x', 'y']);
    expect(tracker.hear(block(102))).toBe(false);
    expect(tracker.head).toBeUndefined();
  });

  test('may be the further above the longer ours has stood, but counts from what our own nodes showed', () => {
    const scene = new Scene();
    expect(scene.tracker.hear(block(105))).toBe(true);
    expect(scene.tracker.hear(block(106))).toBe(false);
    scene.wait(6000);
    expect(scene.tracker.hear(block(107))).toBe(false);
    expect(scene.tracker.hear(block(106))).toBe(true);
    scene.all(block(106));
    expect(scene.tracker.hear(block(110))).toBe(false);
    expect(scene.tracker.hear(block(109))).toBe(true);
    const idle = new Scene().wait(86_400_000);
    expect(idle.tracker.hear(block(360))).toBe(false);
    expect(idle.tracker.hear(block(359))).toBe(true);
  });

  test('holds while our nodes are behind, as long as three blocks take', () => {
    const scene = new Scene();
    scene.tracker.hear(block(102));
    scene.wait(29_900).show({ x: block(101), y: block(100), z: block(100) });
    expect(scene.head).toBe(hashOf(102));
    expect(scene.tracker.isHeard).toBe(true);
  });

  test('holds while none of our nodes answers, however long', () => {
    for (const goneFirst of [true, false]) {
      const scene = new Scene();
      const leave = (): void => scene.nodes.forEach((node) => scene.tracker.forget(node));
      if (goneFirst) leave();
      scene.tracker.hear(block(102));
      leave();
      scene.wait(600_000).show({ x: block(101) });
      scene.wait(29_900).show({ x: block(101) });
      expect(scene.head).toBe(hashOf(102));
      scene.wait(100).show({ x: block(101) });
      expect(scene.head).toBe(hashOf(101));
    }
  });

  test('becomes ours when a node shows it, or more', () => {
    for (const shown of [block(102), block(103)]) {
      const scene = new Scene();
      scene.tracker.hear(block(102));
      scene.show({ x: shown });
      expect(scene.tracker.isHeard).toBe(false);
      expect(scene.head).toBe(shown.hash);
    }
  });

  test('is no confirmation of a node that is far ahead', () => {
    const scene = new Scene().show({ x: block(5000) });
    scene.tracker.hear(block(102));
    scene.show({ x: block(5001), y: block(100) });
    expect(scene.head).toBe(hashOf(102));
    expect(scene.tracker.suspicious('x')).toBe(true);
  });

  test('gives way to our nodes once they all contradict it', () => {
    const scene = new Scene();
    scene.tracker.hear(block(102));
    scene.show({ x: forked(101, 'b', 100), y: forked(101, 'b', 100) });
    expect(scene.head).toBe(hashOf(102));
    scene.show({ z: forked(101, 'b', 100) });
    expect(scene.head).toBe(hashOf(101, 'b'));
    expect(scene.changes.at(-1)).toEqual({ head: forked(101, 'b', 100), previous: block(102), reorg: true });
  });

  test('gives way to the only node there is, at once', () => {
    const scene = new Scene(['x']);
    scene.tracker.hear(block(102));
    expect(scene.show({ x: forked(101, 'b', 100) }).head).toBe(hashOf(101, 'b'));
    scene.tracker.hear(forked(103, 'b', 100));
    expect(scene.show({ x: forked(102, 'b', 100) }).head).toBe(hashOf(103, 'b'));
  });

  test('does not help a minority on a fork, though the others are not there yet', () => {
    const scene = new Scene();
    scene.tracker.hear(block(102));
    for (const number of [101, 102, 103]) {
      scene.wait(9000).show({ z: forked(number, 'b', 99), x: block(100), y: block(100) });
      expect(scene.head).toBe(hashOf(102));
    }
  });

  test('does not bring back what we gave up', () => {
    const scene = new Scene().all(block(102));
    scene.all(forked(102, 'b', 98));
    expect(scene.head).toBe(hashOf(102, 'b'));
    scene.all(forked(101, 'c', 98));
    expect(scene.head).toBe(hashOf(101, 'c'));
    expect(scene.tracker.hear(block(102))).toBe(false);
    expect(scene.tracker.hear(forked(102, 'b', 98))).toBe(false);
    expect(scene.tracker.hear(forked(102, 'c', 98))).toBe(true);
  });

  test('does not hold a chain that was set back', () => {
    const scene = new Scene();
    scene.tracker.hear(block(102));
    scene.all(block(90)).wait(29_000).all(block(90));
    expect(scene.head).toBe(hashOf(102));
    scene.wait(1000).all(block(90));
    expect(scene.head).toBe(hashOf(90));
    // The others have not noticed yet.
    expect(scene.tracker.hear(block(102))).toBe(false);
    expect(scene.all(block(91)).head).toBe(hashOf(91));
  });
});

describe('what another process says and our nodes do not reach', () => {
  /** It was told 103, and our nodes have stayed at 100 for as long as they might. */
  function givenUp(): Scene {
    const scene = new Scene();
    scene.tracker.hear(block(102));
    scene.tracker.hear(block(103));
    return scene.wait(30_000).all(block(100));
  }

  test('is given up for what they show', () => {
    const scene = givenUp();
    expect(scene.head).toBe(hashOf(100));
    expect(scene.tracker.isHeard).toBe(false);
    expect(scene.tracker.hashAt(102)).toBeUndefined();
    expect(scene.tracker.hashAt(100)).toBe(hashOf(100));
    expect(scene.changes.at(-1)).toEqual({ head: block(100), previous: block(103), reorg: true });
  });

  test('is given up in five seconds where blocks are fast', () => {
    const scene = new Scene();
    for (let number = 101; number < 140; number++) scene.wait(250).all(block(number));
    scene.tracker.hear(block(141));
    expect(scene.wait(4900).all(block(139)).head).toBe(hashOf(141));
    expect(scene.wait(100).all(block(139)).head).toBe(hashOf(139));
  });

  test('is given up for the highest of what they show by now, though one of them is far ahead', () => {
    const scene = new Scene().show({ x: block(5000) });
    scene.tracker.hear(block(104));
    scene.wait(30_000).show({ x: block(5002), y: block(101), z: block(102) });
    expect(scene.head).toBe(hashOf(102));
    expect(scene.tracker.suspicious('x')).toBe(true);
  });

  test('is not kept up by ever more that is told', () => {
    const scene = new Scene();
    for (let told = 101; told < 130; told++) {
      scene.tracker.hear(block(told));
      scene.wait(1100).all(block(100));
    }
    expect(scene.head).toBe(hashOf(100));
  });

  test('is kept by nodes that follow at a distance', () => {
    const scene = new Scene();
    for (let number = 101; number < 140; number++) {
      scene.tracker.hear(block(number + 2));
      scene.wait(12_000).all(block(number));
      expect(scene.head).toBe(hashOf(number + 2));
    }
  });

  test('is not heard again for ten minutes, nor what is above it, while what is below is', () => {
    const scene = givenUp();
    for (let second = 0; second < 599; second++) {
      for (const told of [102, 103, 104, 110]) expect(scene.tracker.hear(block(told))).toBe(false);
      scene.wait(1000).all(block(100));
    }
    expect(scene.head).toBe(hashOf(100));
    expect(scene.tracker.hear(block(101))).toBe(true);
    scene.wait(1000);
    expect(scene.tracker.hear(block(110))).toBe(true);
  });

  test('is heard again once our nodes have shown that it was right', () => {
    const scene = givenUp().all(block(101));
    expect(scene.tracker.hear(block(103))).toBe(false);
    scene.all(block(102));
    expect(scene.tracker.hear(block(103))).toBe(true);
  });

  test('is not heard again because our nodes have another block of that number', () => {
    const scene = givenUp();
    for (const number of [101, 102, 103]) scene.all(forked(number, 'b', 100));
    expect(scene.tracker.hear(forked(104, 'b', 100))).toBe(false);
  });

  test('does not delay that a chain was set back', () => {
    const scene = new Scene();
    for (let number = 101; number < 140; number++) scene.wait(250).all(block(number));
    scene.tracker.hear(block(141));
    scene.all(block(120)).wait(5000).all(block(120));
    expect(scene.head).toBe(hashOf(139));
    scene.wait(25_000).all(block(120));
    expect(scene.head).toBe(hashOf(120));
  });
});

/** What may happen to two processes with nodes of their own, on a chain that never forks. */
const who = fc.constantFrom(0, 1);
const happening = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('show' as const), who, lag: fc.nat({ max: 12 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('grow' as const), by: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('hear' as const), who }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('forget' as const), who }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('rogue' as const), who, ahead: fc.integer({ min: 5000 }) }) },
);

test('without a fork no head goes back, is above the chain, or is passed on by who only heard of it', () => {
  let heard = 0;
  fc.assert(
    fc.property(fc.array(happening, { minLength: 30, maxLength: 150 }), (story) => {
      let at = 0;
      let tip = 1000;
      const [a, b] = [
        new HeadTracker({ now: () => at, maxLagBlocks: 3 }),
        new HeadTracker({ now: () => at, maxLagBlocks: 3 }),
      ];
      for (const tracker of [a, b]) {
        tracker.setNodes(['x', 'y', 'rogue']);
        for (const node of ['x', 'y', 'rogue']) tracker.observe(node, block(tip));
      }
      let shared = block(tip);
      const heads = [tip, tip];
      for (const event of story) {
        at += 100;
        if (event.kind === 'grow') {
          tip += event.by;
          continue;
        }
        const tracker = event.who === 0 ? a : b;
        if (event.kind === 'show') tracker.observe(event.lag % 2 === 0 ? 'x' : 'y', block(tip - event.lag));
        else if (event.kind === 'forget') tracker.forget('x');
        else if (event.kind === 'hear') heard += tracker.hear(shared) ? 1 : 0;
        else {
          tracker.observe('x', block(tip));
          tracker.observe('rogue', block(tip + event.ahead));
        }
        const { head } = tracker;
        if (head === undefined) throw new Error('no head');
        expect(head.number).toBeGreaterThanOrEqual(heads[event.who] ?? 0);
        expect(head.number).toBeLessThanOrEqual(tip);
        expect(head.hash).toBe(hashOf(head.number));
        heads[event.who] = head.number;
        if (!tracker.isHeard && head.number > shared.number) shared = head;
      }
    }),
    { numRuns: 200 },
  );
  expect(heard).toBeGreaterThan(100);
});

test('nodes that agree in the end agree with the head, whatever was heard before', () => {
  const anyBlock = fc.tuple(
    fc.constantFrom('x', 'y', 'z', 'told'),
    fc.integer({ min: 0, max: 60 }),
    fc.constantFrom('a', 'b', 'c'),
  );
  fc.assert(
    fc.property(fc.array(anyBlock, { maxLength: 80 }), (shown) => {
      let at = 0;
      const tracker = new HeadTracker({ now: () => at, maxLagBlocks: 3 });
      tracker.setNodes(['x', 'y', 'z']);
      const of = (number: number, branch: string): BlockRef => {
        at += 1000;
        return { number, hash: hashOf(number, branch), parentHash: hashOf(number - 1, branch), timestamp: number };
      };
      for (const [name, number, branch] of shown) {
        if (name === 'told') tracker.hear(of(number, branch));
        else tracker.observe(name, of(number, branch));
      }
      for (let number = 20; number < 90; number++) {
        for (const name of ['x', 'y', 'z']) tracker.observe(name, of(number, 'c'));
        // What another process, still on its branch, would say all the while.
        tracker.hear(of(60, 'a'));
      }
      expect(tracker.head?.hash).toBe(hashOf(89, 'c'));
    }),
    { numRuns: 200 },
  );
});

test('whatever is told, for however long, a head that our nodes do not reach lasts half a minute, once for each number', () => {
  const told = fc.record({
    above: fc.integer({ min: 1, max: 12 }),
    branch: fc.constantFrom('a', 'b'),
    stepMs: fc.integer({ min: 100, max: 20_000 }),
  });
  let heard = 0;
  fc.assert(
    fc.property(fc.array(told, { minLength: 1, maxLength: 12 }), (tales) => {
      const scene = new Scene();
      let aboveMs = 0;
      for (const from = scene.at; scene.at - from < 600_000;) {
        for (const { above, branch, stepMs } of tales) {
          const news = branch === 'a' ? block(100 + above) : forked(100 + above, 'b', 100);
          heard += scene.tracker.hear(news) ? 1 : 0;
          if (scene.tracker.isHeard) aboveMs += Math.min(stepMs, 1000);
          scene.wait(Math.min(stepMs, 1000)).all(block(100));
        }
      }
      expect(aboveMs).toBeLessThanOrEqual(12 * 31_000);
      expect(scene.wait(30_000).all(block(100)).head).toBe(hashOf(100));
    }),
    { numRuns: 50 },
  );
  expect(heard).toBeGreaterThan(50);
});
