import type { NodeView } from '../../../runtime/nodes/node';
import type { Shown } from '../../../runtime/proxy/chain/block-checks';
import type { ChainNodes } from '../../../runtime/proxy/chain/chain-nodes';
import { createConfirm } from '../../../runtime/proxy/chain/confirm';
import { methodRow } from '../../../runtime/rpc/methods';
import type { UpstreamRequest } from '../../../runtime/upstream/failover-parts';
import { hashOf } from '../../chain/blocks';

const head = { number: 20, hash: hashOf(20) };
const node = { name: 'only' } as NodeView;
/** One node, and nothing is known of the branch below the head. */
const nodes = {
  head: { ...head, finalized: undefined },
  registry: { nodes: [node] },
  tracker: { hashAt: (number: number) => (number === head.number ? head.hash : undefined) },
} as unknown as ChainNodes;

function asking(method: string, members: Partial<UpstreamRequest>): UpstreamRequest {
  const row = methodRow(method, () => false);
  return { method, row, at: undefined, proof: undefined, ...members } as UpstreamRequest;
}

describe('of which branch an answer is', () => {
  const confirm = (request: UpstreamRequest, shown: Shown, answer = '[]') => {
    const asked: unknown[] = [];
    const checks = { shows: (...args: unknown[]) => (asked.push(args), Promise.resolve(shown)) };
    const confirming = createConfirm(nodes, checks as never)(node, request, Buffer.from(answer));
    return Promise.resolve(confirming).then((confirmation) => ({ confirmation, asked }));
  };

  it('is asked of the only node too where it is to be proven, of a range below what is known as well', async () => {
    const asked = [['only', head.number, head.hash]];
    const proven = asking('eth_getLogs', { proof: head });
    expect(await confirm(proven, 'same')).toEqual({ confirmation: 'certain', asked });
    expect(await confirm(proven, 'other')).toEqual({ confirmation: 'stray', asked });
    expect(await confirm(proven, 'unknown')).toEqual({ confirmation: 'assumed', asked });
    expect(await confirm(asking('eth_getLogs', { at: head }), 'other')).toEqual({ confirmation: 'assumed', asked: [] });
  });

  it('needs no question where the answer names the block that was asked for', async () => {
    const request = asking('eth_getBlockByNumber', { at: head, proof: head });
    const named = (hash: string): string => JSON.stringify({ number: '0x14', hash });
    expect(await confirm(request, 'other', named(head.hash))).toEqual({ confirmation: 'certain', asked: [] });
    expect(await confirm(request, 'same', named(hashOf(20, 'b')))).toEqual({ confirmation: 'stray', asked: [] });
  });
});
