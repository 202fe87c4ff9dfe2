import { setTimeout as sleep } from 'node:timers/promises';
import { AnvilError } from './anvil-error';
import { AnvilNode } from './anvil-node';
import { Branch, type ChainBlock } from './branch';
import { Follower } from './follower';
import { readHead } from './node-control';
import type { SignedTransaction } from './signed-transaction';

export interface DevChainOptions {
  /** How many nodes, at least 1. */
  readonly nodes: number;
  readonly chainId: number;
  /** Milliseconds between blocks of `run`, more than 0. */
  readonly blockTimeMs: number;
  /** Of the genesis block, in seconds since 1970. @default the second before the present one */
  readonly genesisTimestamp?: number;
  /** After so many milliseconds without an answer a node is passed by until it answers again. @default 1000 */
  readonly rpcTimeoutMs?: number;
  /** Further arguments for every anvil, e.g. `['--accounts', '20']`. */
  readonly args?: readonly string[];
  /** Stops all nodes. */
  readonly signal?: AbortSignal;
  /** Told of what will be tried again, e.g. that a node does not answer, and of transactions that had to be dropped. */
  readonly onProblem?: (node: AnvilNode, problem: unknown) => void;
  /** Milliseconds since 1970. @default Date.now */
  readonly now?: () => number;
}

/**
 * Real Ethereum nodes that share one chain without a protocol between them.
 *
 *     client ──tx──▶ node 0 ──┐ pools are heard of at once    ┌──▶ node 0   proposes the block, its hash is the chain's
 *     client ──tx──▶ node 1 ──┴──▶ transactions that wait ────┼──▶ node 1   makes the same block: same parent, same
 *                                  + a timestamp, each block  └──▶ node 2   transactions, same time, hence same hash
 *
 * A transaction given to any node is in the pools of all within milliseconds and in the next block. A node that is down,
 * stopped or slow holds up nobody; when it answers again, even empty, it is given every block it lacks.
 *
 * What changes the state of one node past the chain (`anvil_setBalance`, `evm_mine`, …) makes it another chain's node:
 * do not let clients call it. Two transactions with the same nonce given to two nodes at once remain rivals, as on any
 * network: one is mined, the other dropped. `eth_sendTransaction` lets the node choose the nonce, so whoever spreads the
 * calls of one sender over the nodes within milliseconds makes rivals; such calls belong on one node, and the node that
 * gets them makes the blocks.
 */
export class DevChain {
  readonly nodes: readonly AnvilNode[];
  protected readonly main: Branch;
  protected readonly followers: readonly Follower[];
  /**
   * Least seconds from block to block. Ethereum's timestamps rise by 1 or more. With blocks every 250 ms that would run
   * away from the clock by 3 s a second, so fast blocks share a second, as they do on rollups; anvil allows it.
   */
  readonly #leastStep: number;
  readonly #options: DevChainOptions;
  #queue: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;
  readonly #end = new AbortController();
  /**
   * The node a client gave the newest transaction to; it makes the blocks. The others' pools are brought to each block's
   * transactions, so for some milliseconds they lack the rest, and `eth_sendTransaction` would give a nonce out twice.
   */
  #source: Follower | undefined;

  /** @throws AnvilError `NO_BINARY`, `START_FAILED`; nothing is left running then. */
  static async start(options: DevChainOptions): Promise<DevChain> {
    const chain = new DevChain(options, await startNodes(options));
    await chain.settle();
    return chain;
  }

  protected constructor(options: DevChainOptions, { nodes, genesis }: StartedNodes) {
    this.#options = options;
    this.#leastStep = options.blockTimeMs < 1000 ? 0 : 1;
    this.nodes = nodes;
    this.main = new Branch(genesis);
    const onTransaction = (transaction: SignedTransaction, from: Follower): void => this.#spread(transaction, from);
    const onProblem = (problem: unknown, from: Follower): void => {
      // That a node being stopped answers no more is no news.
      if (!this.#end.signal.aborted) options.onProblem?.(from.node, problem);
    };
    this.followers = nodes.map((node) => new Follower(node, this.main, { onTransaction, onProblem }));
    options.signal?.addEventListener('abort', () => void this.close(), { once: true });
    if (options.signal?.aborted === true) void this.close();
  }

  /** Number of the newest block. */
  get height(): number {
    return this.main.height;
  }

  /**
   * Makes the next block out of everything in the pools, and waits until every running node has the blocks it is to
   * have, or did not answer.
   *
   * @throws AnvilError `NO_NODE` when no node could make it.
   */
  produceBlock(): Promise<ChainBlock> {
    return this.exclusive(async () => {
      await Promise.all(this.followers.map((follower) => follower.collect()));
      const block = await this.#extendAll();
      await this.settle();
      return block;
    });
  }

  /** Brings every running node to the blocks it is to have; resolves when each has them or has failed to answer. */
  async settle(): Promise<void> {
    await Promise.all(this.followers.map((follower) => follower.sync()));
  }

  /**
   * Makes blocks at the block time until the signal or `close`. A moment missed is not made up for: after a stall the
   * next block comes at the next regular moment. Nodes that lag are caught up beside it.
   */
  async run(signal: AbortSignal, blockTimeMs = this.#options.blockTimeMs): Promise<void> {
    const begin = performance.now();
    const stop = AbortSignal.any([signal, this.#end.signal]);
    let moment = 0;
    while (!stop.aborted) {
      try {
        await this.exclusive(() => this.#extendAll());
      } catch {
        // Every node's reason was told to onProblem; the next moment is another try.
      }
      for (const follower of this.followers) void follower.sync();
      const elapsed = performance.now() - begin;
      // At least one further: timers may fire a little early.
      moment = Math.max(moment, Math.floor(elapsed / blockTimeMs)) + 1;
      await sleep(moment * blockTimeMs - elapsed, undefined, { signal: stop }).catch(() => undefined);
    }
  }

  /** Stops the nodes; resolves when all are gone. Repeating it does no harm. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** The branches that are followed, the main one first. */
  protected get branches(): ReadonlySet<Branch> {
    return new Set([this.main, ...this.followers.map(({ branch }) => branch)]);
  }

  /** One change to the branches at a time. */
  protected exclusive<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(work);
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  /** Makes one block with the first node that can. @param timestamp the least one, in seconds since 1970. */
  protected async extend(branch: Branch, timestamp: number): Promise<ChainBlock> {
    const atTip = this.followers.filter((follower) => follower.branch === branch && follower.wantsTip);
    const rank = (one: Follower): number => (one.reachable ? 2 : 0) + (one === this.#source ? 1 : 0);
    const inOrder = atTip.toSorted((a, b) => rank(b) - rank(a));
    for (const follower of inOrder) {
      const block = await follower.propose(Math.max(timestamp, branch.tip.timestamp + this.#leastStep));
      if (block !== undefined) return block;
    }
    throw new AnvilError('NO_NODE', `none of ${atTip.length} nodes could make block ${branch.height + 1}`);
  }

  protected get now(): number {
    return Math.floor((this.#options.now ?? Date.now)() / 1000);
  }

  async #extendAll(): Promise<ChainBlock> {
    const others = [...this.branches].filter((branch) => branch !== this.main);
    const block = await this.extend(this.main, this.now);
    for (const branch of others) await this.extend(branch, this.now).catch(() => undefined);
    return block;
  }

  #spread(transaction: SignedTransaction, from: Follower): void {
    this.#source = from;
    for (const branch of this.branches) branch.offer(transaction);
    for (const follower of this.followers) if (follower !== from) follower.tell(transaction);
  }

  async #close(): Promise<void> {
    this.#end.abort();
    await Promise.all(this.nodes.map((node) => node.close()));
    await Promise.all(this.followers.map((follower) => follower.close()));
    await this.#queue;
  }
}

export interface StartedNodes {
  readonly nodes: readonly AnvilNode[];
  readonly genesis: ChainBlock;
}

/** Starts nodes that all have the same genesis block. @throws AnvilError; nothing is left running then. */
export async function startNodes(options: DevChainOptions): Promise<StartedNodes> {
  const { chainId, args = [], rpcTimeoutMs = 1000 } = options;
  const timestamp = options.genesisTimestamp ?? Math.floor((options.now ?? Date.now)() / 1000) - 1;
  const starts = Array.from({ length: options.nodes }, (_, index) =>
    AnvilNode.start({ name: `node-${index}`, chainId, timestamp, args, rpcTimeoutMs }),
  );
  const settled = await Promise.allSettled(starts);
  const nodes = settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  try {
    const [first] = await Promise.all(starts);
    if (first === undefined) throw new RangeError(`nodes must be at least 1, got ${options.nodes}`);
    return { nodes, genesis: { ...(await readHead(first)), transactions: [] } };
  } catch (error) {
    await Promise.all(nodes.map((node) => node.close()));
    throw error;
  }
}
