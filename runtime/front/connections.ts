import { type Server as HttpServer } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';

/** How long connections stay open once drain began, so that busy clients read `Connection: close` and go by themselves. */
const GOODBYE_MS = 1000;
const POLL_MS = 20;
/** Turns of the event loop without a new connection after which none waits to be accepted; a turn accepts one. */
const QUIET_TURNS = 3;
/** Where new ones never cease, the rest is reset. */
const MAX_TURNS = 1000;

export interface ConnectionBounds {
  /** Connections per untrusted peer; 0 is no bound. */
  readonly most: number;
  /** The identity of a peer's address, or undefined for a trusted proxy, which speaks for many. */
  readonly toKey: (address: string) => string | undefined;
}

/** The open client connections of one HTTP server: bounded per untrusted peer, and closed politely. */
export class Connections {
  private readonly open = new Map<Socket, string>();
  private accepted = 0;
  private readonly perPeer = new Map<string, number>();

  constructor(
    private readonly server: HttpServer,
    private bounds: ConnectionBounds,
  ) {
    server.on('connection', (socket) => {
      this.accepted++;
      const { most, toKey } = this.bounds;
      const key = toKey(socket.remoteAddress ?? '');
      if (key !== undefined) {
        const count = this.perPeer.get(key) ?? 0;
        if (most > 0 && count >= most) {
          socket.destroy();
          return;
        }
        this.perPeer.set(key, count + 1);
      }
      this.open.set(socket, key ?? '');
      socket.once('close', () => this.forget(socket, key));
    });
  }

  /** For connections made from now on; those there are stay, and are counted. */
  apply(bounds: ConnectionBounds): void {
    this.bounds = bounds;
  }

  get size(): number {
    return this.open.size;
  }

  /**
   * Takes no new connections, and closes those there are once nothing is on them. A connection that looks idle may have
   * a request in its buffers, so idle ones are given time to be used once more before they are closed.
   *
   * @param also what else hands connections to the server
   * @returns false when some were still busy at the end of the time, and have been cut.
   */
  async drain(timeoutMs: number, also: readonly NetServer[] = []): Promise<boolean> {
    await this.emptyBacklog();
    // http.Server.close() would cut idle connections at once.
    NetServer.prototype.close.call(this.server);
    for (const other of also) other.close();
    const startedAt = performance.now();
    while (this.open.size > 0) {
      const elapsed = performance.now() - startedAt;
      if (elapsed >= timeoutMs) break;
      if (elapsed >= GOODBYE_MS) this.closeIdle();
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    const clean = this.open.size === 0;
    this.server.closeAllConnections();
    return clean;
  }

  /**
   * Connections the kernel made and we did not accept yet are reset with the listener, with what was sent on them; and
   * many come just now, as clients are told to close theirs.
   */
  private async emptyBacklog(): Promise<void> {
    let before = this.accepted;
    for (let turn = 0, quiet = 0; quiet < QUIET_TURNS && turn < MAX_TURNS; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
      quiet = this.accepted === before ? quiet + 1 : 0;
      before = this.accepted;
    }
  }

  /** Node does not call a connection idle on which nothing was ever sent. */
  private closeIdle(): void {
    this.server.closeIdleConnections();
    for (const socket of this.open.keys()) if (socket.bytesRead === 0) socket.destroy();
  }

  private forget(socket: Socket, key: string | undefined): void {
    this.open.delete(socket);
    if (key === undefined) return;
    const count = this.perPeer.get(key) ?? 0;
    if (count <= 1) this.perPeer.delete(key);
    else this.perPeer.set(key, count - 1);
  }
}
