import type { IncomingMessage } from 'node:http';
import type { LookupFunction, Socket } from 'node:net';
import WebSocket from 'ws';
import { basicAuthorization } from './authorization';
import { createConnector } from './connect';
import { NodeError, type NodeErrorCode } from './errors';
import { parseRetryAfter } from './retry-after';

export interface SocketDialerOptions {
  /** The node's name, for messages. */
  readonly node: string;
  /** ws or wss; userinfo becomes an Authorization header. It is never told on. */
  readonly url: string;
  /** For the TCP handshake, in milliseconds, read for each; TLS gets four times as much again. */
  readonly connectTimeoutMs: number;
  /** From the first packet to the end of the upgrade, in milliseconds. */
  readonly openTimeoutMs: number;
  /** A longer message ends the connection. */
  readonly maxMessageBytes: number;
  /** @default the system's */
  readonly lookup?: LookupFunction | undefined;
}

/**
 * Opens WebSockets to one node, by the rules that hold for HTTP (see connect.ts): redirects are not followed, metadata
 * addresses are refused, certificates are verified.
 */
export class SocketDialer {
  private readonly connect;
  private readonly headers: Record<string, string> = {};
  /** Without userinfo, which `ws` would send undecoded, and without a fragment, which it would throw at. */
  private readonly target: URL;

  constructor(private readonly options: SocketDialerOptions) {
    const { node, url, lookup } = options;
    this.target = new URL(url);
    const authorization = basicAuthorization(this.target);
    if (authorization !== undefined) this.headers['authorization'] = authorization;
    this.target.username = this.target.password = this.target.hash = '';
    this.connect = createConnector({
      node,
      get timeoutMs() {
        return options.connectTimeoutMs;
      },
      ...(lookup && { lookup }),
    });
  }

  /**
   * @param adopt called in the moment it is open, so that no message is missed; sees to errors from then on
   * @returns what `adopt` made of it
   * @throws NodeError
   */
  open<T>(signal: AbortSignal, adopt: (socket: WebSocket) => T): Promise<T> {
    const { node, openTimeoutMs, maxMessageBytes } = this.options;
    return new Promise((resolve, reject) => {
      let dialling: Socket | undefined;
      const socket = new WebSocket(this.target, {
        headers: this.headers,
        maxPayload: maxMessageBytes,
        perMessageDeflate: false,
        createConnection: this.dialWith((begun) => (dialling = begun)),
      });
      const settle = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', stop);
        socket.removeAllListeners();
      };
      const fail = (error: NodeError): void => {
        settle();
        // Giving it up makes it tell of that once more.
        socket.on('error', () => undefined).terminate();
        dialling?.destroy();
        reject(error);
      };
      const stop = (): void => fail(new NodeError('CALLER_LEFT', `the WebSocket to ${node} is not wanted any more`));
      const timer = setTimeout(
        () => fail(new NodeError('CONNECT_TIMEOUT', `${node} opened no WebSocket within ${openTimeoutMs} ms`)),
        openTimeoutMs,
      );
      signal.addEventListener('abort', stop);
      socket.on('unexpected-response', (_, response) => fail(refusal(node, response)));
      socket.on('error', (cause) => fail(toNodeError(node, cause)));
      socket.on('open', () => {
        settle();
        resolve(adopt(socket));
      });
      if (signal.aborted) stop();
    });
  }

  /** Our own way to connect, in the shape Node's http client takes one that tells of its socket later. */
  private dialWith(onBegin: (socket: Socket | undefined) => void): CreateConnection {
    const { hostname, protocol, port } = this.target;
    const target = { hostname, protocol: protocol === 'wss:' ? 'https:' : 'http:', port };
    const dial = (_: unknown, done: (error: Error | null, socket?: Socket) => void): undefined => {
      onBegin(this.connect(target, (...[error, socket]) => (error === null ? done(null, socket) : done(error))));
    };
    return dial as unknown as CreateConnection;
  }
}

type CreateConnection = NonNullable<WebSocket.ClientOptions['createConnection']>;

const REFUSALS: readonly (readonly [from: number, to: number, code: NodeErrorCode])[] = [
  [300, 399, 'REDIRECT'],
  [401, 401, 'UNAUTHORIZED'],
  [403, 403, 'UNAUTHORIZED'],
  [429, 429, 'RATE_LIMITED'],
  [500, 599, 'SERVER_ERROR'],
];

function refusal(node: string, { statusCode: status = 0, headers }: IncomingMessage): NodeError {
  const code = REFUSALS.find(([from, to]) => status >= from && status <= to)?.[2] ?? 'BAD_RESPONSE';
  const retryAfterMs = parseRetryAfter(headers['retry-after']);
  const told = retryAfterMs === undefined ? { status } : { status, retryAfterMs };
  return new NodeError(code, `${node} answered ${status} and no WebSocket`, told);
}

function toNodeError(node: string, cause: Error): NodeError {
  if (cause instanceof NodeError) return cause;
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : 'no WebSocket';
  return code === 'ECONNRESET'
    ? new NodeError('RESET', `${node} closed the connection before its WebSocket was open`, { cause })
    : new NodeError('BAD_RESPONSE', `${node} opened no WebSocket (${code})`, { cause });
}
