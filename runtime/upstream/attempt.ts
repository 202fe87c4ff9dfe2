import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { NOT_SENT_HEADER, NOT_SENT_REASON_HEADER } from '../contract/headers';
import { type NodeResponse, parseNodeResponse } from '../rpc/node-response';
import { NodeError, type NodeErrorCode, type NodeErrorOptions } from './errors';
import { parseRetryAfter } from './retry-after';
import { NO_RESULT_YET, ResultScanner } from './result-scanner';
import { ResultStream } from './result-stream';

/** What came of asking a node once; a failure is thrown as a NodeError. */
export type Answer =
  Exclude<NodeResponse, { kind: 'fault' }> | { readonly kind: 'stream'; readonly stream: ResultStream };

export interface AttemptOptions {
  /** The node's name, for messages. */
  readonly node: string;
  /** The id in the request that was sent. */
  readonly id: number;
  /** Until the answer is whole, or begins to stream. */
  readonly timeoutMs: number;
  /** Until the last byte, from now. */
  readonly deadlineMs: number;
  readonly maxResponseBytes: number;
  /** Up to this size the answer is held and given whole; what is larger streams. At least 64 KiB. */
  readonly holdBytes: number;
  /** The node is reached through our own HAProxy, which says so where it could not send the request on. */
  readonly viaHaproxy: boolean;
  /** Called once, when it is over. */
  readonly onEnd: (attempt: Attempt) => void;
}

/** Answers up to this size are always held and checked whole before a byte is passed on. */
export const STREAM_ABOVE_BYTES = 64 * 1024;
/** How far a large answer may go before its result begins, and how much of a refusal is read. */
export const MAX_HELD_BYTES = 1024 * 1024;

/**
 * One request at one node, as undici's handler: bytes are collected, checked and given on, every way it can end is
 * one NodeError, and it ends exactly once.
 */
export class Attempt implements Dispatcher.DispatchHandler {
  readonly answer: Promise<Answer>;
  /** Whether the node can be held to its time: false until the request is written. */
  private sent = false;
  private settled = false;
  private resolve!: (answer: Answer) => void;
  private reject!: (error: NodeError) => void;
  private controller: Dispatcher.DispatchController | undefined;
  private failure: NodeError | undefined;
  private timer: NodeJS.Timeout;
  private readonly startedAt = performance.now();
  private status = 0;
  private retryAfterMs: number | undefined;
  private encoded = false;
  private notSent: string | undefined;
  private chunks: Buffer[] = [];
  private bytes = 0;
  private scanAt: number;
  private flowing = false;
  private stream: ResultStream | undefined;

  constructor(private readonly options: AttemptOptions) {
    this.answer = new Promise<Answer>((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.scanAt = options.holdBytes;
    this.timer = setTimeout(this.expire, options.timeoutMs);
  }

  /** Ends it from outside; nothing happens when it has ended already. */
  cancel(code: NodeErrorCode, message: string): void {
    this.fail(code, message);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
    if (this.failure) controller.abort(this.failure);
    else this.sent = true;
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    this.status = status;
    this.retryAfterMs = parseRetryAfter(headers['retry-after']);
    const encoding = headers['content-encoding'];
    this.encoded = encoding !== undefined && encoding !== 'identity';
    // HAProxy takes this header from what providers answer, so it is its own word.
    if (this.options.viaHaproxy && status === 503 && headers[NOT_SENT_HEADER] === '1') {
      this.notSent = plainText(headers[NOT_SENT_REASON_HEADER]);
    }
    if (status >= 300 && status < 400) this.fail('REDIRECT', `${this.options.node} answered ${status}, a redirect`);
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.failure) return;
    this.bytes += chunk.length;
    const { maxResponseBytes, node } = this.options;
    if (this.bytes > maxResponseBytes) {
      this.fail('TOO_LARGE', `${node} answered with more than ${maxResponseBytes} bytes`);
    } else if (this.stream) {
      this.pass(this.stream, chunk);
    } else {
      this.chunks.push(chunk);
      // What comes at length is on its way: its time is the deadline then, as it is for what streams.
      if (!this.flowing && this.bytes > STREAM_ABOVE_BYTES) this.allowUntilDeadline();
      if (this.bytes > this.scanAt) this.tryStream();
    }
  }

  onResponseEnd(): void {
    if (this.failure) return;
    if (this.stream) {
      const problem = this.stream.scanner.finish();
      if (problem !== undefined) this.fail('BAD_RESPONSE', `${this.options.node}: ${problem}`);
      else this.end();
      return;
    }
    const body = this.chunks.length === 1 ? (this.chunks[0] ?? EMPTY) : Buffer.concat(this.chunks);
    const response = this.encoded ? ENCODED : parseNodeResponse(body, this.options.id);
    // A status that is no success may still carry the answer to what was asked (some nodes say 400 with an error).
    if (response.kind !== 'fault' && (this.status < 300 || response.kind === 'error') && !isRefusal(this.status)) {
      this.settle();
      this.resolve(response);
    } else {
      this.failByStatus(response);
    }
  }

  onResponseError(_: Dispatcher.DispatchController, cause: Error): void {
    if (this.failure) return;
    if (cause instanceof NodeError) this.fail(cause.code, cause.message, { cause: cause.cause, sent: false });
    else if (!this.sent)
      this.fail('CONNECT_FAILED', `${this.options.node} could not be reached`, { cause, sent: false });
    else if (isProtocolError(cause)) this.fail('BAD_RESPONSE', `${this.options.node} does not speak HTTP`, { cause });
    else this.fail('RESET', `${this.options.node} closed the connection before its answer was whole`, { cause });
  }

  private readonly expire = (): void => {
    const { node, timeoutMs, deadlineMs } = this.options;
    if (this.flowing) this.fail('TIMEOUT', `${node} did not end its answer within ${Math.round(deadlineMs)} ms`);
    else if (!this.sent) this.fail('CONNECT_TIMEOUT', `${node} had no connection free within ${timeoutMs} ms`);
    else this.fail('TIMEOUT', `${node} gave no reply within ${Math.round(timeoutMs)} ms`);
  };

  private failByStatus(response: NodeResponse): void {
    const { node } = this.options;
    const { status, retryAfterMs } = this;
    const options = retryAfterMs === undefined ? { status } : { status, retryAfterMs };
    if (this.notSent !== undefined) this.failUnsent(this.notSent);
    else if (status === 429) this.fail('RATE_LIMITED', `${node} answered 429, too many requests`, options);
    else if (status === 401 || status === 403) this.fail('UNAUTHORIZED', `${node} answered ${status}`, options);
    else if (status >= 500) this.fail('SERVER_ERROR', `${node} answered ${status}`, options);
    else if (NOT_TAKEN.has(status)) this.fail('NOT_TAKEN', `${node} answered ${status} to this request`, options);
    else if (status >= 300) this.fail('BAD_RESPONSE', `${node} answered ${status}`, options);
    else if (status === 204) this.fail('BAD_RESPONSE', `${node} answered 204, no content`, options);
    else if (response.kind === 'fault') this.fail('BAD_RESPONSE', `${node}: ${response.problem}`, options);
  }

  private failUnsent(reason: string): void {
    const code = /ssl|certificate/i.test(reason) ? 'TLS_FAILED' : 'CONNECT_FAILED';
    const why = reason === '' ? '' : `: ${reason}`;
    this.fail(code, `${this.options.node} could not be reached by HAProxy${why}`, { status: 503, sent: false });
  }

  private tryStream(): void {
    const { node, id } = this.options;
    if (this.encoded || this.status !== 200) {
      if (this.bytes > MAX_HELD_BYTES) this.fail('BAD_RESPONSE', `${node} answered ${this.status} at length`);
      return;
    }
    const scanner = new ResultScanner(id);
    const part = scanner.push(Buffer.concat(this.chunks));
    if (part === NO_RESULT_YET && this.bytes < MAX_HELD_BYTES) {
      this.scanAt *= 2;
    } else if (typeof part === 'string') {
      this.fail('BAD_RESPONSE', `${node}: ${part}`);
    } else if (!scanner.mayMatch()) {
      this.fail('BAD_RESPONSE', `${node}: the answer has another id`);
    } else {
      const controller = this.controller;
      this.stream = new ResultStream(scanner, {
        pause: () => controller?.pause(),
        resume: () => controller?.resume(),
        abandon: () => this.fail('CALLER_LEFT', 'the caller left while the answer streamed'),
      });
      this.stream.push(part);
      this.chunks = [];
      this.resolve({ kind: 'stream', stream: this.stream });
    }
  }

  private allowUntilDeadline(): void {
    this.flowing = true;
    clearTimeout(this.timer);
    const leftMs = this.options.deadlineMs - (performance.now() - this.startedAt);
    this.timer = setTimeout(this.expire, Math.max(0, leftMs));
  }

  private pass(stream: ResultStream, chunk: Buffer): void {
    const part = stream.scanner.push(chunk);
    if (typeof part === 'string') this.fail('BAD_RESPONSE', `${this.options.node}: ${part}`);
    else if (part.length > 0 && !stream.push(part)) this.controller?.pause();
  }

  private end(): void {
    this.settle();
    this.stream?.push(null);
  }

  private fail(code: NodeErrorCode, message: string, options: NodeErrorOptions = {}): void {
    if (this.settled) return;
    this.settle();
    const error = new NodeError(code, message, this.sent ? options : { sent: false, ...options });
    this.failure = error;
    this.chunks = [];
    if (this.stream) this.stream.destroy(error);
    else this.reject(error);
    this.controller?.abort(error);
  }

  private settle(): void {
    this.settled = true;
    clearTimeout(this.timer);
    this.options.onEnd(this);
  }
}

const EMPTY = Buffer.alloc(0);
const ENCODED: NodeResponse = { kind: 'fault', problem: 'the answer is compressed, which was not asked for' };

/** Statuses that are about the one request, its size or its content (RFC 9110, 15.5.1, 15.5.14, 15.5.15; RFC 6585, 5). */
const NOT_TAKEN: ReadonlySet<number> = new Set([400, 413, 414, 431]);

/** A header's value for a message: one line, not at length, and no dash for what HAProxy does not know. */
function plainText(value: string | string[] | undefined): string {
  return String(value ?? '')
    .replace(/[^\x20-\x7e]/g, '?')
    .replace(/^[\s-]+|[\s-]+$/g, '')
    .slice(0, 200);
}

/** Statuses that say more than the body does. */
function isRefusal(status: number): boolean {
  return status === 429 || status === 401 || status === 403 || status >= 500;
}

/** undici gives its parser's errors no code that could be read (its table of codes is by name, and read by number). */
function isProtocolError(cause: Error & { code?: string }): boolean {
  const { name, code } = cause;
  return (
    name === 'HTTPParserError' || code === 'UND_ERR_HEADERS_OVERFLOW' || code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH'
  );
}
