import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { refusal, type Refusal } from '../rpc/errors';
import { endBroken } from './broken-request';

/** Keeps out requests of which two readers may think differently, and all that comes behind them. */
export class FramingGuard {
  private readonly ended = new WeakSet<Socket>();

  constructor(private readonly onRefused: (refused: Refusal) => void) {}

  /** @returns whether the request is kept out; then its connection is ended already. */
  keepsOut(request: IncomingMessage): boolean {
    // What comes behind such a request on its connection may be a part of it.
    if (this.ended.has(request.socket)) return true;
    const problem = framingProblem(request);
    if (problem === undefined) return false;
    this.ended.add(request.socket);
    const refused = { ...refusal('INVALID_REQUEST', problem), status: 400 };
    this.onRefused(refused);
    endBroken(request.socket, refused);
    return true;
  }
}

/**
 * What Node's parser lets through although two readers of the same bytes may differ on where a request ends or whom it
 * is for (RFC 9112, 3.2 and 6.1); undefined where nothing is ambiguous. Two lengths, a length besides chunks, bare line
 * feeds and folded lines are refused by the parser itself.
 */
export function framingProblem(request: IncomingMessage): string | undefined {
  const coding = request.headers['transfer-encoding'];
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') return 'the transfer coding must be chunked';
  if (coding !== undefined && request.httpVersion === '1.0') return 'HTTP/1.0 has no transfer codings';
  const hosts = countHosts(request.rawHeaders);
  if (hosts > 1 || (hosts === 0 && request.httpVersion !== '1.0')) return 'there must be one Host header';
  const target = request.url ?? '';
  const authority = /^https?:\/\/([^/?#]*)/i.exec(target)?.[1];
  const named = request.headers.host;
  if (authority !== undefined && authority.toLowerCase() !== named?.toLowerCase()) {
    return 'the request line and the Host header name different hosts';
  }
  return undefined;
}

/** `headers` holds the first of several. */
function countHosts(rawHeaders: readonly string[]): number {
  let count = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) if (rawHeaders[i]?.toLowerCase() === 'host') count++;
  return count;
}
