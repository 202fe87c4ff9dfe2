import type { Server } from 'node:http';
import type { Server as NetServer } from 'node:net';
import { Connections, type ConnectionBounds } from './connections';
import { FramingGuard } from './framing';
import { type HttpFrontOptions, HttpHandler, type SharedByHandlers } from './http-handler';
import { createHttpServer, setBounds } from './http-server';
import { InFlightCap } from './in-flight-cap';
import { listen } from './listen';

export type { HttpFrontOptions } from './http-handler';

/**
 * The HTTP side (RFC 9110, RFC 9112; JSON-RPC 2.0 over HTTP). The server, its connections and what is counted of them are
 * here and stay; what a configuration says is a handler's, and another configuration is another handler:
 *
 *     connections ─▶ server ─▶ handler ─▶ exchange
 *                               └─ the one before: until its requests are answered
 */
export class HttpFront {
  private readonly server: Server;
  private readonly connections: Connections;
  private readonly cap: InFlightCap;
  private readonly shared: SharedByHandlers;
  private handler!: HttpHandler;
  /** Handlers with requests under way that began before the present one. */
  private readonly leaving = new Set<HttpHandler>();
  private alsoAt: NetServer[] = [];
  private draining = false;

  private constructor(private options: HttpFrontOptions) {
    this.cap = new InFlightCap(options.http.maxInFlightPerClient);
    this.shared = {
      framing: new FramingGuard((refused) => this.options.onRefused(refused)),
      cap: this.cap,
      isClosing: () => this.draining,
    };
    this.server = createHttpServer({
      onRequest: (request, response) => this.handler.serve(request, response),
      onBroken: (refused) => this.options.onRefused(refused),
    });
    this.connections = new Connections(this.server, boundsOf(options));
  }

  static async create(options: HttpFrontOptions): Promise<HttpFront> {
    const front = new HttpFront(options);
    await front.apply(options);
    return front;
  }

  /** Serves what comes from now on by these options. */
  async apply(options: HttpFrontOptions): Promise<void> {
    const { http, services } = options;
    const next = await HttpHandler.create(options, this.shared);
    const before = this.handler as HttpHandler | undefined;
    this.handler = next;
    this.options = options;
    this.cap.most = http.maxInFlightPerClient;
    this.connections.apply(boundsOf(options));
    setBounds(this.server, http, Math.max(0, ...Array.from(services.values(), ({ deadlineMs }) => deadlineMs)));
    if (before === undefined) return;
    this.leaving.add(before);
    void before.idle().then(() => this.leaving.delete(before));
  }

  /** Resolves when every request that came before the last `apply` is answered. */
  async settled(): Promise<void> {
    await Promise.all(Array.from(this.leaving, (handler) => handler.idle()));
  }

  /** @returns the port, which the system chose where 0 was asked for. */
  async listen(host: string, port: number): Promise<number> {
    const listening = await listen(this.server, host, port);
    this.alsoAt = listening.also;
    return listening.port;
  }

  get openConnections(): number {
    return this.connections.size;
  }

  /** From now on every answer asks its client to close the connection. */
  announceClose(): void {
    this.draining = true;
  }

  /** @returns whether everything in flight was finished within the time. */
  async close(timeoutMs: number): Promise<boolean> {
    this.draining = true;
    const clean = await this.connections.drain(timeoutMs, this.alsoAt);
    // It has stopped listening; this ends its timer.
    this.server.close(() => undefined);
    return clean;
  }
}

function boundsOf({ http, clientKey }: HttpFrontOptions): ConnectionBounds {
  return {
    most: http.maxConnectionsPerClient,
    toKey: (address) => {
      const client = clientKey(address, undefined);
      return client.trustedPeer ? undefined : client.key;
    },
  };
}
