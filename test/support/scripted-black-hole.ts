import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';

export interface BlackHole {
  readonly port: number;
  readonly url: string;
  close(): Promise<void>;
}

/**
 * An address on 127.0.0.1 where a connection is neither accepted nor refused: SYNs go unanswered. Linux drops them
 * while the queue of connections nobody took is full (listen(2), `backlog`). A thread listens with a backlog of 1
 * and goes to sleep without ever taking one; connections of ours fill the queue.
 *
 * @example
 * const hole = await synBlackHole();
 * await expect(fetch(hole.url, { signal: AbortSignal.timeout(200) })).rejects.toThrow();
 * await hole.close();
 */
export async function synBlackHole(): Promise<BlackHole> {
  const worker = new Worker(LISTEN_AND_SLEEP, { eval: true });
  const [port] = (await once(worker, 'message')) as [number];
  const fillers = Array.from({ length: FILLERS }, () => filler(port));
  // A queue of backlog + 1 is what Linux allows; the other fillers are for kernels that round it up.
  await Promise.all(fillers.slice(0, 2).map((socket) => once(socket, 'connect')));
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    async close() {
      for (const socket of fillers) socket.destroy();
      await worker.terminate();
    },
  };
}

const FILLERS = 8;

const LISTEN_AND_SLEEP = `
  const { parentPort } = require('node:worker_threads');
  const server = require('node:net').createServer();
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    parentPort.postMessage(server.address().port);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });
`;

function filler(port: number): Socket {
  return connect(port, '127.0.0.1').on('error', () => undefined);
}
