import { Readable } from 'node:stream';
import type { RequestContext } from '../../../runtime/front/exchange';
import type { NodeView } from '../../../runtime/nodes/node';
import type { ChainNodes } from '../../../runtime/proxy/chain/chain-nodes';
import { ChainFilterNodes } from '../../../runtime/proxy/chain/filter-nodes';
import { markOf } from '../../../runtime/proxy/chain/node-identity';
import type { Outcome } from '../../../runtime/rpc/outcome';
import { hashOf } from '../../chain/blocks';

const head = { number: 20, hash: hashOf(20), hashAt: () => undefined, finalized: undefined };
const context = { head, deadline: Infinity } as unknown as RequestContext;
const via = { node: 'a', exact: false, asAsked: true };

/** The filters of one node, a, which is up. */
class Bed {
  readonly sent: string[] = [];
  readonly identity = { mark: 'this node', downAt: 0, unbrokenSince: 0 };
  outcome: Outcome = { kind: 'result', result: Buffer.from('"0x1"'), via };
  readonly filters: ChainFilterNodes;

  constructor() {
    const node = { name: 'a', head, health: { state: 'up', head }, restingUntil: 0 } as unknown as NodeView;
    const send = (method: string) => {
      this.sent.push(method);
      return { answer: Promise.resolve({ kind: 'result', result: Buffer.from('[]'), isNull: false }) };
    };
    const nodes = {
      identityOf: () => this.identity,
      registry: { nodes: [node] },
      tracker: { hasBlock: () => true },
      client: () => ({ send }),
    };
    this.filters = new ChainFilterNodes({
      nodes: nodes as unknown as ChainNodes,
      book: { begin: () => undefined, end: () => undefined, succeeded: () => undefined } as never,
      upstream: () => Promise.resolve(this.outcome),
      onError: (error) => this.sent.push(String(error)),
      timeoutMs: () => 1000,
    });
  }

  make() {
    return this.filters.make(context, 'eth_newPendingTransactionFilter', []);
  }
}

describe('a filter that a node keeps', () => {
  it.each<[string, (bed: Bed) => unknown]>([
    ['another node has its name', ({ identity }) => (identity.mark = 'another')],
    ['it was down since', ({ identity }) => (identity.downAt = identity.unbrokenSince = Date.now() + 60_000)],
    ['it counts, and may have begun anew since', ({ identity }) => (identity.unbrokenSince = Date.now() + 60_000)],
  ])('is gone, and its id sent to nobody, where %s', async (_, change) => {
    const bed = new Bed();
    const made = await bed.make();
    if (made.kind !== 'made') throw new Error(made.kind);
    expect(bed.filters.stand(made.filter, head)).toMatchObject({ kind: 'at' });
    expect(String(await bed.filters.changes(made.filter, context))).toBe('[]');
    expect(bed.sent).toEqual(['eth_getFilterChanges']);
    change(bed);
    expect(bed.filters.stand(made.filter, head)).toEqual({ kind: 'gone' });
    expect(await bed.filters.changes(made.filter, context)).toBeUndefined();
    bed.filters.remove(made.filter);
    expect(bed.sent).toEqual(['eth_getFilterChanges']);
  });

  it('is asked for where its id is none that comes twice, also if its node was not seen all the time', async () => {
    const bed = new Bed();
    bed.outcome = { kind: 'result', result: Buffer.from('"0x1f3a5c7e9b2d4"'), via };
    const made = await bed.make();
    if (made.kind !== 'made') throw new Error(made.kind);
    bed.identity.unbrokenSince = Date.now() + 60_000;
    expect(String(await bed.filters.changes(made.filter, context))).toBe('[]');
    bed.identity.downAt = bed.identity.unbrokenSince;
    expect(await bed.filters.changes(made.filter, context)).toBeUndefined();
  });

  it('is known by the address of its node, without telling it', () => {
    const [url, other] = ['http://u:secret@a.test/key', 'http://u:secret@b.test/key'];
    const at = (address: string) => markOf({ name: 'a', url: address } as never);
    expect(at(url)).toBe(at(url));
    expect(at(url)).not.toBe(at(other));
    expect(at(url)).toMatch(/^[\w-]{16}$/);
  });

  it.each(['{}', 'null', '1', '"0x1 or so"', `"0x${'1'.repeat(200)}"`])('has no id like %s', async (answer) => {
    const bed = new Bed();
    bed.outcome = { kind: 'result', result: Buffer.from(answer), via };
    expect(await bed.make()).toMatchObject({ kind: 'failed', outcome: { kind: 'refused' } });
  });

  it('is not made by an answer without end, of which nothing is left', async () => {
    const bed = new Bed();
    const stream = Readable.from(['"0x1']);
    bed.outcome = { kind: 'stream', stream };
    expect(await bed.make()).toMatchObject({ kind: 'failed', outcome: { kind: 'refused' } });
    expect(stream.destroyed).toBe(true);
  });
});
