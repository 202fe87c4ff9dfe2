import { objectMembers, parseQuantity } from './block-param';

/** How much of the end of a list is read: its last item stands there, and lists are in the order of blocks. */
const TAIL_BYTES = 4096;

export interface NamedBlock {
  readonly number: number;
  /** In lower case; undefined where it is not told, as for lists. */
  readonly hash: string | undefined;
}

/**
 * The newest block that an answer names: a receipt's or transaction's `blockNumber` and `blockHash`, a block's `number`
 * and `hash`, or the number of the last item of a list. Undefined where it names none, as with a transaction that is
 * pending.
 */
export function namedBlock(result: Buffer): NamedBlock | undefined {
  if (result[0] === 0x7b) {
    const members = objectMembers(result);
    const isBlock = !members.has('blockNumber');
    const text = (member: string): string => {
      const span = members.get(member);
      return span === undefined ? '' : result.toString('latin1', span.start + 1, span.end - 1);
    };
    const number = parseQuantity(text(isBlock ? 'number' : 'blockNumber'));
    const hash = text(isBlock ? 'hash' : 'blockHash').toLowerCase();
    return number === undefined ? undefined : { number, hash: /^0x[0-9a-f]{64}$/.test(hash) ? hash : undefined };
  }
  if (result[0] !== 0x5b) return undefined;
  const tail = result.toString('latin1', Math.max(0, result.length - TAIL_BYTES));
  const last = [...tail.matchAll(/"blockNumber"\s*:\s*"(0x[0-9a-fA-F]{1,16})"/g)].at(-1)?.[1];
  const number = last === undefined ? undefined : parseQuantity(last);
  return number === undefined ? undefined : { number, hash: undefined };
}
