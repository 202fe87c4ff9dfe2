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

/** Where the methods that name blocks in their answers do so. */
const NAMES: Readonly<Record<string, 'own' | 'items'>> = {
  eth_getBlockByNumber: 'own',
  eth_getHeaderByNumber: 'own',
  eth_getTransactionByBlockNumberAndIndex: 'own',
  eth_getBlockReceipts: 'items',
  eth_getLogs: 'items',
};

/**
 * Of which branch an answer is, by the blocks it names: `other` where one has another hash on our branch (the node was,
 * or is, on another), `ours` where it names the block that was asked for. Logs that are there tell nothing of those that
 * are missing.
 *
 * @param at the block that was asked for, or the last of a range
 * @param hashAt our branch; undefined for numbers it does not know
 */
export function branchOf(
  method: string,
  result: Buffer,
  at: { readonly number: number; readonly hash: string },
  hashAt: (number: number) => string | undefined,
): 'ours' | 'other' | 'untold' {
  const names = NAMES[method];
  if (names === undefined) return 'untold';
  if (names === 'own') {
    const hash = namedBlock(result)?.hash;
    return hash === undefined ? 'untold' : hash === at.hash ? 'ours' : 'other';
  }
  let told = false;
  for (const { number, hash } of namedInItems(result)) {
    const ours = number === at.number ? at.hash : hashAt(number);
    if (ours !== undefined && ours !== hash) return 'other';
    told = true;
  }
  return told && method !== 'eth_getLogs' ? 'ours' : 'untold';
}

/** The blocks that logs or receipts name; nodes write the two members in either order, next to each other or not. */
function* namedInItems(result: Buffer): Generator<{ number: number; hash: string }> {
  if (result[0] !== 0x5b || result.length < 3) return;
  const text = result.toString('latin1');
  const hashes = [...text.matchAll(/"blockHash"\s*:\s*"(0x[0-9a-fA-F]{64})"/g)];
  const numbers = [...text.matchAll(/"blockNumber"\s*:\s*"(0x[0-9a-fA-F]{1,16})"/g)];
  // A receipt holds logs that name the same block again, so the two lists are as long as each other, or it is not known
  // which belongs to which.
  if (hashes.length !== numbers.length) return;
  let last = '';
  for (let i = 0; i < hashes.length; i++) {
    const hash = hashes[i]?.[1]?.toLowerCase() ?? '';
    const number = parseQuantity(numbers[i]?.[1] ?? '');
    if (hash === last || number === undefined) continue;
    last = hash;
    yield { number, hash };
  }
}
