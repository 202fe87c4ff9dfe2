import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { EdrListening, EdrProgramOptions } from './edr-program';
import { resultOf } from './oracle-client';
import { wallets } from './oracle-counter';

const PROGRAM = join(__dirname, 'edr-program.ts');

export interface EdrNodeOptions {
  readonly name: string;
  /** @default 31337 */
  readonly chainId?: number;
  /** Of the genesis block, in seconds since 1970. @default 1 700 000 000 */
  readonly timestamp?: number;
}

/**
 * A real node of a second kind: Nomic Foundation's EDR, of which hardhat is made, as a process of its own. Its filter ids
 * count from `0x1` on, so every such node hands out the same ones, and it answers `null` for the changes of a filter it
 * does not know. It mines when it is told to; nodes that were told the same have the same blocks.
 *
 * The package stays at 0.3.7, 20 MB: those up to 0.13 bring the programs of all seven platforms, 204 MB, and those after
 * that are for Node 22.
 *
 *     const node = await EdrNode.start({ name: 'a' });
 *     await node.rpc('eth_newBlockFilter');   // '0x1'
 *     await node.mine(1_700_000_010);
 *     await node.kill();
 *     await node.restart();                   // same port, an empty chain, ids from `0x1` on again
 *     await node.stop();
 */
export class EdrNode {
  readonly name: string;
  readonly port: number;

  static async start({ name, chainId = 31337, timestamp = 1_700_000_000 }: EdrNodeOptions): Promise<EdrNode> {
    const keys = wallets.map(({ privateKey }) => privateKey);
    const options = { chainId, timestamp, port: 0, keys };
    const { child, port } = await launch(options);
    return new EdrNode(name, { ...options, port }, child);
  }

  private constructor(
    name: string,
    private readonly options: EdrProgramOptions,
    private child: ChildProcess,
  ) {
    this.name = name;
    this.port = options.port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get wsUrl(): string {
    return `ws://127.0.0.1:${this.port}`;
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** @throws Error with the JSON-RPC error in its text. */
  rpc(method: string, params: readonly unknown[] = []): Promise<unknown> {
    return resultOf(this.url, method, params);
  }

  /** One block, of all there is in its pool. @param timestamp in seconds since 1970, later than that of the block before */
  async mine(timestamp: number): Promise<void> {
    await this.rpc('evm_setNextBlockTimestamp', [timestamp]);
    await this.rpc('evm_mine');
  }

  /** SIGKILL; resolves when the process is gone. Repeating it does no harm. */
  async kill(): Promise<void> {
    if (!this.isRunning) return;
    const gone = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await gone;
  }

  /** Kills the process if it lives, and starts an empty one at the same address. */
  async restart(): Promise<void> {
    await this.kill();
    this.child = (await launch(this.options)).child;
  }

  stop(): Promise<void> {
    return this.kill();
  }
}

/** Resolves when the node answers. @throws Error with what it wrote where it ends before */
async function launch(options: EdrProgramOptions): Promise<{ child: ChildProcess; port: number }> {
  const child = spawn(process.execPath, ['--import', require.resolve('tsx'), PROGRAM, JSON.stringify(options)], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let output = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  const listening = once(child, 'message') as Promise<[EdrListening]>;
  const ended = once(child, 'close').then(([code]) => {
    throw new Error(`the node of EDR did not start (${String(code)}): ${output}`);
  });
  const [{ port }] = await Promise.race([listening, ended]);
  return { child, port };
}
