import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A listening port on 127.0.0.1 that can be taken away and given back, and the connections it took. */
export class ScriptedListener {
  readonly #onSocket: (socket: Socket, id: number) => void;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;
  #opened = 0;

  constructor(onSocket: (socket: Socket, id: number) => void) {
    this.#onSocket = onSocket;
  }

  get port(): number {
    return this.#port;
  }

  get connections(): { readonly opened: number; readonly open: number } {
    return { opened: this.#opened, open: this.#sockets.size };
  }

  /** On `port`, or on the one it had, or (0) on one the system picks. Does nothing while it listens. */
  async listen(port = this.#port): Promise<void> {
    if (this.#server !== undefined) return;
    const server = createServer((socket) => this.#adopt(socket));
    await listenPatiently(server, port);
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
  }

  /** Connections are refused from now on, and those open are reset. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    const closed = server && once(server, 'close');
    server?.close();
    for (const socket of this.#sockets) socket.resetAndDestroy();
    await closed;
  }

  #adopt(socket: Socket): void {
    this.#sockets.add(socket);
    // Resets by the peer are part of the game; 'close' follows.
    socket.on('error', () => undefined);
    socket.once('close', () => this.#sockets.delete(socket));
    socket.setNoDelay();
    this.#onSocket(socket, ++this.#opened);
  }
}

/** A port given up may be some outgoing connection's for a moment: up to 2 s. */
async function listenPatiently(server: Server, port: number): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
      return;
    } catch (error) {
      if (attempt === 40 || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      await sleep(50);
    }
  }
}
