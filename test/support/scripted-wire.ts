import { STATUS_CODES } from 'node:http';

/** One HTTP request as it came off the socket. */
export interface WireRequest {
  readonly verb: string;
  readonly path: string;
  /** Names in lower case; of a repeated header the last value. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Just enough HTTP/1.1 to read what well-behaved clients send: heads ended by an empty line, bodies by content-length.
 * Node's own parser is not used because the scripted node must also be able to break the rules on the same socket.
 *
 * @example
 * const reader = new WireReader();
 * socket.on('data', (bytes) => reader.push(bytes).forEach(handle));
 */
export class WireReader {
  #pending: Buffer = Buffer.alloc(0);

  /** Requests completed by these bytes, oldest first. Throws on a body that is not announced by content-length. */
  push(bytes: Buffer): WireRequest[] {
    this.#pending = Buffer.concat([this.#pending, bytes]);
    const complete: WireRequest[] = [];
    for (let next = this.#take(); next !== undefined; next = this.#take()) complete.push(next);
    return complete;
  }

  #take(): WireRequest | undefined {
    const headEnd = this.#pending.indexOf('\r\n\r\n');
    if (headEnd < 0) return undefined;
    const [requestLine = '', ...lines] = this.#pending.toString('latin1', 0, headEnd).split('\r\n');
    const headers = Object.fromEntries(lines.map(toHeader));
    if (headers['transfer-encoding'] !== undefined) throw new Error('the scripted node reads no chunked requests');
    const bodyStart = headEnd + 4;
    const bodyEnd = bodyStart + Number(headers['content-length'] ?? 0);
    if (this.#pending.length < bodyEnd) return undefined;
    const body = this.#pending.toString('utf8', bodyStart, bodyEnd);
    this.#pending = this.#pending.subarray(bodyEnd);
    const [verb = '', path = ''] = requestLine.split(' ');
    return { verb, path, headers, body };
  }
}

export type WireHeaders = Readonly<Record<string, string | number>>;

/** Status line, headers and the empty line. Nothing is added: what is not named is not sent. */
export function httpHead(status: number, headers: WireHeaders = {}): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}\r\n${lines.join('')}\r\n`;
}

/** A whole, correct response: `content-type: application/json` unless named, and the right content-length. */
export function httpResponse(status: number, body: string | Uint8Array, headers: WireHeaders = {}): Buffer {
  const bytes = Buffer.from(body);
  const all = { 'content-type': 'application/json', 'content-length': bytes.length, ...headers };
  return Buffer.concat([Buffer.from(httpHead(status, all), 'latin1'), bytes]);
}

function toHeader(line: string): [string, string] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()];
}
