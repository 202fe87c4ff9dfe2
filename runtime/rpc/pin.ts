import { type BlockNeed, NO_NEED } from './block-need';
import { type BlockParam, hasOddSpelling, objectMembers, parseBlockParam, toQuantity } from './block-param';
import type { HeadView } from './head-view';
import type { RpcParams } from './message';
import type { BlockPosition } from './methods';

export interface Pinned {
  /** The params to send: the caller's bytes, but for the block argument where it meant latest. */
  readonly params: Buffer;
  readonly need: BlockNeed;
  /** It reads what is not mined yet. */
  readonly readsPending: boolean;
  /** The block the answer is about, where it is known to the hash. */
  readonly at: PinnedBlock | undefined;
}

export interface PinnedBlock {
  readonly number: number;
  readonly hash: string;
  /** Where the block argument stands in the pinned params; undefined for ranges, and for a hash the caller gave. */
  readonly span: { readonly start: number; readonly end: number } | undefined;
}

/**
 * Replaces a stated or implied `latest` by the head's number, in place, so that the answer is that of one known block
 * whichever node gives it. Every other byte stays as it was sent.
 */
export function pin(params: RpcParams, position: BlockPosition, head: HeadView): Pinned {
  return position.reads === 'logs' ? pinLogs(params, position.index, head) : pinArgument(params, position, head);
}

/** The same params with the block named by its hash (EIP-1898), for nodes that take it. */
export function byHash(params: Buffer, { hash, span }: PinnedBlock): Buffer {
  return span === undefined ? params : spliced(params, span.start, span.end, `{"blockHash":"${hash}"}`);
}

function pinArgument({ bytes, spans }: RpcParams, { index, reads, omitted }: BlockPosition, head: HeadView): Pinned {
  const count = spans.length / 2;
  const start = spans[2 * index];
  const end = spans[2 * index + 1];
  const whole: Pinned = { params: bytes, need: NO_NEED, readsPending: false, at: undefined };
  if (start === undefined || end === undefined) {
    // Only the argument right after the last given one can be added; what lacks more is the node's to refuse.
    if (omitted === 'unpinned' || count !== index || bytes[0] !== 0x5b) return whole;
    const close = bytes.length - 1;
    return atHead(bytes, close, close, count === 0 ? '' : ',', head);
  }
  const raw = bytes.subarray(start, end);
  const block = parseBlockParam(raw);
  switch (block.kind) {
    case 'latest':
      // null is how some clients leave it out.
      if (omitted === 'unpinned' && raw[0] === 0x6e) return whole;
      return atHead(bytes, start, end, '', head);
    case 'number':
      return {
        params: bytes,
        need: historical(reads, block.number, head),
        readsPending: false,
        at: known(block.number, head, { start, end }),
      };
    case 'pending':
      return { ...whole, readsPending: true };
    default:
      return whole;
  }
}

function atHead(bytes: Buffer, start: number, end: number, comma: string, head: HeadView): Pinned {
  const { number, hash } = head;
  const text = `${comma}"${toQuantity(number)}"`;
  const span = { start: start + comma.length, end: start + text.length };
  return {
    params: spliced(bytes, start, end, text),
    need: { kind: 'head', number },
    readsPending: false,
    at: { number, hash, span },
  };
}

/**
 * `eth_getLogs` reads a range: `latest` at either end, stated or implied, becomes the head's number, and the node
 * must have the upper end (https://ethereum.github.io/execution-apis/, Filter).
 */
function pinLogs({ bytes, spans }: RpcParams, index: number, head: HeadView): Pinned {
  const start = spans[2 * index];
  const end = spans[2 * index + 1];
  const whole: Pinned = { params: bytes, need: NO_NEED, readsPending: false, at: undefined };
  if (start === undefined || end === undefined || bytes[start] !== 0x7b) return whole;
  const filter = bytes.subarray(start, end);
  const members = objectMembers(filter);
  if (members.has('blockHash') || hasOddSpelling(members, LOG_BLOCKS)) return whole;
  const at = (name: string): BlockParam => {
    const span = members.get(name);
    return span === undefined ? { kind: 'latest' } : parseBlockParam(filter.subarray(span.start, span.end));
  };
  const from = at('fromBlock');
  const to = at('toBlock');
  const latest = `"${toQuantity(head.number)}"`;
  const edits: { start: number; end: number; text: string }[] = [];
  for (const name of ['fromBlock', 'toBlock'] as const) {
    if ((name === 'fromBlock' ? from : to).kind !== 'latest') continue;
    const span = members.get(name);
    if (span !== undefined) edits.push({ ...span, text: latest });
    else edits.push({ start: 1, end: 1, text: `"${name}":${latest}${members.size + edits.length === 0 ? '' : ','}` });
  }
  // From the back, so that earlier places stay where they are.
  edits.sort((a, b) => b.start - a.start);
  let params = bytes;
  for (const edit of edits) params = spliced(params, start + edit.start, start + edit.end, edit.text);
  const bounded = from.kind === 'latest' || from.kind === 'number';
  if (to.kind === 'latest') {
    const { number, hash } = head;
    return {
      params,
      need: { kind: 'head', number },
      readsPending: false,
      at: bounded ? { number, hash, span: undefined } : undefined,
    };
  }
  if (to.kind !== 'number') return { params, need: NO_NEED, readsPending: false, at: undefined };
  return {
    params,
    need: historical('block', to.number, head),
    readsPending: false,
    at: bounded ? known(to.number, head, undefined) : undefined,
  };
}

const LOG_BLOCKS = ['fromBlock', 'toBlock', 'blockHash'];

function known(number: number, head: HeadView, span: PinnedBlock['span']): PinnedBlock | undefined {
  const hash = number === head.number ? head.hash : head.hashAt(number);
  return hash === undefined || number > head.number ? undefined : { number, hash, span };
}

function historical(reads: 'state' | 'block' | 'logs', number: number, head: HeadView): BlockNeed {
  if (number === head.number) return { kind: 'head', number };
  return { kind: reads === 'state' ? 'state' : 'block', number };
}

function spliced(bytes: Buffer, start: number, end: number, text: string): Buffer {
  return Buffer.concat([bytes.subarray(0, start), Buffer.from(text), bytes.subarray(end)]);
}
