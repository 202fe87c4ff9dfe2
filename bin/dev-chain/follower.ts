import { AnvilError } from './anvil-error';
import type { AnvilNode } from './anvil-node';
import type { Branch, ChainBlock } from './branch';
import * as control from './node-control';
import { NodePool } from './node-pool';
import { PendingFeed } from './pending-feed';
import type { SignedTransaction } from './signed-transaction';

/** Which blocks of its branch a node is to have. */
export type Target =
  /** All but the newest `lag`. */
  | { readonly kind: 'follow'; readonly lag: number }
  /** Those it has. */
  | { readonly kind: 'still' };

export interface FollowerHooks {
  /** A transaction some client gave to this node, or that was in a block taken away from it. */
  onTransaction(transaction: SignedTransaction, from: Follower): void;
  /** Something that will be tried again, or a transaction that had to be dropped. */
  onProblem(problem: unknown, from: Follower): void;
}

type BlockRef = Pick<ChainBlock, 'number' | 'hash'>;

/** How often a block is tried again when clients' transactions slip in between. */
const TRIES = 20;
/** Answers to a transaction that will be the same for ever. */
const REFUSED_FOR_EVER = /nonce too low|chain ?id|recover|decode|invalid sender|intrinsic|exceeds block gas/i;

/**
 * Keeps one node on a branch. It compares what the node has with what it is to have and does what is missing, whatever
 * the reason: the node is behind, was stopped, started again empty, or is on blocks that are no longer the chain.
 *
 * A node mines what its pool holds, and clients may add to the pool at any moment. So before a block the pool is brought
 * to the block's transactions in their order; a transaction that still slips in shows in the block's hash, and the block
 * is taken back, the transaction kept for a later block, and the block done again. All calls run one after the other.
 */
export class Follower {
  readonly node: AnvilNode;
  branch: Branch;
  target: Target = { kind: 'follow', lag: 0 };
  #reachable = true;
  #queue: Promise<unknown> = Promise.resolve();
  #nextSync: Promise<boolean> | undefined;
  #untold: SignedTransaction[] = [];
  readonly #pool: NodePool;
  readonly #feed: PendingFeed;
  readonly #hooks: FollowerHooks;

  constructor(node: AnvilNode, branch: Branch, hooks: FollowerHooks) {
    this.node = node;
    this.branch = branch;
    this.#hooks = hooks;
    this.#pool = new NodePool(node, {
      find: (hash) => this.branch.find(hash),
      onTransaction: (transaction) => hooks.onTransaction(transaction, this),
      onProblem: (problem) => hooks.onProblem(problem, this),
    });
    this.#feed = new PendingFeed(node.wsUrl, (transaction) => this.#pool.report([transaction]));
  }

  /** The node runs, and what was last asked of it was done. */
  get reachable(): boolean {
    return this.#reachable && this.node.state === 'running';
  }

  /** Is to have every block of its branch. */
  get wantsTip(): boolean {
    return this.target.kind === 'follow' && this.target.lag === 0;
  }

  /**
   * Brings the node to its target. Calls that wait for the same turn share it.
   *
   * @returns whether the node is there; why not is told to `onProblem`.
   */
  sync(): Promise<boolean> {
    this.#nextSync ??= this.#inTurn(() => {
      this.#nextSync = undefined;
      return this.#attempt(() => this.#converge());
    });
    return this.#nextSync;
  }

  /** Reports the transactions in the node's pool. */
  collect(): Promise<boolean> {
    return this.#inTurn(() =>
      this.#attempt(async () => {
        await this.#pool.collect();
      }),
    );
  }

  /** Gives the node a transaction of its branch; a node out of reach is told at the end of its next sync. */
  tell(transaction: SignedTransaction): void {
    if (!this.reachable || this.#untold.push(transaction) > 1) return;
    void this.#inTurn(() => {
      // Taken also where the node is gone by now: while there are any left no further turn is asked for.
      const untold = this.#untold.splice(0);
      return this.#attempt(() => this.#add(untold.filter(({ hash }) => this.branch.waits(hash))));
    });
  }

  /**
   * Lets the node make the branch's next block out of all transactions that wait.
   *
   * @param timestamp seconds since 1970, not less than the parent's.
   * @returns the block, appended to the branch, or `undefined` if the node could not.
   */
  propose(timestamp: number): Promise<ChainBlock | undefined> {
    return this.#inTurn(async () => {
      let block: ChainBlock | undefined;
      await this.#attempt(async () => {
        await this.#converge();
        block = await this.#extend(timestamp);
      });
      return block;
    });
  }

  /** Resolves when nothing more is done to the node. */
  async close(): Promise<void> {
    this.#feed.close();
    await this.#queue;
  }

  /** The branch and the target may change meanwhile, so each step looks at them anew. */
  async #converge(): Promise<void> {
    let at: BlockRef = await control.readHead(this.node);
    await this.#feed.ensure();
    while (this.target.kind === 'follow') {
      if (!this.branch.has(at.number, at.hash)) {
        at = await this.#returnToBranch(at);
        continue;
      }
      if (at.number >= this.branch.height - this.target.lag) break;
      const next = this.branch.block(at.number + 1);
      await this.#apply(next);
      at = next;
    }
    await this.#addMissing();
  }

  /** Takes back what is not of the branch. */
  async #returnToBranch(head: BlockRef): Promise<BlockRef> {
    let at = head;
    while (!this.branch.has(at.number, at.hash)) {
      if (at.number === 0) throw new AnvilError('DIVERGED', `${this.node.name} has another genesis block`);
      this.#pool.report((await control.readBlock(this.node, at.number)).transactions);
      at = { number: at.number - 1, hash: await control.readHash(this.node, at.number - 1) };
    }
    await control.rollBackTo(this.node, at.number);
    return at;
  }

  async #apply(block: ChainBlock): Promise<void> {
    for (let tries = 0; tries < TRIES; tries++) {
      await this.#pool.arrange(block.transactions);
      const mined = await control.mine(this.node, block.timestamp);
      if (mined.hash === block.hash) return;
      this.#pool.report(mined.transactions);
      await control.rollBackTo(this.node, block.number - 1);
      await control.setNextBaseFee(this.node, block.baseFeePerGas);
    }
    throw new AnvilError('DIVERGED', `${this.node.name} does not reproduce block ${block.number}`);
  }

  async #extend(timestamp: number): Promise<ChainBlock> {
    const number = this.branch.height + 1;
    for (let tries = 0; tries < TRIES; tries++) {
      const mined = await control.mine(this.node, timestamp);
      const transactions = this.#pool.report(mined.transactions);
      if (mined.number === number && transactions.length === mined.transactions.length) {
        const { hash, baseFeePerGas } = mined;
        const block: ChainBlock = { number, hash, timestamp, baseFeePerGas, transactions };
        this.branch.append(block);
        return block;
      }
      // In it is what only this node has: another node could not make this block.
      await control.rollBackTo(this.node, number - 1);
      await this.#addMissing();
    }
    throw new AnvilError('DIVERGED', `${this.node.name} keeps making blocks nobody else can`);
  }

  /** Gives the node what waits on its branch and is not in its pool. */
  async #addMissing(): Promise<void> {
    const inPool = await this.#pool.collect();
    await this.#add([...this.branch.pending].filter(({ hash }) => !inPool.has(hash)));
  }

  async #add(transactions: readonly SignedTransaction[]): Promise<void> {
    const refusals = await this.#pool.add(transactions);
    const final = refusals.map((refusal) => refusal !== undefined && REFUSED_FOR_EVER.test(refusal.message));
    if (!final.includes(true)) return;
    // A node in the middle of the chain may refuse what was in time; one at the tip has the last word.
    const head = await control.readHead(this.node);
    if (head.hash !== this.branch.tip.hash) return;
    transactions.forEach(({ hash }, index) => {
      if (final[index] === true && this.branch.withdraw(hash)) this.#hooks.onProblem(refusals[index], this);
    });
  }

  /** @returns whether the work was done. A process known to be stopped is spared the wait for its silence. */
  async #attempt(work: () => Promise<void>): Promise<boolean> {
    if (this.node.state !== 'running') return false;
    try {
      await work();
      this.#reachable = true;
    } catch (error) {
      this.#reachable = false;
      this.#hooks.onProblem(error, this);
    }
    return this.#reachable;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(work);
    this.#queue = turn.catch(() => undefined);
    return turn;
  }
}
