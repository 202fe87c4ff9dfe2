import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline, Readable } from 'node:stream';
import { answerHeaders } from './answer-headers';
import type { ExchangeAnswer } from './exchange';

export interface FastLaneOptions {
  readonly maxBodyBytes: number;
  /** Paths without the leading slash that this lane serves. */
  readonly hasPath: (path: string) => boolean;
  /** Whether the request may not be served; it is answered already then. */
  readonly keepsOut: (request: IncomingMessage) => boolean;
  /** The answer to a whole body. Never rejects. */
  readonly answer: (
    path: string,
    body: Buffer,
    request: IncomingMessage,
    response: ServerResponse,
  ) => Promise<ExchangeAnswer>;
  readonly isClosing: () => boolean;
}

/**
 * The plain case of a request, straight from Node's server: a POST of a known length, to a path that exists, from no
 * browser of another origin. It serves a tenth more requests than the way through the framework (docs/performance.md), which
 * stays for everything else: other methods, chunks, CORS, compression, pages, and all refusals before the body.
 */
export class FastLane {
  constructor(private readonly options: FastLaneOptions) {}

  /** @returns false where the request must go the other way; nothing was done to it then. */
  readonly takes = (request: IncomingMessage, response: ServerResponse): boolean => {
    const { method, url, headers } = request;
    const length = Number(headers['content-length']);
    const { maxBodyBytes, hasPath, keepsOut } = this.options;
    if (method !== 'POST' || url === undefined || headers.origin !== undefined) return false;
    if (headers.expect !== undefined || headers['content-encoding'] !== undefined) return false;
    if (!(length >= 1 && length <= maxBodyBytes) || !hasPath(url.slice(1))) return false;
    if (!keepsOut(request)) this.read(url.slice(1), length, request, response);
    return true;
  };

  /** Node sees to it that there are `length` bytes, or that the request ends in an error. */
  private read(path: string, length: number, request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      chunks.push(chunk);
      if (bytes < length) return;
      const [first] = chunks;
      const body = chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks);
      void this.options.answer(path, body, request, response).then((answer) => this.write(answer, response));
    });
    // The client went away or was cut off while it sent; its connection says so to whoever needs to know.
    request.on('error', () => undefined);
  }

  private write(answer: ExchangeAnswer, response: ServerResponse): void {
    const { status, body } = answer;
    if (response.destroyed) {
      if (body instanceof Readable) body.destroy();
      return;
    }
    const headers = answerHeaders(answer, this.options.isClosing());
    if (body !== undefined) headers['content-type'] = 'application/json';
    if (body instanceof Readable) {
      // What breaks off on the way destroys the response, so that no body looks whole.
      pipeline(body, response.writeHead(status, headers), () => undefined);
      return;
    }
    if (body !== undefined) headers['content-length'] = String(body.length);
    response.writeHead(status, headers).end(body);
  }
}
