import type WebSocket from 'ws';
import { requestEnvelope } from '../rpc/envelope';
import { NodeError, type NodeErrorCode } from './errors';
import { isSubscriptionId, parseSocketMessage, type SocketMessage } from './socket-message';

export interface SocketConnectionOptions {
  /** The node's name, for messages. */
  readonly node: string;
  readonly socket: WebSocket;
  /** A ping is sent this often (ms); a node that said nothing from one to the next but one is gone. */
  readonly pingMs: number;
}

/** A node refused what it was asked; the connection is sound. */
export class SocketRefusal extends Error {
  override readonly name = 'SocketRefusal';

  constructor(
    node: string,
    method: string,
    /** Of JSON-RPC. */
    readonly code: number,
  ) {
    super(`${node} refused ${method} with code ${code}`);
  }
}

interface Pending {
  readonly method: string;
  /** Called before the next message is read. */
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** How a WebSocket is closed that broke the rules, or is not wanted any more (RFC 6455, section 7.4.1). */
const CLOSE_NORMAL = 1000;
const CLOSE_BROKEN = 1008;
/** What happened where no close frame came. */
const CLOSED_ABNORMALLY = 1006;

/**
 * One open WebSocket to a node: numbers its requests, hands what subscriptions tell to who wants it, notices silence.
 * It ends once, with the reason, and whatever was asked fails then.
 */
export class SocketConnection {
  /** Resolves when it is over. */
  readonly ended: Promise<NodeError>;
  private readonly pending = new Map<number, Pending>();
  private readonly listeners = new Map<string, (result: unknown) => void>();
  private readonly heart: NodeJS.Timeout;
  private heard = true;
  private lastId = 0;
  private reason: NodeError | undefined;
  private end!: (error: NodeError) => void;

  constructor(private readonly options: SocketConnectionOptions) {
    const { node, socket, pingMs } = options;
    this.ended = new Promise((resolve) => (this.end = resolve));
    this.heart = setInterval(() => this.beat(), pingMs);
    socket.on('message', (data: Buffer, isBinary) => this.read(data, isBinary));
    socket.on('pong', () => (this.heard = true));
    socket.on('ping', () => (this.heard = true));
    socket.on('close', (code) => this.finish('RESET', `${node} closed its WebSocket with ${closeWord(code)}`));
    socket.on('error', (cause: Error & { code?: string }) => {
      const tooLarge = cause.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH';
      if (tooLarge) this.finish('TOO_LARGE', `${node} sent a message that is too large`, { cause });
      else if (cause.code?.startsWith('WS_ERR_') === true)
        this.finish('BAD_RESPONSE', `${node} broke the rules of WebSockets (${cause.code})`, { cause });
      else this.finish('RESET', `${node} lost its WebSocket (${cause.code ?? 'unknown'})`, { cause });
    });
  }

  /**
   * @throws NodeError when it ends first, or `TIMEOUT`
   * @throws SocketRefusal
   */
  request(method: string, params: readonly unknown[], timeoutMs: number): Promise<unknown> {
    return new Promise((resolve, reject) => this.send(method, params, timeoutMs, resolve, reject));
  }

  /**
   * Subscribes for as long as the connection lasts. What the node tells of it comes in order, from the first on.
   *
   * @param params of `eth_subscribe`
   * @returns when the node has agreed; throws as `request` does
   */
  subscribe(params: readonly unknown[], onMessage: (result: unknown) => void, timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const agreed = (id: unknown): void => {
        // Two subscriptions of one id could not be told apart.
        if (!isSubscriptionId(id) || this.listeners.has(id)) {
          this.fail(`${this.options.node} gave a subscription no id of its own`);
          reject(this.reason ?? new Error('it has ended'));
          return;
        }
        this.listeners.set(id, onMessage);
        resolve();
      };
      this.send('eth_subscribe', params, timeoutMs, agreed, reject);
    });
  }

  /** The node is no good for this: what it said is not what it should have said. */
  fail(problem: string): void {
    this.finish('BAD_RESPONSE', problem, {}, CLOSE_BROKEN);
  }

  close(): void {
    this.finish('CALLER_LEFT', `the WebSocket to ${this.options.node} is not wanted any more`, {}, CLOSE_NORMAL);
  }

  private send(
    method: string,
    params: readonly unknown[],
    timeoutMs: number,
    resolve: (result: unknown) => void,
    reject: (error: Error) => void,
  ): void {
    if (this.reason !== undefined) {
      reject(this.reason);
      return;
    }
    const id = ++this.lastId;
    const late = (): void => {
      this.pending.delete(id);
      reject(new NodeError('TIMEOUT', `${this.options.node} did not answer ${method} within ${timeoutMs} ms`));
    };
    this.pending.set(id, { method, resolve, reject, timer: setTimeout(late, timeoutMs) });
    const envelope = requestEnvelope(id, method, Buffer.from(JSON.stringify(params)));
    this.options.socket.send(envelope, { binary: false });
  }

  private read(data: Buffer, isBinary: boolean): void {
    if (this.reason !== undefined) return;
    this.heard = true;
    const message: SocketMessage = isBinary
      ? { kind: 'fault', problem: 'a message is binary' }
      : parseSocketMessage(data.toString('utf8'));
    switch (message.kind) {
      case 'fault':
        this.fail(`${this.options.node}: ${message.problem}`);
        return;
      case 'told':
        // One that nobody asked for on this connection tells nobody anything.
        this.listeners.get(message.subscription)?.(message.result);
        return;
      case 'result':
      case 'error':
        this.answer(message);
    }
  }

  private answer(message: SocketMessage & { kind: 'result' | 'error' }): void {
    const { id } = message;
    const { node } = this.options;
    if (id < 1 || id > this.lastId) {
      this.fail(`${node} answered what it was not asked`);
      return;
    }
    const pending = this.pending.get(id);
    // Its time was over; nobody waits any more.
    if (pending === undefined) return;
    this.pending.delete(id);
    clearTimeout(pending.timer);
    if (message.kind === 'result') pending.resolve(message.result);
    else pending.reject(new SocketRefusal(node, pending.method, message.code));
  }

  private beat(): void {
    const { node, socket, pingMs } = this.options;
    if (this.heard) {
      this.heard = false;
      socket.ping();
    } else {
      this.finish('TIMEOUT', `${node} said nothing on its WebSocket for ${pingMs} ms, not even to a ping`);
    }
  }

  private finish(code: NodeErrorCode, message: string, options: { cause?: unknown } = {}, closeCode?: number): void {
    if (this.reason !== undefined) return;
    const error = (this.reason = new NodeError(code, message, options));
    const { socket } = this.options;
    clearInterval(this.heart);
    // The node is told why where it may still listen; that it says goodbye too is not waited for.
    if (closeCode !== undefined) socket.close(closeCode);
    socket.terminate();
    this.listeners.clear();
    const waiting = [...this.pending.values()];
    this.pending.clear();
    for (const { timer, reject } of waiting) {
      clearTimeout(timer);
      reject(error);
    }
    this.end(error);
  }
}

function closeWord(code: number): string {
  return code === CLOSED_ABNORMALLY ? 'no word' : `code ${code}`;
}
