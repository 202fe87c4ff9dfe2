import { EdrNode } from './edr-node';

const BLOCK_S = 12;
const GENESIS_S = 1_700_000_000;

interface Made {
  readonly timestamp: number;
  readonly transactions: readonly string[];
}

/**
 * Two nodes of EDR with one chain: what is sent goes to both, and both make each block.
 *
 *     const pair = await EdrPair.start();
 *     await pair.rpc('eth_sendRawTransaction', [raw]);
 *     await pair.mine();
 *     await pair.a.kill();                    // blocks are made without it …
 *     await pair.restart(pair.a);             // … and it gets all of them, its filters forgotten
 *     await pair.stop();
 */
export class EdrPair {
  readonly #blocks: Made[] = [];
  #pool: string[] = [];

  static async start(): Promise<EdrPair> {
    const [a, b] = await Promise.all(
      ['a', 'b'].map((name) => EdrNode.start({ name, timestamp: GENESIS_S })) as [Promise<EdrNode>, Promise<EdrNode>],
    );
    return new EdrPair(a, b);
  }

  private constructor(
    readonly a: EdrNode,
    readonly b: EdrNode,
  ) {}

  get height(): number {
    return this.#blocks.length;
  }

  get #running(): EdrNode[] {
    return [this.a, this.b].filter(({ isRunning }) => isRunning);
  }

  /** @returns the last node's answer, which is the other's, too. */
  async rpc(method: string, params: readonly unknown[] = []): Promise<unknown> {
    if (method === 'eth_sendRawTransaction') this.#pool.push(String(params[0]));
    let answer: unknown;
    for (const node of this.#running) answer = await node.rpc(method, params);
    return answer;
  }

  /** A block at each that runs. @returns its hash. */
  async mine(): Promise<string> {
    const { timestamp } = this.#next();
    await Promise.all(this.#running.map((node) => node.mine(timestamp)));
    const block = (await this.rpc('eth_getBlockByNumber', ['latest', false])) as { hash: string };
    return block.hash;
  }

  /** A block that only this one has, until `catchUp` of the other. */
  async mineAt(node: EdrNode): Promise<void> {
    await node.mine(this.#next().timestamp);
  }

  /** Gives the node the block it has not; what is in it was sent to both. */
  async catchUp(node: EdrNode): Promise<void> {
    const height = Number(await node.rpc('eth_blockNumber'));
    for (const { timestamp } of this.#blocks.slice(height)) await node.mine(timestamp);
  }

  /** Starts the node anew, if it lives as well, and gives it the chain there is. Its filters are gone. */
  async restart(node: EdrNode): Promise<void> {
    await node.restart();
    for (const { timestamp, transactions } of this.#blocks) {
      for (const raw of transactions) await node.rpc('eth_sendRawTransaction', [raw]);
      await node.mine(timestamp);
    }
    for (const raw of this.#pool) await node.rpc('eth_sendRawTransaction', [raw]);
  }

  #next(): Made {
    const made = { timestamp: GENESIS_S + BLOCK_S * (this.height + 1), transactions: this.#pool };
    this.#blocks.push(made);
    this.#pool = [];
    return made;
  }

  async stop(): Promise<void> {
    await Promise.all([this.a.stop(), this.b.stop()]);
  }
}
