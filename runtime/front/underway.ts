import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Counts requests from their arrival to the end of their answers. */
export class Underway {
  private count = 0;
  private waiting: (() => void)[] = [];
  /** Answers that wait for others on their connection. */
  private readonly queued = new WeakMap<Socket, Queue>();

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
      const responses = new Set<ServerResponse>();
      const end = (): void => responses.forEach((one) => one.emit('close'));
      this.queued.set(socket, (queued = { responses, end }));
      socket.once('close', end);
    }
    const { responses, end } = queued;
    responses.add(response);
    response.once('close', () => {
      responses.delete(response);
      // A connection outlives this registry, and more than one of them.
      if (responses.size > 0 || this.queued.get(socket)?.end !== end) return;
      this.queued.delete(socket);
      socket.off('close', end);
    });
  }
}

interface Queue {
  readonly responses: Set<ServerResponse>;
  readonly end: () => void;
}
