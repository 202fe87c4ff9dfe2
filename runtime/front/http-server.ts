import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import type { HttpConfig } from '../config/schema';
import { refusal, type Refusal } from '../rpc/errors';
import { brokenRequest, endBroken } from './broken-request';

export interface HttpServerOptions {
  readonly http: HttpConfig;
  /** The longest that an answer may be waited for. */
  readonly deadlineMs: number;
  /** Told of what never became a request; it is answered already. */
  readonly onBroken: (refused: Refusal) => void;
  readonly onMalformedPath: (reply: FastifyReply) => void;
  /** Serves what it can without the framework. */
  readonly lane: { takes: (request: IncomingMessage, response: ServerResponse) => boolean } | undefined;
}

/** Fastify with our bounds in time and size, and JSON-RPC bodies for what does not get as far as a route. */
export function createHttpServer({
  http,
  deadlineMs,
  onBroken,
  onMalformedPath,
  lane,
}: HttpServerOptions): FastifyInstance {
  const app = fastify({
    logger: false,
    bodyLimit: http.maxBodyBytes,
    requestTimeout: http.requestTimeoutMs,
    keepAliveTimeout: http.keepAliveTimeoutMs,
    // A peer that neither sends nor reads, for longer than any request may take, holds buffers for nobody.
    connectionTimeout: deadlineMs + http.requestTimeoutMs,
    // What comes on a kept connection while we drain is still served, with `Connection: close`.
    return503OnClosing: false,
    exposeHeadRoutes: false,
    routerOptions: { ignoreTrailingSlash: true },
    frameworkErrors: (_error, _request, reply) => onMalformedPath(reply),
    clientErrorHandler: (error: Error & { code?: string }, socket) => {
      if (error.code === 'ECONNRESET' || socket.destroyed) return;
      const refused = brokenRequest(error.code ?? '');
      onBroken(refused);
      endBroken(socket, refused);
    },
    http: {
      headersTimeout: http.headersTimeoutMs,
      connectionsCheckingInterval: 1000,
      maxHeaderSize: 16 * 1024,
      // It is required by `FramingGuard`, whose refusal has a body.
      requireHostHeader: false,
    },
  });
  const { server } = app;
  if (lane) takeFirst(server, lane.takes);
  server.maxConnections = http.maxConnections;
  // A tunnel is not what this is; Node would cut the connection without a word.
  server.on('connect', (_request, socket: Socket) => {
    const refused = refusal('METHOD_NOT_ALLOWED', 'JSON-RPC requests are sent by POST');
    onBroken(refused);
    endBroken(socket, refused);
  });
  // Expectations we do not know are ignored, as RFC 9110, 10.1.1 allows; Node would answer without a body.
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
  return app;
}

/** Puts a listener before those that are there, which then see only what it leaves. */
function takeFirst(server: Server, takes: (request: IncomingMessage, response: ServerResponse) => boolean): void {
  const others = server.listeners('request') as RequestListener[];
  server.removeAllListeners('request');
  server.on('request', (request, response) => {
    if (takes(request, response)) return;
    for (const listener of others) listener.call(server, request, response);
  });
}
