import { connect, type Socket } from 'node:net';
import { Client, type buildConnector } from 'undici';
import { classifyFailure, classifyResponse, type Outcome } from './load-outcome';
import type { LoadRequest } from './load-request';

export interface SenderOptions {
  /** Plain http. */
  readonly url: string;
  /** Sent with each request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds the client waits for one whole response, dialling included. Default 30 000. */
  readonly timeoutMs?: number;
}

/** One simulated client: its connection, and how each of its requests ended. Retries nothing. */
export class Sender {
  readonly #client: Client;
  readonly #path: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #timeoutMs: number;
  readonly #stop: AbortSignal;
  #dialling: Socket | undefined;

  constructor({ url, headers, timeoutMs = 30_000 }: SenderOptions, stop: AbortSignal) {
    const { origin, hostname, port, pathname, search } = new URL(url);
    // One time-out, that of the whole request: the library's own are off, and dialling ends with the request too.
    const dial: buildConnector.connector = (_, done) => {
      const socket = connect(Number(port || 80), hostname).setNoDelay();
      this.#dialling = socket;
      socket.once('connect', () => {
        this.#dialling = undefined;
        socket.off('error', fail);
        done(null, socket);
      });
      const fail = (error: Error): void => done(error, null);
      socket.once('error', fail);
    };
    this.#client = new Client(origin, { headersTimeout: 0, bodyTimeout: 0, connect: dial });
    this.#path = pathname + search;
    this.#headers = { 'content-type': 'application/json', ...headers };
    this.#timeoutMs = timeoutMs;
    this.#stop = stop;
  }

  async send(request: LoadRequest): Promise<Outcome> {
    const leaving = new AbortController();
    let reason: 'timeout' | 'clientAbort' | undefined;
    const leave = (why: 'timeout' | 'clientAbort'): void => {
      reason ??= why;
      leaving.abort();
      this.#dialling?.destroy(new Error('the request it was for has ended'));
    };
    const onStop = (): void => leave('clientAbort');
    const { abortAfterMs } = request.maker;
    const timers = [setTimeout(() => leave('timeout'), this.#timeoutMs)];
    if (abortAfterMs !== undefined) timers.push(setTimeout(onStop, abortAfterMs));
    this.#stop.addEventListener('abort', onStop, { once: true });
    try {
      const response = await this.#client.request({
        method: 'POST',
        path: this.#path,
        headers: this.#headers,
        body: request.body,
        signal: leaving.signal,
      });
      return classifyResponse(response.statusCode, await response.body.bytes(), request);
    } catch (error) {
      return classifyFailure(error, reason);
    } finally {
      timers.forEach(clearTimeout);
      this.#stop.removeEventListener('abort', onStop);
    }
  }

  close(): Promise<void> {
    return this.#client.destroy();
  }
}
