import type { RequestContext } from '../../front/exchange';
import { branchOf } from '../../rpc/named-block';
import type { Confirmation, FailoverParts } from '../../upstream/failover-parts';
import type { BlockChecks, Shown } from './block-checks';
import type { ChainNodes } from './chain-nodes';

/**
 * What is read by number may be of the branch that its node has just changed to. Where the answer does not tell, the
 * node is asked for the block's hash afterwards; not for what cannot change any more, nor where no other node could
 * do better. State is read by hash; where a node takes none, its answer is served at once and only kept if it holds.
 * Where proof is asked for, the node shows it in any case.
 */
export function createConfirm(nodes: ChainNodes, checks: BlockChecks): FailoverParts<RequestContext>['confirms'] {
  const { tracker, registry } = nodes;
  const hashAt = (number: number): string | undefined => tracker.hashAt(number);
  return (node, { method, row, at, proof }, result) => {
    const branch = at === undefined || result === undefined ? 'untold' : branchOf(method, result, at, hashAt);
    if (branch === 'other') return 'stray';
    if (proof !== undefined) {
      return branch === 'ours' ? 'certain' : confirmed(checks.shows(node.name, proof.number, proof.hash), PROOF_MS);
    }
    if (at === undefined || branch === 'ours') return 'assumed';
    const matters =
      row.block?.takes === 'number' && registry.nodes.length > 1 && at.number > (nodes.head?.finalized ?? -1);
    return matters ? confirmed(checks.shows(node.name, at.number, at.hash), CONFIRM_MS) : 'assumed';
  };
}

/** What a caller waits for at most, in milliseconds, for a node to show that it still has a block. */
const CONFIRM_MS = 500;
/** The same where an answer without proof is of no use. */
const PROOF_MS = 5000;

/** A node that does not tell in time may be busy: nothing is known against its answer. */
async function confirmed(shown: Promise<Shown>, withinMs: number): Promise<Confirmation> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Shown>((resolve) => {
    timer = setTimeout(() => resolve('unknown'), withinMs);
  });
  const verdict = await Promise.race([shown, late]);
  clearTimeout(timer);
  return ({ same: 'certain', other: 'stray', unknown: 'assumed' } as const)[verdict];
}
