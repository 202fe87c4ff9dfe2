import { type BlockNeed, NO_NEED } from './block-need';
import { type BlockParam, objectMembers, parseBlockParam, toQuantity } from './block-param';
import type { RpcParams } from './message';
import type { BlockPosition } from './methods';

export interface Pinned {
  /** The params to send: the caller's bytes, but for the block argument where it meant latest. */
  readonly params: Buffer;
  readonly need: BlockNeed;
}

/**
 * Replaces a stated or implied `latest` by the head's number, in place, so that the answer is that of one known block
 * whichever node gives it. Every other byte stays as it was sent.
 */
export function pin(params: RpcParams, position: BlockPosition, head: number): Pinned {
  return position.reads === 'logs' ? pinLogs(params, position.index, head) : pinArgument(params, position, head);
}

function pinArgument({ bytes, spans }: RpcParams, { index, reads, omitted }: BlockPosition, head: number): Pinned {
  const count = spans.length / 2;
  const start = spans[2 * index];
  const end = spans[2 * index + 1];
  const whole: Pinned = { params: bytes, need: NO_NEED };
  if (start === undefined || end === undefined) {
    // Only the argument right after the last given one can be added; what lacks more is the node's to refuse.
    if (omitted === 'unpinned' || count !== index || bytes[0] !== 0x5b) return whole;
    const close = bytes.length - 1;
    const tail = `${count === 0 ? '' : ','}"${toQuantity(head)}"`;
    return { params: spliced(bytes, close, close, tail), need: { kind: 'head', number: head } };
  }
  const block = parseBlockParam(bytes.subarray(start, end));
  if (block.kind === 'number') return { params: bytes, need: historical(reads, block.number, head) };
  if (block.kind !== 'latest') return whole;
  if (omitted === 'unpinned' && bytes[start] === 0x6e) return whole; // null: left out
  return {
    params: spliced(bytes, start, end, `"${toQuantity(head)}"`),
    need: { kind: 'head', number: head },
  };
}

/**
 * `eth_getLogs` reads a range: `latest` at either end, stated or implied, becomes the head's number, and the node
 * must have the upper end (https://ethereum.github.io/execution-apis/, Filter).
 */
function pinLogs({ bytes, spans }: RpcParams, index: number, head: number): Pinned {
  const start = spans[2 * index];
  const end = spans[2 * index + 1];
  if (start === undefined || end === undefined || bytes[start] !== 0x7b) return { params: bytes, need: NO_NEED };
  const filter = bytes.subarray(start, end);
  const members = objectMembers(filter);
  if (members.has('blockHash')) return { params: bytes, need: NO_NEED };
  const at = (name: string): BlockParam => {
    const span = members.get(name);
    return span === undefined ? { kind: 'latest' } : parseBlockParam(filter.subarray(span.start, span.end));
  };
  const to = at('toBlock');
  const edits: { start: number; end: number; text: string }[] = [];
  for (const name of ['fromBlock', 'toBlock'] as const) {
    if (at(name).kind !== 'latest') continue;
    const span = members.get(name);
    const text = `"${toQuantity(head)}"`;
    if (span !== undefined) edits.push({ start: span.start, end: span.end, text });
    else edits.push({ start: 1, end: 1, text: `"${name}":${text}${members.size + edits.length === 0 ? '' : ','}` });
  }
  // From the back, so that earlier places stay where they are.
  edits.sort((a, b) => b.start - a.start);
  let params = bytes;
  for (const edit of edits) params = spliced(params, start + edit.start, start + edit.end, edit.text);
  if (to.kind === 'latest') return { params, need: { kind: 'head', number: head } };
  return { params, need: to.kind === 'number' ? historical('block', to.number, head) : NO_NEED };
}

function historical(reads: 'state' | 'block' | 'logs', number: number, head: number): BlockNeed {
  if (number === head) return { kind: 'head', number };
  return { kind: reads === 'state' ? 'state' : 'block', number };
}

function spliced(bytes: Buffer, start: number, end: number, text: string): Buffer {
  return Buffer.concat([bytes.subarray(0, start), Buffer.from(text), bytes.subarray(end)]);
}
