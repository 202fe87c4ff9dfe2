import type { AnvilNode } from '../../bin/dev-chain/anvil-node';
import type { Branch, ChainBlock } from '../../bin/dev-chain/branch';
import { DevChain, startNodes, type DevChainOptions, type StartedNodes } from '../../bin/dev-chain/dev-chain';
import type { Follower } from '../../bin/dev-chain/follower';
import { readHead, type BlockHead } from '../../bin/dev-chain/node-control';

export type ChainConductorOptions = Partial<DevChainOptions>;

/**
 * Real Ethereum nodes with one chain, and the say over which blocks each of them has.
 *
 *     const chain = await ChainConductor.start({ nodes: 3 });
 *     const [a, b, c] = chain.nodes;             // a.url, a.rpc(…); a.kill(), a.freeze(), a.thaw(), a.restart()
 *     await chain.mine(5);                       // all nodes: block 5, same hash
 *     await chain.lag(c, 3);                     // a, b: 8, c: 5; from now on c is 3 behind
 *     await chain.freezeHead(b);                 // b answers, its newest block stays 8
 *     await chain.fork([c], 2);                  // c: same heights, two other blocks at its end
 *     await chain.reorg(2);                      // a: two blocks replaced, one more on top
 *     await chain.setChainId(c, 5);              // c says chain 5, and has a chain of its own
 *     await chain.release(c);                    // c follows the chain again, whatever was done to it
 *     chain.startProduction(250);                // a block every 250 ms …
 *     await chain.stopProduction();              // … and no more
 *     await chain.close();
 *
 * Nothing happens by itself before `startProduction`. When the promise of a call is fulfilled, every running node has
 * the blocks it is to have; one that is dead or frozen gets them at the first call after it is back, for instance
 * `settle()`. Transactions sent to any node are in the next block of all; those of replaced blocks wait again.
 *
 * A node never goes back to take its place behind the others: `lag` makes blocks for the others instead. On its way to
 * another branch a node is for some milliseconds at the block both share: anvil cannot change branches in one step.
 */
export class ChainConductor extends DevChain {
  readonly #chainId: number;
  readonly #blockTimeMs: number;
  readonly #chainIdChanged = new Set<Follower>();
  /** Replaced blocks differ by their timestamps; a greater shift each time, so that no two branches turn out the same. */
  #shift = 0;
  #production: { readonly stop: AbortController; readonly ended: Promise<void> } | undefined;

  /** By default 3 nodes, chain 31337, a block time of 1 s, and 5 s for a node to answer: loaded machines are slow. */
  static override async start(options: ChainConductorOptions = {}): Promise<ChainConductor> {
    const filled = { nodes: 3, chainId: 31337, blockTimeMs: 1000, rpcTimeoutMs: 5000, ...options };
    const chain = new ChainConductor(filled, await startNodes(filled));
    await chain.settle();
    return chain;
  }

  private constructor(options: DevChainOptions, started: StartedNodes) {
    super(options, started);
    this.#chainId = options.chainId;
    this.#blockTimeMs = options.blockTimeMs;
  }

  /** The node's newest block, as the node itself says. */
  head(node: AnvilNode): Promise<BlockHead> {
    return readHead(node);
  }

  /** The chain's block of that height, the newest by default. @throws RangeError when there is none. */
  block(number = this.height): ChainBlock {
    return this.main.block(number);
  }

  /** Makes blocks, on every branch. @returns the newest of the chain. */
  async mine(count = 1): Promise<ChainBlock> {
    for (let made = 0; made < count; made++) await this.produceBlock();
    return this.main.tip;
  }

  /** From now on the node is `blocks` behind. Makes as many blocks for the others as it takes. */
  async lag(node: AnvilNode, blocks: number): Promise<void> {
    wholeNumber('blocks', blocks, 0);
    const follower = this.#follower(node);
    const { number } = await this.exclusive(async () => {
      follower.target = { kind: 'follow', lag: blocks };
      await follower.sync();
      return readHead(node);
    });
    await this.mine(Math.max(0, number + blocks - this.height));
  }

  /** The node keeps answering and gets no more blocks. It still takes transactions and hears of the others'. */
  async freezeHead(node: AnvilNode): Promise<void> {
    const follower = this.#follower(node);
    follower.target = { kind: 'still' };
    // What was under way comes to its end.
    await follower.sync();
  }

  /** Takes back whatever was done to the node here. One that was killed or stopped is not started by this. */
  release(node: AnvilNode): Promise<void> {
    const follower = this.#follower(node);
    return this.exclusive(async () => {
      if (this.#chainIdChanged.delete(follower)) await node.rpc('anvil_setChainId', [this.#chainId]);
      follower.branch = this.main;
      follower.target = { kind: 'follow', lag: 0 };
      await follower.sync();
    });
  }

  /**
   * Puts nodes on another branch: the last `depth` blocks have the same heights and other hashes, and it goes on
   * growing with the chain. At least one node has to stay.
   */
  fork(nodes: readonly AnvilNode[], depth: number): Promise<void> {
    const followers = nodes.map((node) => this.#follower(node));
    wholeNumber('depth', depth, 1);
    return this.exclusive(async () => {
      const branch = this.main.copy();
      const replaced = branch.rewind(branch.height - depth);
      for (const follower of followers) {
        follower.branch = branch;
        follower.target = { kind: 'follow', lag: 0 };
      }
      await this.#replace(branch, replaced);
      await this.settle();
    });
  }

  /**
   * Replaces the newest `depth` blocks of the chain and adds one, so that the new branch is the longer one. Nodes of
   * forks stay there.
   *
   * @returns the blocks that are no longer the chain's.
   */
  reorg(depth: number): Promise<readonly ChainBlock[]> {
    wholeNumber('depth', depth, 1);
    return this.exclusive(async () => {
      const replaced = this.main.rewind(this.height - depth);
      await this.#replace(this.main, replaced);
      await this.extend(this.main, this.now);
      await this.settle();
      return replaced;
    });
  }

  /**
   * The node says it is of another chain, and becomes so: the chain's transactions are not valid on it, therefore it is
   * given a branch of its own, different in its newest block.
   */
  async setChainId(node: AnvilNode, chainId: number): Promise<void> {
    if (this.height === 0) await this.mine();
    await this.fork([node], 1);
    this.#chainIdChanged.add(this.#follower(node));
    await node.rpc('anvil_setChainId', [chainId]);
  }

  /** Makes blocks at regular times until `stopProduction` or `close`. @param blockTimeMs @default that of `start` */
  startProduction(blockTimeMs = this.#blockTimeMs): void {
    if (this.#production !== undefined) throw new Error('production is on; stop it first');
    const stop = new AbortController();
    this.#production = { stop, ended: this.run(stop.signal, blockTimeMs) };
  }

  /** Resolves when the last block is made and the running nodes have it. */
  async stopProduction(): Promise<void> {
    this.#production?.stop.abort();
    await this.#production?.ended;
    this.#production = undefined;
    await this.settle();
  }

  override async close(): Promise<void> {
    this.#production?.stop.abort();
    await super.close();
    await this.#production?.ended;
  }

  async #replace(branch: Branch, replaced: readonly ChainBlock[]): Promise<void> {
    this.#shift++;
    for (const { timestamp } of replaced) await this.extend(branch, timestamp + this.#shift);
  }

  #follower(node: AnvilNode): Follower {
    const follower = this.followers.find((one) => one.node === node);
    if (follower === undefined) throw new Error(`${node.name} is not a node of this chain`);
    return follower;
  }
}

function wholeNumber(name: string, value: number, least: number): void {
  if (Number.isInteger(value) && value >= least) return;
  throw new RangeError(`${name} must be a whole number of at least ${least}, got ${value}`);
}
