import {
  beginTrail,
  extendTrail,
  removedLogs,
  splitTrail,
  TRAIL_BLOCKS,
  type ToldBlock,
  TRAIL_CHARS,
  untold,
} from '../../runtime/chain/trail';
import { logText, told } from '../filters/records';
import { hashOf } from './blocks';

/** Two of them are more than is remembered. */
const pad = (text: string): string =>
  JSON.stringify({ ...(JSON.parse(text) as object), data: 'x'.repeat(TRAIL_CHARS / 2) });

describe('a trail', () => {
  const trail = { upTo: 100, blocks: [told(97, 1), told(98, 2), told(99), told(100, 1)] };
  const numbers = (blocks: readonly { number: number }[]): number[] => blocks.map(({ number }) => number);

  it('holds as far as its blocks are on the branch, and news begin right above', () => {
    const split = splitTrail(trail, ({ number }) => number < 99);
    expect([numbers(split.kept), numbers(split.orphaned), split.from]).toEqual([[97, 98], [99, 100], 99]);
    expect(splitTrail(trail, () => true).from).toBe(101);
    expect(splitTrail({ ...trail, upTo: 98 }, () => true).from).toBe(99);
    expect(splitTrail(trail, () => false).from).toBe(97);
  });

  // A log of a new branch may be told before it is known that blocks below it were given up as well.
  it('has news below a block that is on the branch, where one still lower is not', () => {
    const split = splitTrail(trail, ({ number }) => number !== 98);
    expect([numbers(split.kept), numbers(split.orphaned), split.from]).toEqual([[97, 99, 100], [98], 98]);
  });

  it('takes logs back in the order in which they are undone, as they were but for `removed`', () => {
    const removed = removedLogs([told(98, 2), told(99), told(100, 1)]);
    const undone = [logText(100, 0), logText(98, 1), logText(98, 0)];
    expect(removed).toEqual(undone.map((text) => text.replace('"removed":false', '"removed":true')));
  });

  it('tells what it does not have, log by log', () => {
    const [full, part, none] = [told(98, 2), told(99, 3), told(100)];
    const kept = [full, { ...part, logs: part.logs.slice(0, 1) }, none];
    expect(untold(kept, [full, part, told(100, 1), told(99, 1, 'b')])).toEqual([
      { ...part, logs: part.logs.slice(1) },
      told(100, 1),
      told(99, 1, 'b'),
    ]);
    expect(untold(kept, [none])).toEqual([]);
  });

  // A node that was behind caught up, and its filter told the logs of blocks that were there before.
  it('has no news of blocks that were there when it began, and all of those that replace them', () => {
    const { blocks } = beginTrail({ number: 98, hash: hashOf(98) }, (number) => hashOf(number));
    expect(untold(blocks, [told(97, 1), told(98, 2), told(98, 1, 'b'), told(99, 1)])).toEqual([
      told(98, 1, 'b'),
      told(99, 1),
    ]);
  });

  it('is never of two branches', () => {
    const at = (number: number, branch?: string) => ({ number, hash: hashOf(number, branch) });
    expect(() => extendTrail([told(98, 1)], [told(98, 1, 'b')], at(99))).toThrow('two different blocks 98');
    expect(() => extendTrail([told(98, 1)], [], at(98, 'b'))).toThrow('two different blocks 98');
    expect(extendTrail([told(98, 1)], [], at(98)).blocks).toEqual([told(98, 1)]);
  });

  it('is bounded in blocks and in characters: what was told last is remembered longest', () => {
    const many = Array.from({ length: 200 }, (_, i) => told(i, 1));
    const extended = extendTrail(many, [], { number: 199, hash: hashOf(199) });
    expect(extended.blocks).toHaveLength(TRAIL_BLOCKS);
    const large = { ...told(1), logs: ['x'.repeat(TRAIL_CHARS - 10)] };
    const { blocks } = extendTrail([large], [told(2, 1)], { number: 3, hash: hashOf(3) });
    expect(blocks).toEqual([{ ...told(1), closed: true }, told(2, 1), told(3)]);
  });

  it('tells nothing again of which it forgot the words', () => {
    const padded = (block: ToldBlock): ToldBlock => ({ ...block, logs: block.logs.map(pad) });
    const [whole, part] = [padded(told(98, 3)), padded(told(100, 4))];
    // Of 100, which is above `upTo`, more may come.
    const first = { ...part, logs: part.logs.slice(0, 2) };
    const { blocks } = extendTrail([whole], [first], { number: 99, hash: hashOf(99) });
    expect(blocks.flatMap(({ logs }) => logs)).toEqual([]);
    const news = untold(blocks, [whole, part]);
    expect(news).toEqual([{ ...part, logs: part.logs.slice(2) }]);
    const next = extendTrail(blocks, news, { number: 99, hash: hashOf(99) });
    expect(untold(next.blocks, [whole, part])).toEqual([]);
    expect(untold(extendTrail(next.blocks, [], { number: 100, hash: hashOf(100) }).blocks, [part])).toEqual([]);
  });
});
