import { type Server as HttpServer } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';

/** How long connections stay open once drain began, so that busy clients read `Connection: close` and go by themselves. */
const GOODBYE_MS = 1000;
const POLL_MS = 20;

/** The open client connections of one HTTP server: bounded per untrusted peer, and closed politely. */
export class Connections {
  private readonly open = new Map<Socket, string>();
  private readonly perPeer = new Map<string, number>();

  /**
   * @param most connections per untrusted peer; 0 is no bound
   * @param toKey the identity of a peer's address, or undefined for a trusted proxy, which speaks for many
   */
  constructor(
    private readonly server: HttpServer,
    most: number,
    toKey: (address: string) => string | undefined,
  ) {
    server.on('connection', (socket) => {
      const key = most === 0 ? undefined : toKey(socket.remoteAddress ?? '');
      if (key !== undefined) {
        const count = this.perPeer.get(key) ?? 0;
        if (count >= most) {
          socket.destroy();
          return;
        }
        this.perPeer.set(key, count + 1);
      }
      this.open.set(socket, key ?? '');
      socket.once('close', () => this.forget(socket, key));
    });
  }

  get size(): number {
    return this.open.size;
  }

  /**
   * Takes no new connections, and closes those there are once nothing is on them. A connection that looks idle may have
   * a request in its buffers, so idle ones are given time to be used once more before they are closed.
   *
   * @returns false when some were still busy at the end of the time, and have been cut.
   */
  async drain(timeoutMs: number): Promise<boolean> {
    // http.Server.close() would cut idle connections at once.
    NetServer.prototype.close.call(this.server);
    const startedAt = performance.now();
    while (this.open.size > 0) {
      const elapsed = performance.now() - startedAt;
      if (elapsed >= timeoutMs) break;
      if (elapsed >= GOODBYE_MS) this.server.closeIdleConnections();
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    const clean = this.open.size === 0;
    this.server.closeAllConnections();
    return clean;
  }

  private forget(socket: Socket, key: string | undefined): void {
    this.open.delete(socket);
    if (key === undefined) return;
    const count = this.perPeer.get(key) ?? 0;
    if (count <= 1) this.perPeer.delete(key);
    else this.perPeer.set(key, count - 1);
  }
}
