import { setTimeout as sleep } from 'node:timers/promises';
import { AnvilError } from './anvil-error';
import { AnvilProcess } from './anvil-process';
import { RpcConnection } from './rpc-connection';

export interface AnvilNodeOptions {
  /** In messages. @default 'anvil' */
  readonly name?: string;
  readonly chainId: number;
  /** Of the genesis block, in seconds since 1970. */
  readonly timestamp: number;
  /** @default 0, a port the system picks */
  readonly port?: number;
  /** Further command line arguments, e.g. `['--accounts', '20']`. */
  readonly args?: readonly string[];
  /** Longest wait for an answer of `rpc`, in milliseconds. @default 2000 */
  readonly rpcTimeoutMs?: number;
}

/** What we did to the process, or saw happen to it; a SIGSTOP from elsewhere is not seen. */
export type AnvilState = 'running' | 'frozen' | 'dead';

/** Time for a SIGTERM to work, in milliseconds. */
const TERM_MS = 2000;
/** While a node is down its port may be lent to somebody's outgoing connection, so a restart has patience. */
const RESTART_TRIES = 50;
const RESTART_PAUSE_MS = 100;

/**
 * One anvil process: a real Ethereum node that mines when it is told to. It ends with this process, whatever ends it.
 *
 *     const node = await AnvilNode.start({ chainId: 31337, timestamp: 1_700_000_000 });
 *     await node.rpc('eth_blockNumber');   // '0x0'
 *     node.freeze();                       // accepts connections and says nothing
 *     node.thaw();
 *     await node.restart();                // same port, empty chain
 *     await node.close();
 */
export class AnvilNode {
  readonly name: string;
  readonly port: number;
  readonly #options: AnvilNodeOptions;
  readonly #connection: RpcConnection;
  #process: AnvilProcess;
  #frozen = false;

  /** @throws AnvilError `NO_BINARY`, `START_FAILED` with the end of what anvil printed. */
  static async start(options: AnvilNodeOptions): Promise<AnvilNode> {
    return new AnvilNode(options, await launch(options, options.port ?? 0));
  }

  private constructor(options: AnvilNodeOptions, started: AnvilProcess) {
    this.name = options.name ?? 'anvil';
    this.port = started.port;
    this.#options = options;
    this.#process = started;
    this.#connection = new RpcConnection(this.url, options.rpcTimeoutMs ?? 2000);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get wsUrl(): string {
    return `ws://127.0.0.1:${this.port}`;
  }

  get pid(): number {
    return this.#process.pid;
  }

  get state(): AnvilState {
    if (this.#process.ended) return 'dead';
    return this.#frozen ? 'frozen' : 'running';
  }

  /** The last few kilobytes of what the process printed. */
  get output(): string {
    return this.#process.output;
  }

  /** @throws AnvilError `RPC_ERROR` as the node answered, `TIMEOUT`, `UNREACHABLE`. */
  rpc(method: string, params: readonly unknown[] = []): Promise<unknown> {
    return this.#connection.call(method, params);
  }

  /**
   * One method for many params.
   *
   * @returns for each params the node's refusal, or `undefined` where it was done.
   * @throws AnvilError `TIMEOUT`, `UNREACHABLE`; some may have been done then.
   */
  rpcEach(method: string, params: readonly (readonly unknown[])[]): Promise<(AnvilError | undefined)[]> {
    return this.#connection.callEach(method, params);
  }

  /** SIGKILL; resolves when the process is gone. */
  async kill(): Promise<void> {
    await this.#process.end('SIGKILL');
    this.#frozen = false;
  }

  /** SIGSTOP: the kernel still accepts connections, nobody answers. */
  freeze(): void {
    if (this.#process.signal('SIGSTOP')) this.#frozen = true;
  }

  /** SIGCONT. */
  thaw(): void {
    this.#process.signal('SIGCONT');
    this.#frozen = false;
  }

  /** Kills the process if it lives and starts an empty one on the same port. @throws AnvilError `START_FAILED` */
  async restart(): Promise<void> {
    await this.kill();
    for (let left = RESTART_TRIES - 1; ; left--) {
      try {
        this.#process = await launch(this.#options, this.port);
        return;
      } catch (error) {
        const portTaken = error instanceof AnvilError && /address.*in use/i.test(error.message);
        if (!portTaken || left === 0) throw error;
        await sleep(RESTART_PAUSE_MS);
      }
    }
  }

  /** SIGTERM, after two seconds SIGKILL; resolves when the process is gone. Repeating it does no harm. */
  async close(): Promise<void> {
    this.thaw();
    await Promise.race([this.#process.end('SIGTERM'), sleep(TERM_MS, undefined, { ref: false })]);
    await this.kill();
    await this.#connection.close();
  }
}

function launch(options: AnvilNodeOptions, port: number): Promise<AnvilProcess> {
  const chain = ['--chain-id', String(options.chainId), '--timestamp', String(options.timestamp)];
  const mining = ['--no-mining', '--order', 'fifo'];
  return AnvilProcess.start(['--port', String(port), ...chain, ...mining, ...(options.args ?? [])]);
}
