import type { Socket } from 'node:net';
import { ordinary, type Behaviour } from './scripted-behaviours';
import { ScriptedChain } from './scripted-chain';
import { Exchange } from './scripted-exchange';
import { ScriptedFilters } from './scripted-filters';
import { ScriptedListener } from './scripted-listener';
import { callMethod, type PooledTransaction } from './scripted-methods';
import type { RpcOutcome } from './scripted-outcome';
import { toRequests, type LoggedRequest } from './scripted-request';
import { Scripts, type Chooser } from './scripted-scripts';
import { WireReader } from './scripted-wire';

export * from './scripted-behaviours';
export * from './scripted-faults';
export type { Answer, Exchange } from './scripted-exchange';
export type { LoggedRequest } from './scripted-request';

export interface ScriptedNodeOptions {
  /** Default `scripted`. */
  readonly name?: string;
  /** Default 1337. */
  readonly chainId?: number;
  /** Number of the first newest block. Default 100. */
  readonly head?: number;
  /** Milliseconds between blocks that come by themselves. Default 0: none do. */
  readonly blockTimeMs?: number;
  /** Default 0: the system picks one. */
  readonly port?: number;
  /** Milliseconds since 1970. Default the real clock; a fixed one makes the blocks of several nodes identical. */
  readonly now?: () => number;
  /** Shared between nodes it is a network where a transaction is known everywhere at once. Default one's own. */
  readonly pool?: Map<string, PooledTransaction>;
}

/**
 * An Ethereum node that does as it is told, on a real TCP port: a small deterministic chain by default (see
 * scripted-chain.ts and scripted-methods.ts), and per method any fault down to raw bytes and resets (see
 * scripted-behaviours.ts and scripted-faults.ts). Everything that arrives is logged before it is answered.
 *
 * @example
 * const node = await ScriptedNode.start({ name: 'a' });
 * node.mine();                                    // the head moves to 101
 * node.setHead(95);                               // lags;  node.setHead(node.head + 10_000) is a rogue
 * node.branchAt(94, 'fork');                      // other blocks from 94 on
 * node.on('eth_call', error(-32000, 'missing trie node'));
 * node.once('*', status(503));                    // the next request, whatever it is, before anything else
 * node.on((request) => (request.turn > 1 ? resetBeforeResponse() : undefined));
 * node.off();                                     // healthy again
 * await node.refuse();                            // killed;  await node.accept() brings it back on the same port
 * expect(node.callsOf('eth_call')).toHaveLength(2);
 * await node.close();
 */
export class ScriptedNode {
  readonly name: string;
  chainId: number;
  readonly chain: ScriptedChain;
  readonly pool: Map<string, PooledTransaction>;
  /** As geth keeps them, with ids from `0x1` on. */
  readonly filters: ScriptedFilters;
  /** Oldest first; each item of a batch is one. */
  readonly requests: LoggedRequest[] = [];
  readonly #listener = new ScriptedListener((socket, id) => this.#serve(socket, id));
  readonly #scripts = new Scripts();
  readonly #now: () => number;
  readonly #miner: NodeJS.Timeout | undefined;
  readonly #brokenScripts: unknown[] = [];
  #watchers: (() => void)[] = [];
  #frozen = false;

  static async start(options: ScriptedNodeOptions = {}): Promise<ScriptedNode> {
    const node = new ScriptedNode(options);
    await node.#listener.listen(options.port ?? 0);
    return node;
  }

  private constructor({ name, chainId, head, blockTimeMs = 0, now = Date.now, pool }: ScriptedNodeOptions) {
    this.name = name ?? 'scripted';
    this.chainId = chainId ?? 1337;
    this.chain = new ScriptedChain(head ?? 100, now);
    this.pool = pool ?? new Map<string, PooledTransaction>();
    this.filters = new ScriptedFilters(this.chain, this.pool);
    this.#now = now;
    if (blockTimeMs > 0) this.#miner = setInterval(() => this.#frozen || this.mine(), blockTimeMs).unref();
  }

  get url(): string {
    return `http://127.0.0.1:${this.#listener.port}`;
  }

  get port(): number {
    return this.#listener.port;
  }

  get connections(): { readonly opened: number; readonly open: number } {
    return this.#listener.connections;
  }

  get head(): number {
    return this.chain.head;
  }

  setHead(number: number): void {
    this.chain.setHead(number);
  }

  mine(blocks = 1): void {
    this.chain.setHead(this.chain.head + blocks);
  }

  branchAt(number: number, label: string): void {
    this.chain.branchAt(number, label);
  }

  /** Stops or resumes the blocks of `blockTimeMs`. */
  freeze(frozen = true): void {
    this.#frozen = frozen;
  }

  /** See {@link Scripts} for which script wins. A batch is governed by its first item that has one. */
  on(chooser: Chooser): void;
  on(method: string, behaviour: Behaviour): void;
  on(script: string | Chooser, behaviour?: Behaviour): void {
    this.#scripts.add(script, behaviour);
  }

  once(method: string, behaviour: Behaviour, times = 1): void {
    this.#scripts.addLimited(method, behaviour, times);
  }

  off(method?: string): void {
    this.#scripts.remove(method);
  }

  callsOf(method: string): LoggedRequest[] {
    return this.requests.filter((request) => request.method === method);
  }

  /** Resolves when that method has arrived that often since the start, with the last of these. */
  async received(method: string, times = 1): Promise<LoggedRequest> {
    for (;;) {
      const last = this.callsOf(method)[times - 1];
      if (last !== undefined) return last;
      await new Promise<void>((resolve) => this.#watchers.push(resolve));
    }
  }

  /** As a killed process: connections refused, the open ones reset. The chain and the scripts stay. */
  refuse(): Promise<void> {
    return this.#listener.stop();
  }

  /** Listens again on the same port. */
  accept(): Promise<void> {
    return this.#listener.listen();
  }

  /** Throws when one of the test's own behaviours or choosers threw. */
  async close(): Promise<void> {
    clearInterval(this.#miner);
    await this.#listener.stop();
    if (this.#brokenScripts.length > 0) throw new AggregateError(this.#brokenScripts, `a script of ${this.name} threw`);
  }

  #serve(socket: Socket, socketId: number): void {
    const reader = new WireReader();
    const closed = new AbortController();
    let turn = 0;
    let previous = Promise.resolve();
    socket.once('close', () => closed.abort());
    socket.on('data', (bytes) => {
      // A behaviour that listens too may have ended the connection on these very bytes.
      if (socket.destroyed) return;
      try {
        for (const wire of reader.push(bytes)) {
          const { requests, isBatch } = toRequests(wire, { at: this.#now(), socketId, turn: ++turn });
          this.#log(requests);
          const run = (request: LoggedRequest): RpcOutcome => this.#run(request);
          const exchange = new Exchange({ socket, closed: closed.signal, requests, isBatch, run });
          previous = previous.then(() => this.#answer(exchange));
        }
      } catch (error) {
        this.#broke(socket, error);
      }
    });
  }

  #log(requests: readonly LoggedRequest[]): void {
    this.requests.push(...requests);
    const watchers = this.#watchers;
    this.#watchers = [];
    for (const resolve of watchers) resolve();
  }

  async #answer(exchange: Exchange): Promise<void> {
    if (exchange.socket.destroyed) return;
    try {
      await this.#behaviourFor(exchange.requests)(exchange);
    } catch (error) {
      this.#broke(exchange.socket, error);
    }
  }

  #behaviourFor(requests: readonly LoggedRequest[]): Behaviour {
    for (const request of requests) {
      const scripted = this.#scripts.take(request);
      if (scripted !== undefined) return scripted;
    }
    return ordinary();
  }

  #run({ method, params }: LoggedRequest): RpcOutcome {
    if (method === '') return { error: { code: -32600, message: 'invalid request' } };
    return callMethod(this, method, params);
  }

  #broke(socket: Socket, error: unknown): void {
    this.#brokenScripts.push(error);
    socket.destroy();
  }
}
