import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { MAX_ANSWER_BYTES, MemoryCache } from '../../runtime/cache/memory-cache';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const answer = (text: string) => ({ kind: 'result', text }) as const;

describe('MemoryCache', () => {
  it('stays within its bytes under a million distinct keys, in what it counts and in what the process uses', () => {
    const bound = 8 * 1024 * 1024;
    const cache = new MemoryCache(bound);
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < 1_000_000; i++) {
      const number = i.toString(16).padStart(40, '0');
      cache.set(`eth_getBalance\n0x${'ab'.repeat(32)}\n["0x${number}","0x10"]`, answer(`"0x${number}"`), 0);
    }
    expect(cache.bytes).toBeLessThanOrEqual(bound);
    expect(cache.size).toBeGreaterThan(1000);
    collectGarbage();
    // Without the bound it would be thirty times as much.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(2 * bound);
  }, 30_000);

  it('drops what was not asked for longest', () => {
    const cache = new MemoryCache(3000);
    for (const key of ['a', 'b', 'c']) cache.set(key, answer('x'.repeat(600)), 0);
    cache.get('a');
    cache.set('d', answer('x'.repeat(600)), 0);
    expect(['a', 'b', 'c', 'd'].filter((key) => cache.get(key) !== undefined)).toEqual(['a', 'c', 'd']);
  });

  it('forgets what is kept for a time only', async () => {
    const cache = new MemoryCache(100_000);
    cache.set('short', answer('1'), 5);
    cache.set('long', answer('2'), 0);
    expect(cache.get('short')).toBeDefined();
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(cache.get('short')).toBeUndefined();
    expect(cache.get('long')).toBeDefined();
  });

  it('keeps what was asked for last where it gets less room, and all where it gets more', () => {
    const cache = new MemoryCache(10_000);
    for (const key of ['a', 'b', 'c', 'd']) cache.set(key, answer('x'.repeat(600)), 0);
    cache.get('a');
    const held = () => ['a', 'b', 'c', 'd'].filter((key) => cache.get(key) !== undefined);
    cache.resize(2000);
    expect(held()).toEqual(['a', 'd']);
    expect(cache.bytes).toBeLessThanOrEqual(2000);
    cache.resize(10_000);
    expect(held()).toEqual(['a', 'd']);
    cache.set('e', answer('x'.repeat(3000)), 0);
    expect(held()).toEqual(['a', 'd']);
  });

  it('keeps out what is too large', () => {
    const cache = new MemoryCache(8 * MAX_ANSWER_BYTES);
    cache.set('large', answer('x'.repeat(MAX_ANSWER_BYTES + 300)), 0);
    expect(cache.get('large')).toBeUndefined();
  });
});
