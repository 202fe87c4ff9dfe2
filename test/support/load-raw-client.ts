import { connect, type Socket } from 'node:net';

/** How the other side ended the connection, if it did. */
export type ConnectionEnd = 'open' | 'fin' | 'reset' | 'refused';

/**
 * A connection on which nothing is interpreted: what is sent are these bytes, what is received is kept as it came.
 *
 * @example
 * const client = new RawClient(node.url);
 * client.post('{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}');
 * await client.until((text) => text.endsWith('}'));
 * expect(client.received).toContain('200 OK');
 * client.close();
 */
export class RawClient {
  #received = '';
  #end: ConnectionEnd = 'open';
  #watchers: (() => void)[] = [];
  readonly #socket: Socket;

  constructor(url: string) {
    this.#socket = connect(Number(new URL(url).port), new URL(url).hostname);
    this.#socket.setNoDelay();
    this.#socket.on('data', (bytes) => this.#note(() => (this.#received += bytes.toString('latin1'))));
    this.#socket.on('end', () => this.#note(() => (this.#end = 'fin')));
    this.#socket.on('error', (error: NodeJS.ErrnoException) =>
      this.#note(() => (this.#end = error.code === 'ECONNREFUSED' ? 'refused' : 'reset')),
    );
  }

  /** Everything so far, one character a byte. */
  get received(): string {
    return this.#received;
  }

  get end(): ConnectionEnd {
    return this.#end;
  }

  send(bytes: string | Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** A plain request with this body, keeping the connection. */
  post(body: string): void {
    this.send(`POST / HTTP/1.1\r\nhost: test\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  }

  /** Resolves when the bytes or the end of the connection are as wanted. */
  async until(wanted: (received: string, end: ConnectionEnd) => boolean): Promise<void> {
    while (!wanted(this.#received, this.#end)) await new Promise<void>((resolve) => this.#watchers.push(resolve));
  }

  /** Stops or resumes reading, so that back-pressure builds up. */
  pause(paused = true): void {
    if (paused) this.#socket.pause();
    else this.#socket.resume();
  }

  close(): void {
    this.#socket.destroy();
  }

  #note(change: () => void): void {
    change();
    const watchers = this.#watchers;
    this.#watchers = [];
    for (const resolve of watchers) resolve();
  }
}
