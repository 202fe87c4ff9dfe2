import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { ScriptedListener } from './scripted-listener';
import { httpHead, type WireHeaders } from './scripted-wire';

export interface SocketRequest {
  readonly id: number;
  readonly method: string;
  readonly params: unknown;
}

/** Text to send in answer to a request; undefined for the ordinary one, null for none. */
export type SocketScript = (request: SocketRequest, connection: number) => string | null | undefined;

/**
 * The WebSocket side of a node, on a port of its own, that does as it is told.
 *
 * @example
 * const socket = await ScriptedSocket.start({ chainId: 1337 });
 * await socket.subscribed();                     // somebody listens to newHeads
 * socket.tell(node.chain.block(101));            // a new block, to all who listen
 * socket.say('{"jsonrpc":');                     // any text;  socket.write(Buffer.of(0xff)): any bytes, no frame
 * socket.silent = true;                          // no answers, no pongs, connections stay
 * socket.upgrade = { status: 403 };              // instead of a WebSocket, from the next connection on
 * socket.drop(1011);                             // closes all with that code; without one it resets them
 * await socket.refuse();                         // killed;  await socket.accept() brings it back on the same port
 * await socket.close();
 */
export class ScriptedSocket {
  chainId: number;
  silent = false;
  upgrade: { readonly status: number; readonly headers?: WireHeaders } | undefined;
  script: SocketScript = () => undefined;
  /** Of all connections, oldest first. */
  readonly requests: SocketRequest[] = [];
  /** Headers and paths of the upgrades asked for. */
  readonly upgrades: { readonly path: string; readonly headers: IncomingHttpHeaders }[] = [];
  readonly #http: Server = createServer();
  readonly #listener = new ScriptedListener((socket) => this.#http.emit('connection', socket));
  readonly #sockets = new WebSocketServer({ noServer: true, autoPong: false });
  readonly #subscribers = new Map<WebSocket, string>();
  #connections = 0;

  static async start({ chainId = 1337, port = 0 } = {}): Promise<ScriptedSocket> {
    const socket = new ScriptedSocket(chainId);
    await socket.#listener.listen(port);
    return socket;
  }

  private constructor(chainId: number) {
    this.chainId = chainId;
    this.#http.on('upgrade', (request, stream, head) => {
      this.upgrades.push({ path: request.url ?? '', headers: request.headers });
      if (this.upgrade === undefined) {
        this.#sockets.handleUpgrade(request, stream, head, (socket) => this.#serve(socket, ++this.#connections));
      } else {
        refuse(stream, this.upgrade.status, this.upgrade.headers);
      }
    });
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}`;
  }

  get port(): number {
    return this.#listener.port;
  }

  /** WebSockets opened since the start, TCP connections open now, and those listening to newHeads now. */
  get counts(): { readonly opened: number; readonly open: number; readonly listening: number } {
    return { opened: this.#connections, open: this.#listener.connections.open, listening: this.#subscribers.size };
  }

  /** Tells all who listen of a header. */
  tell(header: unknown): void {
    for (const [socket, subscription] of this.#subscribers) socket.send(told(subscription, header));
  }

  /** A text, or a binary message, to all. */
  say(message: string | Uint8Array): void {
    for (const socket of this.#sockets.clients) socket.send(message);
  }

  /** Bytes on the connections themselves, which need not be frames. */
  write(bytes: Uint8Array): void {
    for (const { _socket } of this.#sockets.clients as Iterable<WebSocket & { _socket?: Duplex }>)
      _socket?.write(bytes);
  }

  drop(code?: number): void {
    for (const socket of this.#sockets.clients) {
      if (code === undefined) socket.terminate();
      else socket.close(code);
    }
  }

  /** As a killed process: connections refused, the open ones reset. */
  refuse(): Promise<void> {
    return this.#listener.stop();
  }

  accept(): Promise<void> {
    return this.#listener.listen();
  }

  close(): Promise<void> {
    return this.#listener.stop();
  }

  #serve(socket: WebSocket, connection: number): void {
    // What the other side does to the connection is its own affair.
    socket.on('error', () => undefined);
    socket.on('close', () => this.#subscribers.delete(socket));
    socket.on('ping', (data: Buffer) => this.silent || socket.pong(data));
    socket.on('message', (data: Buffer) => {
      if (this.silent) return;
      const request = JSON.parse(data.toString('utf8')) as SocketRequest;
      this.requests.push(request);
      const scripted = this.script(request, connection);
      if (scripted === null) return;
      socket.send(scripted ?? this.#answer(request, socket, connection));
    });
  }

  #answer({ id, method, params }: SocketRequest, socket: WebSocket, connection: number): string {
    if (method === 'eth_chainId') return answer(id, `0x${this.chainId.toString(16)}`);
    if (method !== 'eth_subscribe' || !Array.isArray(params) || params[0] !== 'newHeads') return refused(id, -32601);
    const subscription = `0x${connection}`;
    this.#subscribers.set(socket, subscription);
    return answer(id, subscription);
  }
}

export function answer(id: number, result: unknown): string {
  return JSON.stringify({ jsonrpc: '2.0', id, result });
}

export function refused(id: number, code: number): string {
  return JSON.stringify({ jsonrpc: '2.0', id, error: { code, message: 'refused' } });
}

export function told(subscription: unknown, result: unknown): string {
  return JSON.stringify({ jsonrpc: '2.0', method: 'eth_subscription', params: { subscription, result } });
}

function refuse(stream: Duplex, status: number, headers: WireHeaders = {}): void {
  stream.end(httpHead(status, { ...headers, 'content-length': 0, connection: 'close' }));
}
