import { ChainWatch, type WatchedChain } from '../../../runtime/proxy/head/chain-watch';
import type { Logger } from '../../../runtime/telemetry/logger';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

const HEALTHY: WatchedChain = { name: 'main', isServed: true, head: 100, blockTimeMs: 12 * SECOND };

/** What is logged, as `message chain`, and a clock to turn. */
function watched() {
  let ms = 0;
  const lines: string[] = [];
  const write = (fields: { chain: string }, message: string): number => lines.push(`${message} ${fields.chain}`);
  const watch = new ChainWatch({ info: write, error: write } as unknown as Logger, () => ms);
  return {
    look: (...chains: readonly Partial<WatchedChain>[]) =>
      watch.look(chains.map((chain) => ({ ...HEALTHY, ...chain }))),
    pass: (by: number) => (ms += by),
    told: () => lines.splice(0),
  };
}

describe('a chain', () => {
  it('without a healthy node is told at once, and every minute while it lasts', () => {
    const { look, pass, told } = watched();
    look({ isServed: false });
    expect(told()).toEqual(['no healthy node main']);
    pass(59 * SECOND);
    look({ isServed: false });
    expect(told()).toEqual([]);
    pass(SECOND);
    look({ isServed: false });
    expect(told()).toEqual(['no healthy node main']);
    look({});
    expect(told()).toEqual(['a node is healthy again main']);
    look({});
    expect(told()).toEqual([]);
  });

  it('whose head stands still is told after ten blocks that did not come', () => {
    const { look, pass, told } = watched();
    look({ blockTimeMs: 30 * SECOND });
    pass(5 * MINUTE - 1);
    look({ blockTimeMs: 30 * SECOND });
    expect(told()).toEqual([]);
    pass(1);
    look({ blockTimeMs: 30 * SECOND });
    expect(told()).toEqual(['the head stands still main']);
    look({ blockTimeMs: 30 * SECOND, head: 101 });
    expect(told()).toEqual(['the head moves again main']);
  });

  it('that is fast may pause for two minutes', () => {
    const { look, pass, told } = watched();
    look({ blockTimeMs: 250 });
    pass(2 * MINUTE - 1);
    look({ blockTimeMs: 250 });
    expect(told()).toEqual([]);
    pass(1);
    look({ blockTimeMs: 250 });
    expect(told()).toEqual(['the head stands still main']);
  });

  it('that goes back in a reorganisation moves', () => {
    const { look, pass, told } = watched();
    look({});
    pass(110 * SECOND);
    look({ head: 99 });
    pass(110 * SECOND);
    look({ head: 99 });
    expect(told()).toEqual([]);
  });

  it('without a head has none that stands still', () => {
    const { look, pass, told } = watched();
    look({ head: undefined, isServed: false });
    pass(10 * MINUTE);
    look({ head: undefined, isServed: false });
    expect(told()).toEqual(['no healthy node main', 'no healthy node main']);
  });

  it('is told apart from others, and forgotten when it goes', () => {
    const { look, told } = watched();
    look({ name: 'a', isServed: false }, { name: 'b' });
    expect(told()).toEqual(['no healthy node a']);
    look({ name: 'b' });
    look({ name: 'a', isServed: false }, { name: 'b' });
    expect(told()).toEqual(['no healthy node a']);
  });
});
