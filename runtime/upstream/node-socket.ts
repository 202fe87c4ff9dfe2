import type { LookupFunction } from 'node:net';
import { backoffMs } from '../util/backoff';
import { runLoop } from '../util/loop';
import { NodeError } from './errors';
import { SocketConnection } from './socket-connection';
import { SocketDialer } from './socket-dial';

export interface NodeSocketOptions {
  /** The node's name, for messages. */
  readonly node: string;
  /** ws or wss; userinfo becomes an Authorization header. */
  readonly url: string;
  /** For the TCP handshake, in milliseconds, read for each; TLS gets four times as much again. */
  readonly connectTimeoutMs: number;
  /** It is open; what is to be subscribed is subscribed now, each time anew. */
  readonly onOpen: (connection: SocketConnection) => void;
  /** A connection ended, or could not be made; it is tried again. */
  readonly onLost: (error: NodeError) => void;
  /** Uniform in [0, 1); for jitter. */
  readonly random: () => number;
  /** @default the system's */
  readonly lookup?: LookupFunction;
  readonly timing?: Partial<SocketTiming>;
}

/** All in milliseconds. */
export interface SocketTiming {
  /** From the first packet to the end of the upgrade. */
  readonly openTimeoutMs: number;
  /** A ping is sent this often; silence is noticed within twice as long. */
  readonly pingMs: number;
  /** The pause after the first failure, and the longest. */
  readonly retryMs: number;
  readonly maxRetryMs: number;
  /** A connection that lasted this long begins the pauses anew; one that is closed at once does not. */
  readonly stableMs: number;
}

const TIMING: SocketTiming = {
  openTimeoutMs: 5000,
  pingMs: 8000,
  retryMs: 250,
  maxRetryMs: 30_000,
  stableMs: 10_000,
};
/** A header is a kilobyte or two; the logs of one transaction may be many. */
const MAX_MESSAGE_BYTES = 1024 * 1024;

/**
 * The WebSocket to one node, kept open:
 *
 *     dial ──▶ open ──▶ lost ──▶ pause, longer each time ──▶ dial …
 *       └─────────────────┘
 *
 * What goes on while it is open is the connection's; nothing of it outlives the connection.
 */
export class NodeSocket {
  private readonly dialer: SocketDialer;
  private readonly timing: SocketTiming;
  private readonly stop = new AbortController();
  private running: Promise<void> | undefined;
  private failures = 0;

  constructor(private readonly options: NodeSocketOptions) {
    const { node, url, lookup } = options;
    this.timing = { ...TIMING, ...options.timing };
    const { openTimeoutMs } = this.timing;
    const maxMessageBytes = MAX_MESSAGE_BYTES;
    this.dialer = new SocketDialer({
      node,
      url,
      openTimeoutMs,
      maxMessageBytes,
      lookup,
      get connectTimeoutMs() {
        return options.connectTimeoutMs;
      },
    });
  }

  /** Opens it, and again whenever it is lost, until `close`. */
  start(): void {
    this.running ??= runLoop(this.stop.signal, () => this.step());
  }

  /** Resolves when nothing of it is left: no connection, no timer. */
  async close(): Promise<void> {
    this.stop.abort();
    await this.running;
  }

  /** From one dialling to the end of what came of it. @returns the pause before the next, in milliseconds */
  private async step(): Promise<number> {
    const error = await this.live();
    if (this.stop.signal.aborted) return 0;
    this.options.onLost(error);
    const { retryMs, maxRetryMs } = this.timing;
    const pause = backoffMs(++this.failures, retryMs, maxRetryMs, this.options.random);
    return Math.max(pause, Math.min(maxRetryMs, error.retryAfterMs ?? 0));
  }

  /** @returns why it ended */
  private async live(): Promise<NodeError> {
    const { signal } = this.stop;
    try {
      const connection = await this.dialer.open(signal, (socket) => this.adopt(socket));
      const openedAt = performance.now();
      const error = await connection.ended;
      if (performance.now() - openedAt >= this.timing.stableMs) this.failures = 0;
      return error;
    } catch (error) {
      if (error instanceof NodeError) return error;
      throw error;
    }
  }

  private adopt(socket: ConstructorParameters<typeof SocketConnection>[0]['socket']): SocketConnection {
    const { node, onOpen } = this.options;
    const { signal } = this.stop;
    const connection = new SocketConnection({ node, socket, pingMs: this.timing.pingMs });
    const close = (): void => connection.close();
    signal.addEventListener('abort', close);
    void connection.ended.then(() => signal.removeEventListener('abort', close));
    onOpen(connection);
    return connection;
  }
}
