import { BlockRing } from '../../runtime/chain/block-ring';
import { block, forked, hashOf } from './blocks';

function ringOf(...numbers: number[]): BlockRing {
  const ring = new BlockRing(8);
  for (const number of numbers) ring.adopt(block(number));
  return ring;
}

test('knows the hashes of the blocks it was shown and of their parents', () => {
  const ring = ringOf(100, 101);
  const hashes = [98, 99, 100, 101, 102].map((number) => ring.hashAt(number));
  expect(hashes).toEqual([undefined, hashOf(99), hashOf(100), hashOf(101), undefined]);
});

// A filter took the replaced block for one it had told, and lost the logs of the new one.
test('claims nothing below a gap, where a reorganisation goes unseen', () => {
  const ring = ringOf(100, 101, 104);
  expect([99, 100, 101, 102].map((number) => ring.hashAt(number))).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  expect(ring.hashAt(103)).toBe(hashOf(103));
  expect(ring.has(hashOf(103))).toBe(true);
  expect(ring.has(hashOf(102))).toBe(false);
});

test('remembers what was ours before a reorganisation', () => {
  const ring = ringOf(98, 99, 100);
  ring.note(forked(100, 'b', 99));
  expect(ring.wasOurs(hashOf(100))).toBe(true);
  expect(ring.wasOurs(hashOf(100, 'b'))).toBe(false);
  ring.adopt(forked(101, 'b', 99));
  expect([hashOf(99), hashOf(100), hashOf(100, 'b')].map((hash) => ring.wasOurs(hash))).toEqual([true, true, true]);
});

test('keeps no more blocks than its size', () => {
  const ring = ringOf(...Array.from({ length: 30 }, (_, i) => i));
  expect(ring.hashAt(22)).toBe(hashOf(22));
  expect(ring.hashAt(21)).toBeUndefined();
  expect(ring.has(hashOf(21))).toBe(false);
});

test('relates blocks through what it has seen of other branches', () => {
  const ring = ringOf(98, 99, 100);
  expect(ring.relate(block(100))).toBe('ours');
  expect(ring.relate(block(101))).toBe('ours');
  expect(ring.relate(forked(100, 'b', 99))).toBe('fork');
  expect(ring.relate(forked(102, 'b', 99))).toBe('unknown');
  ring.note(forked(101, 'b', 99));
  expect(ring.relate(forked(102, 'b', 99))).toBe('fork');
  expect(ring.relate(block(50))).toBe('unknown');
});

test('keeps what lies below a fork whose beginning it knows', () => {
  const ring = ringOf(97, 98, 99, 100);
  ring.note(forked(99, 'b', 98));
  ring.note(forked(100, 'b', 98));
  expect(ring.adopt(forked(101, 'b', 98))).toBe(true);
  expect([97, 98, 99, 100, 101].map((number) => ring.hashAt(number))).toEqual([
    hashOf(97),
    hashOf(98),
    hashOf(99, 'b'),
    hashOf(100, 'b'),
    hashOf(101, 'b'),
  ]);
  expect(ring.has(hashOf(100))).toBe(false);
});

test('claims nothing below a fork whose beginning it does not know', () => {
  const ring = ringOf(97, 98, 99, 100);
  expect(ring.adopt(forked(101, 'b', 95))).toBe(true);
  expect([98, 99, 100, 101].map((number) => ring.hashAt(number))).toEqual([
    undefined,
    undefined,
    hashOf(100, 'b'),
    hashOf(101, 'b'),
  ]);
});

test('goes back along its own branch', () => {
  const ring = ringOf(97, 98, 99, 100);
  expect(ring.adopt(block(98))).toBe(true);
  expect(ring.tip).toEqual(block(98));
  expect([97, 98, 99, 100].map((number) => ring.hashAt(number))).toEqual([
    hashOf(97),
    hashOf(98),
    undefined,
    undefined,
  ]);
});

test('a node that makes up parents in a circle does not hang it', () => {
  const ring = ringOf(100);
  const one = { number: 200, hash: hashOf(1, 'd'), parentHash: hashOf(2, 'd'), timestamp: 0 };
  const two = { number: 200, hash: hashOf(2, 'd'), parentHash: hashOf(1, 'd'), timestamp: 0 };
  ring.note(one);
  ring.note(two);
  expect(ring.relate(one)).toBe('unknown');
});

test('tells which of our blocks a node has that is on another branch since some block', () => {
  const ring = ringOf(97, 98, 99, 100, 101, 102);
  ring.note(forked(100, 'b', 99));
  ring.note(forked(101, 'b', 99));
  const shown = forked(102, 'b', 99);
  expect([97, 98, 99, 100, 101, 102, 103].map((number) => ring.holds(shown, number))).toEqual([
    true,
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
  expect([99, 102, 103].map((number) => ring.holds(block(103), number))).toEqual([true, true, true]);
  expect([95, 100, 101].map((number) => ring.holds(block(100), number))).toEqual([true, true, false]);
});
