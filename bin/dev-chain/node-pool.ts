import { AnvilError } from './anvil-error';
import type { AnvilNode } from './anvil-node';
import * as control from './node-control';
import { signedTransaction, type Hex, type SignedTransaction, type TransactionJson } from './signed-transaction';

export interface NodePoolHooks {
  /** The transaction as it is known to the chain, if it is. */
  find(hash: Hex): SignedTransaction | undefined;
  /** The node has one that is not known. */
  onTransaction(transaction: SignedTransaction): void;
  onProblem(problem: AnvilError): void;
}

/** How often a pool is put in order again when clients' transactions keep coming in. */
const TRIES = 50;

/** The waiting transactions of one node: nothing in them is lost unseen, and they can be put in a given order. */
export class NodePool {
  readonly #node: AnvilNode;
  readonly #hooks: NodePoolHooks;

  constructor(node: AnvilNode, hooks: NodePoolHooks) {
    this.#node = node;
    this.#hooks = hooks;
  }

  /** Reports transactions the node has shown. @returns those any node can have. */
  report(shown: readonly TransactionJson[]): readonly SignedTransaction[] {
    return shown.flatMap((json) => {
      const known = this.#hooks.find(json.hash);
      if (known !== undefined) return known;
      const transaction = signedTransaction(json);
      if (transaction !== undefined) this.#hooks.onTransaction(transaction);
      return transaction ?? [];
    });
  }

  /** Reports what waits at the node, and drops what only this node could ever mine. @returns the hashes that stay. */
  async collect(): Promise<ReadonlySet<Hex>> {
    const shown = await control.readPool(this.#node);
    const usable = new Set(this.report(shown).map(({ hash }) => hash));
    const foreign = shown.map(({ hash }) => hash).filter((hash) => !usable.has(hash));
    for (const hash of foreign) {
      const why = 'it has no signature or carries blobs, so other nodes cannot have it';
      this.#hooks.onProblem(new AnvilError('DIVERGED', `${this.#node.name} drops ${hash}: ${why}`));
    }
    await this.#drop(foreign);
    return usable;
  }

  /** @returns for each why the node does not take it, which is no failure if it has it already. */
  add(transactions: readonly SignedTransaction[]): Promise<(AnvilError | undefined)[]> {
    return this.#node.rpcEach(
      'eth_sendRawTransaction',
      transactions.map(({ raw }) => [raw]),
    );
  }

  /**
   * Makes exactly these, in this order, what the node mines next. The longest beginning that is right already stays;
   * everything else leaves the pool and is reported first.
   *
   * @throws AnvilError `DIVERGED` if the node does not take them.
   */
  async arrange(wanted: readonly SignedTransaction[]): Promise<void> {
    for (let tries = 0; tries < TRIES; tries++) {
      const next = await control.nextTransactions(this.#node);
      const right = commonLength(
        next,
        wanted.map(({ hash }) => hash),
      );
      if (right === next.length && right === wanted.length) return;
      const stay = new Set(wanted.slice(0, right).map(({ hash }) => hash));
      await this.#drop([...(await this.collect())].filter((hash) => !stay.has(hash)));
      await this.add(wanted.slice(right));
    }
    throw new AnvilError('DIVERGED', `${this.#node.name} does not take ${wanted.length} transactions of a block`);
  }

  async #drop(hashes: readonly Hex[]): Promise<void> {
    await this.#node.rpcEach(
      'anvil_dropTransaction',
      hashes.map((hash) => [hash]),
    );
  }
}

function commonLength(a: readonly Hex[], b: readonly Hex[]): number {
  const differs = a.findIndex((hash, index) => hash !== b[index]);
  return differs === -1 ? Math.min(a.length, b.length) : differs;
}
