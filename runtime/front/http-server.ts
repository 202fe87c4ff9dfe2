import { createServer, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { HttpConfig } from '../config/schema';
import { refusal, type Refusal } from '../rpc/errors';
import { brokenRequest, endBroken } from './broken-request';

export interface HttpServerOptions {
  readonly onRequest: RequestListener;
  /** Told of what never became a request; it is answered already. */
  readonly onBroken: (refused: Refusal) => void;
}

/** Node's server with our bounds, and JSON-RPC bodies for what does not get as far as a request. */
export function createHttpServer({ onRequest, onBroken }: HttpServerOptions): Server {
  const server = createServer(
    {
      connectionsCheckingInterval: 1000,
      maxHeaderSize: 16 * 1024,
      // It is required by `FramingGuard`, whose refusal has a body.
      requireHostHeader: false,
    },
    onRequest,
  );
  server.on('clientError', (error: Error & { code?: string }, socket: Socket) => {
    if (error.code === 'ECONNRESET' || socket.destroyed) return;
    const refused = brokenRequest(error.code ?? '');
    onBroken(refused);
    endBroken(socket, refused);
  });
  // A tunnel is not what this is; Node would cut the connection without a word.
  server.on('connect', (_request, socket: Socket) => {
    const refused = refusal('METHOD_NOT_ALLOWED', 'JSON-RPC requests are sent by POST');
    onBroken(refused);
    endBroken(socket, refused);
  });
  // Expectations we do not know are ignored, as RFC 9110, 10.1.1 allows; Node would answer without a body.
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
  return server;
}

/**
 * Bounds in time and number, also for connections that are open: they come under them with their next request.
 *
 * @param deadlineMs the longest that an answer may be waited for
 */
export function setBounds(server: Server, http: HttpConfig, deadlineMs: number): void {
  server.headersTimeout = http.headersTimeoutMs;
  server.requestTimeout = http.requestTimeoutMs;
  server.keepAliveTimeout = http.keepAliveTimeoutMs;
  // A peer that neither sends nor reads, for longer than any request may take, holds buffers for nobody.
  server.timeout = deadlineMs + http.requestTimeoutMs;
  server.maxConnections = http.maxConnections;
}
