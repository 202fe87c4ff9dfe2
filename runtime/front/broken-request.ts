import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { errorEnvelope } from '../rpc/envelope';
import { errorObject, refusal, type Refusal } from '../rpc/errors';
import { NULL_ID } from '../rpc/message';

/** Statuses by the parser's error code (RFC 9110, 15.5; RFC 6585); everything else is 400. */
const STATUSES: Readonly<Record<string, { readonly status: number; readonly detail: string }>> = {
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, detail: 'the HTTP request took too long' },
  HPE_HEADER_OVERFLOW: { status: 431, detail: 'the HTTP headers are too large' },
};
const MALFORMED = { status: 400, detail: 'the HTTP request is malformed' };

/** What a request that never became one is refused with. @param code of the parser's error */
export function brokenRequest(code: string): Refusal {
  const { status, detail } = STATUSES[code] ?? MALFORMED;
  return { ...refusal('INVALID_REQUEST', detail), status };
}

/** What Node keeps of the answer that is under way on a connection, if there is one. */
interface Answering {
  readonly _httpMessage?: ServerResponse | null;
}

/**
 * Tells it to whoever still listens, and ends the connection: where the next request begins is not known. Behind a
 * whole request whose answer is on its way it only ends: nothing may be taken for that answer, or get between its bytes.
 */
export function endBroken(socket: Socket & Answering, refused: Refusal): void {
  const answer = socket._httpMessage ?? undefined;
  if (!socket.writable || (answer && (answer.headersSent || answer.req.complete))) {
    socket.destroy();
    return;
  }
  const body = errorEnvelope(NULL_ID, errorObject(refused));
  const head = `HTTP/1.1 ${refused.status} ${STATUS_CODES[refused.status] ?? ''}\r\nconnection: close\r\n`;
  // RFC 9110, 15.5.6
  const allow = refused.reason === 'METHOD_NOT_ALLOWED' ? 'allow: POST\r\n' : '';
  socket.write(`${head}${allow}content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`);
  socket.end(body, () => socket.destroy());
}
