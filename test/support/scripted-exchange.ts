import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RpcOutcome } from './scripted-outcome';
import type { LoggedRequest } from './scripted-request';

/** One answer before it becomes text; undefined members are left out. */
export interface Answer {
  /** Raw JSON. */
  readonly id: string | undefined;
  readonly result?: unknown;
  readonly error?: unknown;
}

export interface ExchangeParts {
  readonly socket: Socket;
  /** Aborted when the socket has closed. */
  readonly closed: AbortSignal;
  readonly requests: readonly LoggedRequest[];
  readonly isBatch: boolean;
  readonly run: (request: LoggedRequest) => RpcOutcome;
}

/** One HTTP request waiting for its answer, and the socket to do to it whatever a behaviour likes. */
export class Exchange {
  readonly socket: Socket;
  /** One, or the items of a batch. */
  readonly requests: readonly LoggedRequest[];
  readonly isBatch: boolean;
  readonly #run: (request: LoggedRequest) => RpcOutcome;
  readonly #closed: AbortSignal;
  #answers: readonly Answer[] | undefined;

  constructor({ socket, closed, requests, isBatch, run }: ExchangeParts) {
    this.socket = socket;
    this.#closed = closed;
    this.requests = requests;
    this.isBatch = isBatch;
    this.#run = run;
  }

  /** The ordinary answers. The first call runs the requests on the node's chain; later calls repeat what it gave. */
  answers(): readonly Answer[] {
    this.#answers ??= this.requests
      .filter((request) => request.rawId !== undefined)
      .map((request) => ({ id: request.rawId, ...this.#run(request) }));
    return this.#answers;
  }

  /** As the ordinary body is written: an object, or an array when the request was one; empty without answers. */
  toBody(answers: readonly Answer[] = this.answers()): string {
    const envelopes = answers.map(toEnvelope).join(',');
    return this.isBatch && envelopes !== '' ? `[${envelopes}]` : envelopes;
  }

  /** Writes and waits until the kernel took it all (back-pressure). False as soon as the connection is gone. */
  async send(bytes: string | Uint8Array): Promise<boolean> {
    // The callback comes also when the socket is destroyed before or meanwhile.
    if (this.#isOpen()) await new Promise<void>((resolve) => void this.socket.write(bytes, () => resolve()));
    return this.#isOpen();
  }

  /** Milliseconds, ended early by the end of the connection. False when it is gone. */
  async wait(ms: number): Promise<boolean> {
    await sleep(ms, undefined, { signal: this.#closed }).catch(() => undefined);
    return this.#isOpen();
  }

  /** Resolves when the connection is gone. */
  async gone(): Promise<void> {
    if (this.#closed.aborted) return;
    await new Promise<void>((resolve) => {
      this.#closed.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  #isOpen(): boolean {
    return !this.socket.destroyed && !this.#closed.aborted;
  }
}

function toEnvelope({ id, result, error }: Answer): string {
  const members = ['"jsonrpc":"2.0"'];
  if (id !== undefined) members.push(`"id":${id}`);
  if (result !== undefined) members.push(`"result":${JSON.stringify(result)}`);
  if (error !== undefined) members.push(`"error":${JSON.stringify(error)}`);
  return `{${members.join(',')}}`;
}
