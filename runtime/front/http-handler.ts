import fastifyCompress from '@fastify/compress';
import fastifyCors from '@fastify/cors';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { constants } from 'node:zlib';
import type { HttpConfig } from '../config/schema';
import { refusal, type Refusal } from '../rpc/errors';
import { NULL_ID } from '../rpc/message';
import { Cancellation } from '../util/cancellation';
import type { ClientKeyOf } from './client-key';
import { answerHeaders } from './answer-headers';
import { type ChainService, exchange, type ExchangeAnswer, refusedAnswer, refusing } from './exchange';
import { FastLane } from './fast-lane';
import type { FramingGuard } from './framing';
import { homePage } from './home-page';
import type { InFlightCap } from './in-flight-cap';
import { Underway } from './underway';

export interface HttpFrontOptions {
  readonly http: HttpConfig;
  /** By path without the leading slash: name, chain id, and '' for the default chain. */
  readonly services: ReadonlyMap<string, ChainService>;
  readonly chains: readonly { readonly name: string; readonly chainId: number; readonly path: string }[];
  /** Of the program, for the page. */
  readonly version: string;
  readonly clientKey: ClientKeyOf;
  readonly isReady: () => boolean;
  /** Told of refusals that belong to no chain, and of exceptions. */
  readonly onRefused: (refused: Refusal) => void;
  readonly onError: (error: unknown) => void;
  /** For the access log; the path is ours, without a query. */
  readonly onAnswered?: (path: string, status: number, client: string, ms: number) => void;
}

/** What outlives a configuration. */
export interface SharedByHandlers {
  readonly framing: FramingGuard;
  readonly cap: InFlightCap;
  readonly isClosing: () => boolean;
}

const GZIP_ABOVE_BYTES = 16 * 1024;

/**
 * Serves requests by one configuration, from the wire to `exchange` and back. It listens to no port: the front hands it
 * requests, and the next configuration makes another one, so that each request ends by the rules it began with.
 */
export class HttpHandler {
  private readonly app: FastifyInstance;
  private readonly lane: FastLane | undefined;
  private readonly underway = new Underway();

  private constructor(
    private readonly options: HttpFrontOptions,
    private readonly shared: SharedByHandlers,
  ) {
    const { http } = options;
    this.app = fastify({
      logger: false,
      bodyLimit: http.maxBodyBytes,
      exposeHeadRoutes: false,
      routerOptions: { ignoreTrailingSlash: true },
      frameworkErrors: (_error, _request, reply) =>
        void this.refuse(reply, refusal('UNKNOWN_PATH', 'the path is malformed')),
    });
    // CORS and compression change every answer, so there is one way for all then.
    this.lane = http.gzip || http.cors.origins.length > 0 ? undefined : this.createLane();
  }

  static async create(options: HttpFrontOptions, shared: SharedByHandlers): Promise<HttpHandler> {
    const handler = new HttpHandler(options, shared);
    await handler.register();
    await handler.app.ready();
    return handler;
  }

  serve(request: IncomingMessage, response: ServerResponse): void {
    this.underway.add(request, response);
    if (this.lane?.takes(request, response) !== true) this.app.routing(request, response);
  }

  /** Resolves when no request is under way here; to be asked when none is handed in any more. */
  idle(): Promise<void> {
    return this.underway.empty();
  }

  private async register(): Promise<void> {
    const { app } = this;
    const { http, chains, version, isReady, onError } = this.options;
    const { origins, maxAgeSeconds } = http.cors;
    app.addHook('onRequest', (request, reply, done) => {
      if (this.shared.framing.keepsOut(request.raw)) {
        reply.hijack();
      } else if (!mayPass(request)) {
        // Fastify looks for a body in some of them first, and finds fault with that.
        this.refuseMethod(reply);
      } else if ((request.headers['content-encoding'] ?? 'identity').toLowerCase() !== 'identity') {
        this.refuse(reply, refusal('ENCODED', 'the body must come without a Content-Encoding'));
      } else {
        // Whatever it says, a body is bytes: many clients send none, or text/plain, or what is no media type.
        request.raw.headers['content-type'] = undefined;
        done();
      }
    });
    if (origins.length > 0) {
      await app.register(fastifyCors, {
        origin: origins.includes('*') ? '*' : [...origins],
        methods: ['POST'],
        maxAge: maxAgeSeconds,
        exposedHeaders: ['retry-after', 'ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset'],
      });
    }
    if (http.gzip) {
      await app.register(fastifyCompress, {
        encodings: ['gzip'],
        globalDecompression: false,
        threshold: GZIP_ABOVE_BYTES,
        zlibOptions: { level: constants.Z_BEST_SPEED },
      });
    }
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
      if (error.statusCode === 413) {
        // Closing while the body still comes would reset the connection, and the client would not read why. The rest is
        // thrown away as it arrives, for as long as a request may take.
        void reply.removeHeader('connection');
        return this.refuse(reply, refusal('TOO_LARGE', `a body may have ${http.maxBodyBytes} bytes`));
      }
      if (error.statusCode !== undefined && error.statusCode < 500) {
        return this.refuse(reply, {
          ...refusal('INVALID_REQUEST', 'the HTTP request is malformed'),
          status: error.statusCode,
        });
      }
      onError(error);
      return this.refuse(reply, refusal('INTERNAL'));
    });
    app.setNotFoundHandler((request, reply) => {
      if (request.method === 'POST') return this.refuse(reply, refusal('UNKNOWN_PATH', 'no chain has this path'));
      return this.refuseMethod(reply);
    });
    const page = homePage(chains, version);
    app.get('/', (_request, reply) => reply.type('text/html; charset=utf-8').send(page));
    app.get('/readyz', (_request, reply) =>
      reply.code(isReady() ? 200 : 503).send(isReady() ? 'ready\n' : 'not ready\n'),
    );
    app.post('/*', (request, reply) => this.post(request, reply));
  }

  private async post(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const path = (request.params as { '*': string })['*'];
    const body = (request.body as Buffer | undefined) ?? EMPTY;
    return this.send(reply, await this.answer(path, body, request.raw, reply.raw));
  }

  /** What both ways have in common: who calls, how much they have in flight, and what happens when they leave. */
  private async answer(
    path: string,
    body: Buffer,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<ExchangeAnswer> {
    const { services, clientKey, http, onAnswered, onError, onRefused } = this.options;
    const service = services.get(path);
    const client = clientKey(request.socket.remoteAddress ?? '', request.headers['x-forwarded-for']);
    if (service === undefined) {
      const refused = refusal('UNKNOWN_PATH', 'no chain has this path');
      onRefused(refused);
      return refusedAnswer(refused, NULL_ID);
    }
    const entered = this.shared.cap.tryEnter(client.key);
    const startedAt = performance.now();
    const left = new Cancellation();
    response.once('close', () => {
      if (entered) this.shared.cap.leave(client.key);
      if (!response.writableFinished) left.cancel();
      onAnswered?.(`/${path}`, response.statusCode, client.key, performance.now() - startedAt);
    });
    try {
      return await exchange(body, client, left, entered ? service : this.full(service), http);
    } catch (error) {
      onError(error);
      return refusedAnswer(refusal('INTERNAL'), NULL_ID);
    }
  }

  /** The chain for a client that has as much in flight as it may. */
  private full(service: ChainService): ChainService {
    const detail = `${this.options.http.maxInFlightPerClient} requests of this client are in flight`;
    return refusing(service, refusal('LIMITED', detail, 1000));
  }

  private createLane(): FastLane {
    const { http, services } = this.options;
    return new FastLane({
      maxBodyBytes: http.maxBodyBytes,
      hasPath: (path) => services.has(path),
      keepsOut: (request) => this.shared.framing.keepsOut(request),
      answer: (path, body, request, response) => this.answer(path, body, request, response),
      isClosing: this.shared.isClosing,
    });
  }

  private refuse(reply: FastifyReply, refused: Refusal): FastifyReply {
    this.options.onRefused(refused);
    return this.send(reply, refusedAnswer(refused, NULL_ID));
  }

  private refuseMethod(reply: FastifyReply): FastifyReply {
    void reply.header('allow', 'POST');
    return this.refuse(reply, refusal('METHOD_NOT_ALLOWED', 'JSON-RPC requests are sent by POST'));
  }

  private send(reply: FastifyReply, answer: ExchangeAnswer): FastifyReply {
    const { status, body } = answer;
    void reply.code(status).headers(answerHeaders(answer, this.shared.isClosing()));
    return body === undefined ? reply.send() : reply.type('application/json').send(body);
  }
}

const EMPTY = Buffer.alloc(0);

/** Whether the method has a route here, besides the paths that want POST alone. */
function mayPass({ method, headers }: FastifyRequest): boolean {
  if (method === 'POST' || method === 'GET' || method === 'HEAD') return true;
  // A browser asking whether it may (Fetch, 4.8); any other OPTIONS is just not a POST.
  return method === 'OPTIONS' && headers.origin !== undefined && headers['access-control-request-method'] !== undefined;
}
