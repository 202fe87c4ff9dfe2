import { type ConnectionEnd, RawClient } from '../support/load-raw-client';

/** One HTTP answer as it came off the wire, and how the connection stood afterwards. */
export interface RawAnswer {
  /** 0 when there was none. */
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** One character a byte, chunks joined. */
  readonly body: string;
  /** False where the connection ended before the body did. */
  readonly whole: boolean;
  readonly end: ConnectionEnd;
}

/**
 * Sends these bytes on a connection of their own and reads one answer.
 *
 * @example
 * const answer = await askRaw(proxy.url, rawPost('{}', { 'content-type': ';;;' }));
 * expect(answer.status).toBe(200);
 */
export async function askRaw(url: string, bytes: string | Uint8Array): Promise<RawAnswer> {
  const client = new RawClient(url);
  client.send(bytes);
  try {
    await client.until((received, end) => end !== 'open' || parseAnswer(received, end).whole);
    return parseAnswer(client.received, client.end);
  } finally {
    client.close();
  }
}

/** The bytes of a POST with a correct length. */
export function rawPost(body: string | Uint8Array, headers: Readonly<Record<string, string>> = {}, path = '/'): Buffer {
  const bytes = Buffer.from(body);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `POST ${path} HTTP/1.1\r\nhost: test\r\n${lines.join('')}content-length: ${bytes.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head, 'latin1'), bytes]);
}

export function parseAnswer(received: string, end: ConnectionEnd): RawAnswer {
  const headEnd = received.indexOf('\r\n\r\n');
  if (headEnd < 0) return { status: 0, headers: {}, body: '', whole: false, end };
  const [statusLine = '', ...lines] = received.slice(0, headEnd).split('\r\n');
  const headers = Object.fromEntries(lines.map(toHeader));
  const rest = received.slice(headEnd + 4);
  const status = Number(statusLine.split(' ')[1]);
  if (headers['transfer-encoding'] === 'chunked') return { status, headers, end, ...dechunk(rest) };
  const length = status === 204 ? 0 : Number(headers['content-length'] ?? 0);
  return { status, headers, body: rest.slice(0, length), whole: rest.length >= length, end };
}

function toHeader(line: string): [string, string] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()];
}

function dechunk(text: string): { body: string; whole: boolean } {
  const parts: string[] = [];
  for (let at = 0; ;) {
    const lineEnd = text.indexOf('\r\n', at);
    const size = parseInt(text.slice(at, lineEnd), 16);
    const start = lineEnd + 2;
    if (lineEnd < 0 || text.length < start + size + 2)
      return { body: parts.join('') + text.slice(start), whole: false };
    if (size === 0) return { body: parts.join(''), whole: true };
    parts.push(text.slice(start, start + size));
    at = start + size + 2;
  }
}
