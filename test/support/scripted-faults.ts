import { setImmediate as eventLoopTurn } from 'node:timers/promises';
import type { Behaviour } from './scripted-behaviours';
import type { Exchange } from './scripted-exchange';
import { httpHead, httpResponse } from './scripted-wire';

/**
 * Behaviours that happen to the connection rather than to the answer: resets, early ends, hanging, dripping, chunks,
 * and results too large to hold. They combine with the others, e.g. `delay(100, resetAfterHeaders())`.
 */
export const resetBeforeResponse = (): Behaviour => (exchange) => {
  exchange.socket.resetAndDestroy();
};

export const finBeforeResponse = (): Behaviour => end;

/** Head with the full content-length, no byte of the body. */
export const resetAfterHeaders = (): Behaviour => sendingPart(HEAD, reset);
export const resetInHeaders = (): Behaviour => sendingPart(HALF_HEAD, reset);
export const resetAfterHalfBody = (): Behaviour => sendingPart(HALF_BODY, reset);
/** Fewer bytes than content-length says, then an orderly end. */
export const shortBody = (): Behaviour => sendingPart(HALF_BODY, end);

/** Accepts the request and never says a word. */
export const hang = (): Behaviour => (exchange) => exchange.gone();
export const hangInBody = (): Behaviour => sendingPart(HALF_BODY, (exchange) => exchange.gone());

/** Answers, then resets the connection when a further request comes on it: stale keep-alive, seen from the client. */
export const nextSocketReset = (): Behaviour => async (exchange) => {
  await exchange.send(httpResponse(200, exchange.toBody()));
  // Ahead of the node's own listener: the next request is logged by nobody, as if it had crossed with the reset.
  exchange.socket.prependOnceListener('data', () => exchange.socket.resetAndDestroy());
};

/** Answers as if the connection stayed, and closes it at once: the idle time-out that races the next request. */
export const finAfterResponse = (): Behaviour => async (exchange) => {
  await exchange.send(httpResponse(200, exchange.toBody()));
  await end(exchange);
};

export interface DripOptions {
  readonly bytesPerTick: number;
  readonly everyMs: number;
  /** What comes in drops; the rest comes at once. Default `body`. */
  readonly part?: 'head' | 'body';
}

/** Never silent, never done: what an inactivity time-out does not notice. */
export const drip =
  ({ bytesPerTick, everyMs, part = 'body' }: DripOptions): Behaviour =>
  async (exchange) => {
    const { head, body } = parts(exchange);
    if (part === 'body' && !(await exchange.send(head))) return;
    const slow = part === 'head' ? head : body;
    for (let at = 0; at < slow.length; at += bytesPerTick) {
      if (!(await exchange.send(slow.subarray(at, at + bytesPerTick)))) return;
      if (!(await exchange.wait(everyMs))) return;
    }
    if (part === 'head') await exchange.send(body);
  };

export interface BigResultOptions {
  /** The id comes behind the result, so that it is known only when everything has passed. Default false. */
  readonly idLast?: boolean;
}

/**
 * A string result of exactly this many bytes, made as it is sent: the node holds one 64 KiB piece however large the
 * answer is, and stops when the reader does.
 */
export const bigResult =
  (bytes: number, { idLast = false }: BigResultOptions = {}): Behaviour =>
  async (exchange) => {
    const id = exchange.requests[0]?.rawId ?? 'null';
    const before = idLast ? '{"jsonrpc":"2.0","result":"' : `{"jsonrpc":"2.0","id":${id},"result":"`;
    const after = idLast ? `","id":${id}}` : '"}';
    const length = before.length + bytes + Buffer.byteLength(after);
    await exchange.send(httpHead(200, { ...JSON_TYPE, 'content-length': length }) + before);
    for (let left = bytes; left > 0; left -= PIECE.length) {
      if (!(await exchange.send(left < PIECE.length ? PIECE.subarray(0, left) : PIECE))) return;
    }
    await exchange.send(after);
  };

/** How a chunked answer of many small chunks ends (RFC 9112, 7.1). */
export type ChunkedEnd =
  /** Correctly. */
  | 'complete'
  /** With an orderly close and no last chunk. */
  | 'fin'
  | 'reset'
  /** Silently, with a chunk begun. */
  | 'hang'
  /** With a chunk size that is no number. */
  | 'badSize'
  /** With trailer fields behind the last chunk, which is correct. */
  | 'trailers';

/** The ordinary answer in chunks of 10 bytes. All ends but `complete` and `trailers` hold the last chunk back. */
export const chunked =
  (ending: ChunkedEnd = 'complete'): Behaviour =>
  async (exchange) => {
    const pieces = exchange.toBody().match(/[^]{1,10}/g) ?? [];
    const chunks = pieces.map((piece) => `${Buffer.byteLength(piece).toString(16)}\r\n${piece}\r\n`);
    await exchange.send(httpHead(200, { ...JSON_TYPE, 'transfer-encoding': 'chunked' }));
    await exchange.send(chunks.slice(0, -1).join(''));
    await CHUNKED_ENDS[ending](exchange, chunks.at(-1) ?? '');
  };

const CHUNKED_ENDS: Record<ChunkedEnd, (exchange: Exchange, last: string) => void | Promise<void>> = {
  complete: finish((last) => `${last}0\r\n\r\n`),
  trailers: finish((last) => `${last}0\r\nx-checked: yes\r\n\r\n`),
  badSize: finish((last) => `zz\r\n${last}0\r\n\r\n`),
  fin: end,
  reset,
  hang: async (exchange, last) => {
    await exchange.send(last.slice(0, -3));
    await exchange.gone();
  },
};

function finish(bytes: (last: string) => string) {
  return async (exchange: Exchange, last: string): Promise<void> => {
    await exchange.send(bytes(last));
  };
}

interface Parts {
  readonly head: Buffer;
  readonly body: Buffer;
}

function parts(exchange: Exchange): Parts {
  const body = Buffer.from(exchange.toBody());
  return { head: Buffer.from(httpHead(200, { ...JSON_TYPE, 'content-length': body.length })), body };
}

const HEAD = ({ head }: Parts): Buffer => head;
const HALF_HEAD = ({ head }: Parts): Buffer => head.subarray(0, head.length / 2);
const HALF_BODY = ({ head, body }: Parts): Buffer => Buffer.concat([head, body.subarray(0, body.length / 2)]);

function sendingPart(part: (whole: Parts) => Buffer, then: Behaviour): Behaviour {
  return async (exchange) => {
    if (await exchange.send(part(parts(exchange)))) await then(exchange);
  };
}

async function reset(exchange: Exchange): Promise<void> {
  // Lets the client read what was sent first: libuv reports bytes and a reset that come together as an orderly end.
  // The turns of the event loop are for clients in this process, which may have been held up for those 10 ms.
  await exchange.wait(10);
  for (let turn = 0; turn < 2; turn++) await eventLoopTurn();
  exchange.socket.resetAndDestroy();
}

function end(exchange: Exchange): Promise<void> {
  exchange.socket.end();
  return exchange.gone();
}

const JSON_TYPE = { 'content-type': 'application/json' };
const PIECE = Buffer.alloc(64 * 1024, 'a');
