import { Pool } from 'undici';
import { requestEnvelope } from '../rpc/envelope';
import { type Answer, Attempt, STREAM_ABOVE_BYTES } from './attempt';
import { basicAuthorization } from './authorization';
import { createConnector } from './connect';
import type { NodeErrorCode } from './errors';

export interface NodeClientOptions {
  readonly node: string;
  /** http or https; userinfo becomes an Authorization header. */
  readonly url: string;
  /** Its URL is a port of our own HAProxy. */
  readonly viaHaproxy: boolean;
  /** Read for each connection and each request. */
  readonly bounds: ClientBounds;
}

export interface ClientBounds {
  readonly connectTimeoutMs: number;
  readonly maxResponseBytes: number;
}

/** What one attempt may take. */
export interface SendLimits {
  /** Until the answer is whole, or has begun to come at length. */
  readonly timeoutMs: number;
  /** Until its last byte. */
  readonly deadlineMs: number;
  /** Whether the attempt may be given up when the node turns out to be down. */
  readonly releasable: boolean;
  /** Answers up to this size come whole, larger ones as a stream. @default 64 KiB, which is the least */
  readonly holdBytes?: number;
}

/** A request on its way to one node. */
export interface Sending {
  readonly answer: Promise<Answer>;
  /** Gives it up; the answer rejects with this code, unless it is there already. */
  cancel(code: NodeErrorCode, message: string): void;
}

/** Connections are made as needed and kept; this many at most, so that one node cannot use up our descriptors. */
const MAX_CONNECTIONS = 2048;

/** One way to reach one node: keeps its connections, numbers its requests, knows what is on the way. */
export class NodeClient {
  private readonly pool: Pool;
  private readonly path: string;
  private readonly headers: string[];
  private readonly underway = new Map<Attempt, boolean>();
  private readonly forget = (attempt: Attempt): void => void this.underway.delete(attempt);
  private lastId = 0;
  private retired = false;

  constructor(private readonly options: NodeClientOptions) {
    const { node, bounds } = options;
    const url = new URL(options.url);
    this.path = `${url.pathname}${url.search}`;
    // The whole list: a caller's headers never travel on.
    this.headers = ['content-type', 'application/json', 'accept', 'application/json'];
    const authorization = basicAuthorization(url);
    if (authorization !== undefined) this.headers.push('authorization', authorization);
    this.pool = new Pool(url.origin, {
      connections: MAX_CONNECTIONS,
      pipelining: 1,
      connect: createConnector({
        node,
        get timeoutMs() {
          return bounds.connectTimeoutMs;
        },
      }),
      // Attempts keep their own time.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: 30_000,
    });
  }

  /** @param params JSON bytes */
  send(method: string, params: Buffer, limits: SendLimits): Sending {
    const id = (this.lastId = (this.lastId % 0x7fffffff) + 1);
    const { node, viaHaproxy } = this.options;
    const { maxResponseBytes } = this.options.bounds;
    const { timeoutMs, deadlineMs, releasable, holdBytes = STREAM_ABOVE_BYTES } = limits;
    const onEnd = this.forget;
    const bounds = { timeoutMs, deadlineMs, maxResponseBytes, holdBytes };
    const attempt = new Attempt({ node, id, ...bounds, viaHaproxy, onEnd });
    this.underway.set(attempt, releasable);
    if (this.retired) {
      attempt.cancel('NODE_DOWN', `${node} is not used any more`);
      return attempt;
    }
    this.pool.dispatch(
      { path: this.path, method: 'POST', headers: this.headers, body: requestEnvelope(id, method, params) },
      attempt,
    );
    return attempt;
  }

  /** Ends the attempts that may safely be made elsewhere, so that they need not wait for their time-outs. */
  release(reason: string): void {
    for (const [attempt, releasable] of this.underway) {
      if (releasable) attempt.cancel('NODE_DOWN', `${this.options.node} went down: ${reason}`);
    }
  }

  /** Takes no more requests. Resolves when those on the way are over, each in its time, and all connections closed. */
  async retire(): Promise<void> {
    this.retired = true;
    await this.pool.close();
  }

  /** Waits for nothing: what is on the way fails. */
  async close(): Promise<void> {
    this.retired = true;
    await this.pool.destroy();
  }
}
