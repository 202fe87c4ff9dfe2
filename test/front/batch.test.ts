import { setTimeout as sleep } from 'node:timers/promises';
import { Readable } from 'node:stream';
import { type BatchAnswer, type BatchItem, runBatch } from '../../runtime/front/batch';
import { refusal } from '../../runtime/rpc/errors';
import type { Outcome } from '../../runtime/rpc/outcome';

function item(id: string | undefined, outcome: Outcome | (() => Promise<Outcome>)): BatchItem {
  const run = typeof outcome === 'function' ? outcome : () => Promise.resolve(outcome);
  return { id: id === undefined ? undefined : Buffer.from(id), run };
}

function result(text: string): Outcome {
  return { kind: 'result', result: Buffer.from(text) };
}

function stream(text: string, size = 10): Outcome {
  return {
    kind: 'stream',
    stream: Readable.from(text.match(new RegExp(`.{1,${size}}`, 'g'))?.map((part) => Buffer.from(part)) ?? []),
  };
}

interface Answer {
  readonly id: unknown;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
}

function parse({ body }: BatchAnswer): Answer[] {
  return JSON.parse(body?.toString() ?? '[]') as Answer[];
}

const ROOMY = { concurrency: 16, maxResponseBytes: 10_000 };
const OVERHEAD = '{"jsonrpc":"2.0","id":1,"result":}'.length;

describe('runBatch', () => {
  it('writes the answers in the order of the items, not in that of their ends', async () => {
    const slowFirst = [30, 20, 10, 0].map((ms, i) =>
      item(String(i), async () => {
        await sleep(ms);
        return result(`"${i}"`);
      }),
    );
    expect(parse(await runBatch(slowFirst, ROOMY)).map(({ id }) => id)).toEqual([0, 1, 2, 3]);
  });

  it('runs as many at once as it may', async () => {
    let now = 0;
    let most = 0;
    const counted = Array.from({ length: 20 }, (_, i) =>
      item(String(i), async () => {
        most = Math.max(most, ++now);
        await sleep(1);
        now--;
        return result('1');
      }),
    );
    await runBatch(counted, { ...ROOMY, concurrency: 3 });
    expect(most).toBe(3);
  });

  it('has no body when nobody asked for an answer, and gives streams up', async () => {
    const given = Readable.from([Buffer.from('x')]);
    const answer = await runBatch(
      [item(undefined, result('1')), item(undefined, { kind: 'stream', stream: given })],
      ROOMY,
    );
    expect(answer.body).toBeUndefined();
    expect(given.destroyed).toBe(true);
  });

  it('shares a refusal only when all items have one of the same status', async () => {
    const limited: Outcome = { kind: 'refused', refused: refusal('LIMITED', 'x', 1500) };
    const gone: Outcome = { kind: 'refused', refused: refusal('NO_NODE') };
    const shared = async (...outcomes: Outcome[]): Promise<unknown> =>
      (
        await runBatch(
          outcomes.map((outcome) => item('1', outcome)),
          ROOMY,
        )
      ).refused?.reason;
    expect(await shared(limited, limited)).toBe('LIMITED');
    expect(await shared(limited, gone)).toBeUndefined();
    expect(await shared(limited, result('1'))).toBeUndefined();
    expect(await shared(gone, { kind: 'refused', refused: refusal('OVERLOADED') })).toBe('NO_NODE');
  });

  it('fills its room exactly, and tells the items that do not fit', async () => {
    const room = 2 * (OVERHEAD + 100);
    const hundred = `"${'a'.repeat(98)}"`;
    const exact = await runBatch([item('1', result(hundred)), item('2', result(hundred))], {
      ...ROOMY,
      maxResponseBytes: room,
    });
    expect(parse(exact).every((one) => one.result !== undefined)).toBe(true);
    const short = await runBatch([item('1', result(hundred)), item('2', result(hundred)), item('3', result('1'))], {
      concurrency: 1,
      maxResponseBytes: room - 1,
    });
    expect(parse(short).map(({ result: got, error }) => got ?? error?.code)).toEqual(['a'.repeat(98), -32603, 1]);
  });

  it('never holds more of all streams together than it may, and gives back what it drops', async () => {
    let held = 0;
    const counting = (text: string): Outcome => ({
      kind: 'stream',
      stream: Readable.from(
        (async function* parts() {
          for (let at = 0; at < text.length; at += 100) {
            await sleep(0);
            held += 100;
            yield Buffer.from(text.slice(at, at + 100));
          }
        })(),
      ),
    });
    const endless = Array.from({ length: 16 }, (_, i) => item(String(i), counting('1'.repeat(100_000))));
    const bombs = await runBatch(endless, ROOMY);
    expect(parse(bombs).map(({ error }) => error?.code)).toEqual(endless.map(() => -32603));
    // What is read ahead of the bound is a few buffers.
    expect(held).toBeLessThan(16 * 10_000);
    const last = await runBatch([item('1', counting('1'.repeat(9_000))), item('2', counting('2'.repeat(50_000)))], {
      ...ROOMY,
      maxResponseBytes: 20_000,
    });
    expect(parse(last).map(({ error }) => error?.code)).toEqual([undefined, -32603]);
  });

  it('makes a stream that breaks off an error of that item alone', async () => {
    const breaking = Readable.from(
      (async function* parts() {
        yield Buffer.from('"half');
        await sleep(1);
        throw new Error('secret reason');
      })(),
    );
    const answer = await runBatch(
      [item('1', { kind: 'stream', stream: breaking }), item('2', stream('[1,2,3]', 2))],
      ROOMY,
    );
    expect(parse(answer)).toEqual([
      { jsonrpc: '2.0', id: 1, error: { code: -32002, message: expect.not.stringContaining('secret') as string } },
      { jsonrpc: '2.0', id: 2, result: [1, 2, 3] },
    ]);
  });
});
