import { objectMembers, parseQuantity } from './block-param';

/** How much of the end of a list is read: its last item stands there, and lists are in the order of blocks. */
const TAIL_BYTES = 4096;

/**
 * The number of the newest block that an answer names: a receipt's or transaction's `blockNumber`, a block's `number`,
 * or that of the last item of a list. Undefined where it names none, as with a transaction that is pending.
 */
export function namedBlock(result: Buffer): number | undefined {
  if (result[0] === 0x7b) {
    const members = objectMembers(result);
    const span = members.get('blockNumber') ?? members.get('number');
    return span === undefined ? undefined : parseQuantity(result.toString('latin1', span.start + 1, span.end - 1));
  }
  if (result[0] !== 0x5b) return undefined;
  const tail = result.toString('latin1', Math.max(0, result.length - TAIL_BYTES));
  const last = [...tail.matchAll(/"blockNumber"\s*:\s*"(0x[0-9a-fA-F]{1,16})"/g)].at(-1)?.[1];
  return last === undefined ? undefined : parseQuantity(last);
}
