import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type WebSocket, WebSocketServer } from 'ws';

/** What EDR answers: a result or an error, without an envelope. */
export interface EdrResponse {
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
}

type Envelope = { readonly jsonrpc: '2.0'; readonly id: unknown } & EdrResponse;

/**
 * JSON-RPC over HTTP and WebSocket in hardhat's manner: status 200 for whatever happens, ids echoed as they came and
 * `null` where there was none, the message of an error once more in its data, batches in their order, `[]` for `[]`, and
 * answers to notifications, too.
 */
export class EdrServer {
  readonly http: Server;
  readonly #subscriptions = new Map<unknown, WebSocket>();

  constructor(private readonly handle: (method: string, params: unknown) => Promise<EdrResponse>) {
    this.http = createServer((request, response) => void this.#onRequest(request, response));
    new WebSocketServer({ server: this.http }).on('connection', (socket) => {
      socket.on('message', (data: Buffer) => void this.#onMessage(socket, data.toString()));
      socket.on('close', () => this.#forget(socket));
      socket.on('error', () => undefined);
    });
  }

  /** Sends what a subscription has to tell to who asked for it. */
  notify(subscription: string, result: unknown): void {
    const params = { subscription, result };
    this.#subscriptions.get(subscription)?.send(JSON.stringify({ jsonrpc: '2.0', method: 'eth_subscription', params }));
  }

  async #onRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const answer = JSON.stringify(await this.#answer(Buffer.concat(chunks).toString()));
    response.writeHead(200, { 'content-type': 'application/json' }).end(answer);
  }

  async #onMessage(socket: WebSocket, text: string): Promise<void> {
    const answer = await this.#answer(text, socket);
    socket.send(JSON.stringify(answer));
  }

  async #answer(text: string, socket?: WebSocket): Promise<Envelope | Envelope[]> {
    let message: unknown;
    try {
      message = JSON.parse(text);
    } catch (error) {
      return failure(-32700, `Parse error: ${(error as Error).message}`);
    }
    if (!Array.isArray(message)) return this.#answerOne(message, socket);
    return Promise.all(message.map((one) => this.#answerOne(one, socket)));
  }

  async #answerOne(message: unknown, socket?: WebSocket): Promise<Envelope> {
    const { jsonrpc, id, method, params = [] } = (message ?? {}) as Record<string, unknown>;
    if (jsonrpc !== '2.0' || typeof method !== 'string') return failure(-32600, 'Invalid request');
    const { result, error } = await this.handle(method, params);
    if (error !== undefined) return { ...failure(error.code, error.message, error.data), id: id ?? null };
    if (method === 'eth_subscribe' && socket !== undefined) this.#subscriptions.set(result, socket);
    return { jsonrpc: '2.0', id: id ?? null, result };
  }

  #forget(gone: WebSocket): void {
    for (const [subscription, socket] of this.#subscriptions) {
      if (socket !== gone) continue;
      this.#subscriptions.delete(subscription);
      void this.handle('eth_unsubscribe', [subscription]);
    }
  }
}

function failure(code: number, message: string, data?: unknown): Envelope {
  const whole = data === undefined || data === null ? { message } : { message, data };
  return { jsonrpc: '2.0', id: null, error: { code, message, data: whole } };
}
