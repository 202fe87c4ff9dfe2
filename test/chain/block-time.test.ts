import { BlockTime } from '../../runtime/chain/block-time';

/** A node that makes a block each `blockMs` and is looked at each `tickMs`. */
function watch(time: BlockTime, node: string, blockMs: number, tickMs: number, forMs: number): void {
  for (let at = 0; at <= forMs; at += tickMs) time.observe(node, Math.floor(at / blockMs), at);
}

test('is the start value until blocks were seen to arrive', () => {
  const time = new BlockTime(12_000);
  time.observe('a', 100, 0);
  time.observe('a', 101, 300);
  expect(time.ms).toBe(12_000);
});

test.each([
  [250, 250],
  [250, 1000],
  [400, 250],
  [2000, 500],
  [12_000, 1000],
])('learns a block time of %i ms from looking every %i ms', (blockMs, tickMs) => {
  const time = new BlockTime(12_000);
  watch(time, 'a', blockMs, tickMs, 20 * Math.max(blockMs, tickMs));
  expect(time.ms).toBeGreaterThan(blockMs * 0.6);
  expect(time.ms).toBeLessThan(blockMs * 1.4);
});

test('one jump, however large, does not move it', () => {
  const time = new BlockTime(12_000);
  watch(time, 'a', 1000, 250, 20_000);
  time.observe('a', 10_020, 21_000);
  expect(time.ms).toBe(1000);
});

test('a node that makes up blocks does not move it', () => {
  const time = new BlockTime(12_000);
  watch(time, 'honest', 12_000, 1000, 240_000);
  for (let tick = 0; tick < 200; tick++) time.observe('rogue', tick * 10_000, tick * 1000);
  expect(time.ms).toBe(12_000);
});

test('a chain that is idle for hours counts as one block a minute', () => {
  const time = new BlockTime(12_000);
  for (let number = 0; number < 10; number++) time.observe('a', number, number * 3_600_000);
  expect(time.ms).toBe(60_000);
});

test('the time a node was away is no block time', () => {
  const time = new BlockTime(12_000);
  watch(time, 'a', 1000, 250, 10_000);
  time.interrupt('a');
  for (let number = 500; number < 600; number += 50) time.observe('a', number, 500_000 + number);
  expect(time.ms).toBe(1000);
});
