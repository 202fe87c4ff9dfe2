import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Counts requests from their arrival to the end of their answers. */
export class Underway {
  private count = 0;
  private waiting: (() => void)[] = [];
  /** Answers that wait for others on their connection. */
  private readonly queued = new WeakMap<Socket, Set<ServerResponse>>();

  add(request: IncomingMessage, response: ServerResponse): void {
    this.count++;
    response.once('close', this.leave);
    if (response.socket === null) this.follow(request.socket, response);
  }

  /** Resolves when there are none. */
  empty(): Promise<void> {
    return this.count === 0 ? Promise.resolve() : new Promise((resolve) => this.waiting.push(resolve));
  }

  private readonly leave = (): void => {
    if (--this.count > 0) return;
    for (const resolve of this.waiting.splice(0)) resolve();
  };

  /** Node tells the end of a connection to the answer whose turn it is, and to none behind it. */
  private follow(socket: Socket, response: ServerResponse): void {
    let queued = this.queued.get(socket);
    if (queued === undefined) {
      const all = new Set<ServerResponse>();
      this.queued.set(socket, (queued = all));
      socket.once('close', () => all.forEach((one) => one.emit('close')));
    }
    const responses = queued.add(response);
    response.once('close', () => responses.delete(response));
  }
}
