import { continues } from '../../runtime/nodes/continuity';
import type { BlockRef } from '../../runtime/rpc/block-ref';

const block = (number: number, hash: string, parentHash = 'unseen'): BlockRef => ({
  number,
  hash,
  parentHash,
  timestamp: 1,
});
const last = block(100, 'a');

test.each([
  ['the same block', block(100, 'a'), true],
  ['its child', block(101, 'b', 'a'), true],
  ['a block beyond others nobody saw', block(103, 'd'), true],
  ['another block of its height', block(100, 'x'), false],
  ['a child of another block', block(101, 'y', 'x'), false],
  ['a block below', block(99, 'z'), false],
  ['a block far above', block(20_000_000, 'm'), false],
])('after a block, %s: %p continues: %p', (_, next, expected) => {
  expect(continues(last, next)).toBe(expected);
});
