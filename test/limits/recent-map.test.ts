import fc from 'fast-check';
import { RecentMap } from '../../runtime/limits/recent-map';

test('an empty map has no oldest value, and forgetting it does nothing', () => {
  const map = new RecentMap<number>();
  map.deleteOldest();
  expect([map.oldest(), map.use('a'), map.size]).toEqual([undefined, undefined, 0]);
});

test('behaves as a list in which a used value moves to the end', () => {
  const step = fc.oneof(fc.constantFrom('a', 'b', 'c', 'd', '__proto__'), fc.constant(undefined));
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const map = new RecentMap<{ key: string }>();
      let list: string[] = [];
      for (const key of steps) {
        if (key === undefined) {
          map.deleteOldest();
          list = list.slice(1);
        } else {
          if (map.use(key) === undefined) map.add(key, { key });
          list = [...list.filter((other) => other !== key), key];
        }
        expect([map.size, map.oldest()?.key]).toEqual([list.length, list[0]]);
      }
      for (const key of list) expect(map.use(key)).toEqual({ key });
    }),
  );
});
