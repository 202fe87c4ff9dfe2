import type { Hex, SignedTransaction } from './signed-transaction';

/** A block as a recipe: on its parent, these transactions at this time give this hash, on any node. */
export interface ChainBlock {
  readonly number: number;
  readonly hash: Hex;
  /** Seconds since 1970. */
  readonly timestamp: number;
  /** Follows from the parent; stated to a node that has lost it. */
  readonly baseFeePerGas: Hex;
  readonly transactions: readonly SignedTransaction[];
}

/**
 * One line of blocks from the genesis block on, and the transactions that wait to enter it. All blocks are kept: a node
 * that starts from nothing is given them again.
 */
export class Branch {
  readonly #blocks: ChainBlock[];
  readonly #included = new Map<Hex, SignedTransaction>();
  readonly #pending = new Map<Hex, SignedTransaction>();
  readonly #withdrawn = new Set<Hex>();

  constructor(genesis: ChainBlock, ...more: readonly ChainBlock[]) {
    this.#blocks = [genesis, ...more];
    for (const block of more) this.#settle(block);
  }

  get tip(): ChainBlock {
    return this.block(this.height);
  }

  get height(): number {
    return this.#blocks.length - 1;
  }

  /** In the order of their arrival. */
  get pending(): IterableIterator<SignedTransaction> {
    return this.#pending.values();
  }

  /** @throws RangeError for a block this branch has not. */
  block(number: number): ChainBlock {
    const block = this.#blocks[number];
    if (block === undefined) throw new RangeError(`no block ${number}; the chain has 0 to ${this.height}`);
    return block;
  }

  /** Does this branch have that block? */
  has(number: number, hash: Hex): boolean {
    return this.#blocks[number]?.hash === hash;
  }

  /** The transaction, if it is in the branch or waits for it. */
  find(hash: Hex): SignedTransaction | undefined {
    return this.#included.get(hash) ?? this.#pending.get(hash);
  }

  waits(hash: Hex): boolean {
    return this.#pending.has(hash);
  }

  /** A transaction for one of the next blocks; what is in the branch already, or was withdrawn, is ignored. */
  offer(transaction: SignedTransaction): void {
    if (this.#withdrawn.has(transaction.hash)) return;
    if (this.find(transaction.hash) === undefined) this.#pending.set(transaction.hash, transaction);
  }

  /** The transaction can never enter: its nonce went to another one, or nodes refuse it. False if it did not wait. */
  withdraw(hash: Hex): boolean {
    const waited = this.#pending.delete(hash);
    if (waited) this.#withdrawn.add(hash);
    return waited;
  }

  append(block: ChainBlock): void {
    if (block.number !== this.height + 1) throw new RangeError(`block ${block.number} on top of ${this.height}`);
    this.#blocks.push(block);
    this.#settle(block);
  }

  /** Removes the blocks above `number`, which are returned; their transactions wait again, before the others. */
  rewind(number: number): readonly ChainBlock[] {
    this.block(number);
    const removed = this.#blocks.splice(number + 1);
    const waiting = [...this.#pending.values()];
    this.#pending.clear();
    this.#withdrawn.clear();
    for (const block of removed) {
      for (const transaction of block.transactions) {
        this.#included.delete(transaction.hash);
        this.#pending.set(transaction.hash, transaction);
      }
    }
    for (const transaction of waiting) this.#pending.set(transaction.hash, transaction);
    return removed;
  }

  /** A branch of its own with the same blocks and the same transactions waiting. */
  copy(): Branch {
    const [genesis, ...more] = this.#blocks;
    const copy = new Branch(genesis ?? this.tip, ...more);
    for (const transaction of this.pending) copy.offer(transaction);
    return copy;
  }

  #settle(block: ChainBlock): void {
    for (const transaction of block.transactions) {
      this.#included.set(transaction.hash, transaction);
      this.#pending.delete(transaction.hash);
    }
  }
}
