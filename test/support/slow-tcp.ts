import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/**
 * A wire to a server that delays what comes back, or leads to nobody. What no server does by itself: to be just too slow.
 *
 *     const wire = await SlowTcp.to(server.port);
 *     wire.delayMs = 30;                         // each answer comes 30 ms late
 *     wire.silent = true;                        // connections are made, and nothing comes of them
 */
export class SlowTcp {
  delayMs = 0;
  silent = false;
  /** Connections made so far. */
  connections = 0;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly target: number,
  ) {
    server.on('connection', (socket) => this.serve(socket));
  }

  static async to(port: number): Promise<SlowTcp> {
    const server = createServer();
    const wire = new SlowTcp(server, port);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return wire;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  private serve(socket: Socket): void {
    this.connections++;
    this.keep(socket);
    if (this.silent) return;
    const far = connect(this.target, '127.0.0.1');
    this.keep(far);
    socket.pipe(far);
    far.on('data', (bytes) => setTimeout(() => socket.write(bytes), this.delayMs));
    far.on('close', () => socket.destroy());
    socket.on('close', () => far.destroy());
  }

  private keep(socket: Socket): void {
    this.sockets.add(socket);
    // As Redis and our connection have it; else a small answer may wait for 40 ms by itself.
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('close', () => this.sockets.delete(socket));
  }
}
