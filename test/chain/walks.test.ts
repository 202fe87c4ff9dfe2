import { Readable } from 'node:stream';
import { BranchReader } from '../../runtime/chain/branch-reader';
import { walkLogs } from '../../runtime/chain/log-walk';
import type { Outcome } from '../../runtime/rpc/outcome';
import { MemoryChain } from '../filters/memory-chain';
import { hashOf } from './blocks';

describe('reading a branch', () => {
  let chain: MemoryChain;

  beforeEach(() => {
    chain = new MemoryChain(1);
    for (let i = 0; i < 40; i++) chain.grow(i % 2);
  });

  it('follows it down from the head where the ring has gaps, and asks nobody where it has none', async () => {
    const expected = chain.blocks.slice(5).map(({ hash }) => hash);
    expect(await new BranchReader(chain.head, chain.send).hashes(5, 40)).toEqual(expected);
    expect(new Set(chain.asked)).toEqual(new Set(['eth_getBlockByNumber']));
    chain.asked = [];
    chain.ring = 100;
    expect(await new BranchReader(chain.head, chain.send).hashes(5, 40)).toEqual(expected);
    expect(chain.asked).toEqual([]);
  });

  it('takes no block of another branch: one that does not fit is asked for by its hash, and else it ends', async () => {
    const { head } = chain;
    const expected = chain.blocks.slice(30).map(({ hash }) => hash);
    const old = new MemoryChain();
    old.blocks.splice(0, old.blocks.length, ...chain.blocks);
    chain.rewind(6);
    for (let i = 0; i < 7; i++) chain.grow(0);
    // A node of the other branch answers by number, one of ours by hash.
    const mixed = (method: string, params: readonly unknown[]): Promise<Outcome> =>
      (method === 'eth_getBlockByHash' ? old : chain).send(method, params);
    expect(await new BranchReader(head, mixed).hashes(30, 40)).toEqual(expected);
    await expect(new BranchReader(head, chain.send).hashes(30, 40)).rejects.toMatchObject({ code: 'STRAY' });
  });

  it('takes no answer that is not of the head for certain, nor what is no block or another than was asked for', async () => {
    const reading = (outcome: Outcome): Promise<string> =>
      new BranchReader(chain.head, () => Promise.resolve(outcome)).hashAt(7);
    const answer = (members: object): Buffer =>
      Buffer.from(JSON.stringify({ ...chain.blocks[7], number: '0x7', ...members }));
    const via = { node: 'n', exact: false, asAsked: false };
    expect(await reading({ kind: 'result', result: answer({}) })).toBe(chain.blocks[7]?.hash);
    await expect(reading({ kind: 'result', result: answer({}), via })).rejects.toMatchObject({ code: 'STRAY' });
    const stream = Readable.from([answer({})]);
    await expect(reading({ kind: 'stream', stream, via })).rejects.toMatchObject({ code: 'STRAY' });
    expect(stream.destroyed).toBe(true);
    for (const wrong of [{ hash: '0x"' }, { hash: '0x1' }, { parentHash: 7 }, { number: '0x8' }]) {
      await expect(reading({ kind: 'result', result: answer(wrong) })).rejects.toMatchObject({ code: 'BROKEN' });
    }
  });

  it('knows when its head was given up', () => {
    const { head } = chain;
    expect(new BranchReader(head, chain.send).holds).toBe(true);
    expect(new BranchReader({ ...head, hashAt: () => hashOf(0, 'b') }, chain.send).holds).toBe(false);
  });
});

describe('reading logs', () => {
  let chain: MemoryChain;
  const hashAt = (number: number): Promise<string> => Promise.resolve(chain.blocks[number]?.hash ?? '');
  const names = { known: (): undefined => undefined, hashAt };

  beforeEach(() => {
    chain = new MemoryChain();
    for (let i = 1; i <= 40; i++) chain.grow(i % 2);
  });

  it('halves what is refused, and reads everything once', async () => {
    chain.maxRange = 3;
    const walk = await walkLogs(1, 40, {}, { send: chain.send, maxBlocks: 1000, ...names });
    expect(walk.blocks.map(({ number }) => number)).toEqual(Array.from({ length: 20 }, (_, i) => 2 * i + 1));
    expect(walk).toMatchObject({ reached: 40, failure: undefined });
  });

  it('keeps what it has read when it fails', async () => {
    let asked = 0;
    const refused: Outcome = { kind: 'error', error: Buffer.from('{}') };
    const send = (method: string, params: readonly unknown[]): Promise<Outcome> =>
      ++asked > 2 ? Promise.resolve(refused) : chain.send(method, params);
    const walk = await walkLogs(1, 40, {}, { send, maxBlocks: 10, ...names });
    expect(walk.reached).toBe(20);
    expect(walk.failure).toMatchObject({ code: 'REFUSED', outcome: refused });
  });

  it('does not take logs of another branch, out of the range, or what is none', async () => {
    const at = { send: chain.send, maxBlocks: 10, hashAt };
    const stray = await walkLogs(1, 5, {}, { ...at, known: (number) => (number === 3 ? hashOf(0, 'b') : undefined) });
    expect(stray).toMatchObject({ reached: 0, failure: { code: 'STRAY' } });
    const answering = (result: string) => () =>
      Promise.resolve<Outcome>({ kind: 'result', result: Buffer.from(result) });
    for (const wrong of [
      `[${chain.blocks[9]?.logs.join(',')}]`,
      '{}',
      '[{}]',
      'null',
      '[{"blockNumber":"0x1","blockHash":"0x\\"","logIndex":"0x0"}]',
    ]) {
      const walk = await walkLogs(1, 5, {}, { send: answering(wrong), maxBlocks: 10, ...names });
      expect(walk).toMatchObject({ reached: 0, failure: { code: 'BROKEN' } });
    }
  });
});
