import { type HeadChange, HeadTracker, type HeadTrackerOptions } from '../../runtime/chain/head-tracker';
import type { BlockRef } from '../../runtime/rpc/block-ref';
import { block, forked, GENESIS_MS, hashOf } from './blocks';

/** A tracker with a clock that stands still unless moved. It stands years before the test blocks' timestamps. */
class Scene {
  at = 1_000_000;
  readonly changes: HeadChange[] = [];
  readonly tracker: HeadTracker;

  constructor(nodes: string[], options: Partial<HeadTrackerOptions> = {}) {
    this.tracker = new HeadTracker({
      now: () => this.at,
      maxLagBlocks: 3,
      onChange: (change) => this.changes.push(change),
      ...options,
    });
    this.tracker.setNodes(nodes);
  }

  get head(): string | undefined {
    return this.tracker.head?.hash;
  }

  /** Each node shows its block, in order. */
  show(blocks: Record<string, BlockRef>): this {
    for (const [node, shown] of Object.entries(blocks)) this.tracker.observe(node, shown);
    return this;
  }

  wait(ms: number): this {
    this.at += ms;
    return this;
  }
}

/** Three nodes at the head, 100, of which 98 and 99 are known too. */
function settled(): Scene {
  const scene = new Scene(['x', 'y', 'z']);
  for (const number of [98, 99, 100]) {
    scene.show({ x: block(number), y: block(number), z: block(number) }).wait(12_000);
  }
  expect(scene.head).toBe(hashOf(100));
  scene.changes.length = 0;
  return scene;
}

describe('the first head', () => {
  test('is the word of the only node', () => {
    expect(new Scene(['x']).show({ x: block(7) }).head).toBe(hashOf(7));
  });

  test('waits for a second node', () => {
    const scene = new Scene(['x', 'y', 'z']).show({ x: block(100) });
    expect(scene.head).toBeUndefined();
    expect(scene.show({ y: block(101) }).head).toBe(hashOf(101));
    expect(scene.changes).toEqual([{ head: block(101), previous: undefined, reorg: false }]);
  });

  test('does not wait for a node that is dead', () => {
    const scene = new Scene(['x', 'y']).show({ x: block(100) });
    scene.tracker.forget('y');
    expect(scene.head).toBe(hashOf(100));
  });

  test('is not the block of a node far ahead of a second', () => {
    const scene = new Scene(['x', 'y', 'z']).show({ x: block(10_100), y: block(100) });
    expect(scene.head).toBe(hashOf(100));
    expect(scene.tracker.suspicious('x')).toBe(true);
    expect(scene.show({ z: block(101) }).head).toBe(hashOf(101));
    expect(scene.tracker.suspiciousBy('x')).toBe(9999);
  });

  test('is the block of the one node that is not syncing, by the time of the blocks', () => {
    const scene = new Scene(['x', 'y', 'z']);
    scene.at = GENESIS_MS + 12_000 * 50_000 + 3000;
    scene.show({ y: block(100), z: block(120), x: block(50_000) });
    expect(scene.head).toBe(hashOf(50_000));
  });
});

describe('one node alone', () => {
  test('raises the head by the lag that is allowed, at any time', () => {
    const scene = settled();
    expect(scene.wait(-12_000).show({ x: block(103) }).head).toBe(hashOf(103));
  });

  test('raises it further with time', () => {
    const scene = settled().wait(24_000 - 12_000);
    expect(scene.show({ x: block(108) }).head).toBe(hashOf(100));
    expect(scene.tracker.isAhead('x')).toBe(true);
    expect(scene.tracker.suspicious('x')).toBe(false);
    expect(scene.wait(12_000).show({ x: block(108) }).head).toBe(hashOf(108));
    expect(scene.tracker.isAhead('x')).toBe(false);
  });

  test('is not believed 10 000 blocks ahead, while the others go on', () => {
    const scene = settled();
    for (let number = 101; number < 140; number++) {
      scene.show({ x: block(number + 10_000), y: block(number), z: block(number) }).wait(12_000);
      expect(scene.head).toBe(hashOf(number));
      expect(scene.tracker.suspicious('x')).toBe(true);
    }
    expect(scene.tracker.suspicious('y')).toBe(false);
  });

  test('is not believed 10 000 blocks ahead the moment the others are gone, but in the end', () => {
    const scene = settled().show({ x: block(10_100) });
    scene.tracker.forget('y');
    scene.tracker.forget('z');
    expect(scene.head).toBe(hashOf(100));
    expect(scene.wait(29_000).show({ x: block(10_102) }).head).toBe(hashOf(100));
    expect(scene.wait(2000).show({ x: block(10_102) }).head).toBe(hashOf(10_102));
  });

  test('is believed again as soon as a second node is as far', () => {
    const scene = settled().show({ x: block(5000) });
    expect(scene.show({ y: block(5001) }).head).toBe(hashOf(5001));
    expect(scene.tracker.isAhead('y')).toBe(false);
  });

  test('raises the head of a chain of 250 ms blocks while the other nodes are frozen, from the start', () => {
    const scene = new Scene(['x', 'y', 'z']).show({ x: block(0), y: block(0), z: block(0) });
    let mostBehind = 0;
    for (let ms = 0; ms < 60_000; ms += 1000) {
      const number = ms / 250;
      scene.wait(1000).show({ x: block(number), y: block(0), z: block(0) });
      if (ms > 6000) mostBehind = Math.max(mostBehind, number - (scene.tracker.head?.number ?? 0));
      expect(scene.tracker.suspicious('x')).toBe(false);
    }
    expect(mostBehind).toBe(0);
    expect(scene.tracker.blockTimeMs).toBe(250);
  });

  test('raises the head of a chain with irregular blocks', () => {
    const scene = settled();
    // Nothing for a minute, then five blocks in a second, over and over.
    for (let number = 105; number < 200; number += 5) {
      scene.wait(60_000).show({ x: block(number), y: block(100), z: block(100) });
      expect(scene.head).toBe(hashOf(number));
    }
  });
});

describe('a fork', () => {
  test('of equal height does not move the head while a live node supports it', () => {
    const scene = settled().show({ y: forked(100, 'b', 99), z: forked(100, 'b', 99) });
    expect(scene.head).toBe(hashOf(100));
    expect(scene.changes).toEqual([]);
    scene.tracker.forget('x');
    expect(scene.head).toBe(hashOf(100, 'b'));
    expect(scene.changes).toEqual([{ head: forked(100, 'b', 99), previous: block(100), reorg: true }]);
  });

  test('of equal height becomes the head when nobody supports it, though a node lags', () => {
    const scene = settled().show({ x: block(99), y: forked(100, 'b', 99), z: forked(100, 'b', 99) });
    expect(scene.head).toBe(hashOf(100, 'b'));
  });

  test('one block longer on one of three nodes waits for a second', () => {
    const scene = settled().show({ x: forked(101, 'b', 99) });
    expect(scene.head).toBe(hashOf(100));
    scene.show({ y: forked(101, 'b', 99) });
    expect(scene.head).toBe(hashOf(101, 'b'));
    expect(scene.changes).toEqual([{ head: forked(101, 'b', 99), previous: block(100), reorg: true }]);
    expect(scene.tracker.hashAt(100)).toBe(hashOf(100, 'b'));
  });

  test('of a minority that keeps pace never becomes the head', () => {
    const scene = settled();
    for (let number = 101; number < 120; number++) {
      scene.wait(12_000).show({ x: forked(number, 'b', 99), y: block(number), z: block(number) });
      expect(scene.head).toBe(hashOf(number));
    }
    expect(scene.changes.some(({ reorg }) => reorg)).toBe(false);
  });

  test('that leaves frozen nodes behind becomes the head', () => {
    const scene = settled();
    for (let number = 101; number < 106; number++) scene.wait(12_000).show({ x: forked(number, 'b', 99) });
    expect(scene.head).toBe(hashOf(105, 'b'));
    expect(scene.changes[0]).toMatchObject({ reorg: true });
  });

  test('three blocks deep and lower moves the head back once every live node is on it', () => {
    const scene = settled().show({ x: forked(98, 'b', 97), y: forked(98, 'b', 97) });
    expect(scene.head).toBe(hashOf(100));
    scene.show({ z: forked(98, 'b', 97) });
    expect(scene.head).toBe(hashOf(98, 'b'));
    expect(scene.changes).toEqual([{ head: forked(98, 'b', 97), previous: block(100), reorg: true }]);
  });
});

describe('going back', () => {
  test('does not happen when the node at the head dies, and not when all are gone', () => {
    const scene = settled().show({ x: block(102) });
    scene.tracker.forget('x');
    for (let tick = 0; tick < 20; tick++) scene.wait(10_000).show({ y: block(100), z: block(101) });
    expect(scene.head).toBe(hashOf(102));
    scene.tracker.forget('y');
    scene.tracker.forget('z');
    scene.wait(600_000).tracker.setNodes(['x', 'y', 'z']);
    expect(scene.head).toBe(hashOf(102));
    expect(scene.show({ y: block(101), x: block(103) }).head).toBe(hashOf(103));
  });

  test('does not happen because the others are still syncing, far below', () => {
    const scene = new Scene(['x', 'y']).show({ x: block(90_000), y: block(90_000) });
    scene.tracker.setNodes(['x', 'z']);
    scene.tracker.forget('x');
    for (let tick = 0; tick < 100; tick++) scene.wait(1000).show({ z: block(40_000 + tick) });
    expect(scene.head).toBe(hashOf(90_000));
  });

  test('a development chain started anew is followed at its first block that differs', () => {
    const scene = new Scene(['x', 'y']);
    for (let number = 0; number <= 50; number++) scene.show({ x: block(number), y: block(number) });
    scene.tracker.forget('x');
    scene.tracker.forget('y');
    scene.show({ x: block(0), y: block(0) });
    expect(scene.head).toBe(hashOf(50));
    scene.show({ x: forked(1, 'b', 0), y: forked(1, 'b', 0) });
    expect(scene.head).toBe(hashOf(1, 'b'));
    expect(scene.changes.at(-1)).toMatchObject({ reorg: true });
  });

  test('a chain set back to an earlier block is followed after half a minute', () => {
    const scene = settled();
    const back = { x: block(90), y: block(90), z: block(90) };
    scene.show(back).wait(29_000).show(back);
    expect(scene.head).toBe(hashOf(100));
    scene.wait(1000).show(back);
    expect(scene.head).toBe(hashOf(90));
    expect(scene.show({ x: block(91), y: block(91), z: block(91) }).head).toBe(hashOf(91));
  });

  test('a chain started anew far below the ring is followed after half a minute', () => {
    const scene = new Scene(['x']).show({ x: block(100_000) });
    scene
      .show({ x: forked(3, 'b', 0) })
      .wait(29_000)
      .show({ x: forked(4, 'b', 0) });
    expect(scene.head).toBe(hashOf(100_000));
    expect(scene.wait(1000).show({ x: forked(4, 'b', 0) }).head).toBe(hashOf(4, 'b'));
    expect(scene.tracker.hashAt(100_000)).toBeUndefined();
  });

  test('a provider whose own nodes differ by a block does not move the head to and fro', () => {
    const scene = new Scene(['x']);
    for (let number = 100; number < 140; number++) {
      scene.wait(1000).show({ x: block(number) });
      scene.wait(1000).show({ x: block(number - 1) });
      expect(scene.head).toBe(hashOf(number));
    }
  });
});

test('a node that is no member does not count', () => {
  const scene = settled();
  scene.tracker.setNodes(['x', 'y']);
  scene.show({ z: block(101) });
  expect(scene.head).toBe(hashOf(100));
});

test('tells which nodes have a block of the head branch', () => {
  const { tracker } = settled();
  const table: [BlockRef, number, boolean][] = [
    [block(99), 100, false],
    [block(100), 100, true],
    [forked(100, 'b', 99), 100, false],
    [block(101), 100, true],
    [forked(101, 'b', 99), 100, false],
    [block(140), 100, true],
    [forked(60, 'b', 50), 60, true],
  ];
  expect(table.map(([shown, number]) => tracker.hasBlock(shown, number))).toEqual(table.map(([, , has]) => has));
});
