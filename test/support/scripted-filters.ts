import type { LogJson } from './filter-sequence';
import { toQuantity, type ScriptedChain } from './scripted-chain';
import { logsOf, logsOfRange } from './scripted-logs';
import { failed, ok, type RpcOutcome } from './scripted-outcome';

/**
 * The filters of one node as geth keeps them, with ids that count up from `0x1`: two nodes hand out the same ones. After
 * `branchAt` a poll tells the logs of the replaced blocks as removed, newest block first and last log first.
 */
export class ScriptedFilters {
  readonly #open = new Map<string, Filter>();
  #made = 0;

  constructor(
    private readonly chain: ScriptedChain,
    private readonly pool: ReadonlyMap<string, unknown>,
  ) {}

  /** As a node that is restarted: all are gone; ids go on. */
  forget(): void {
    this.#open.clear();
  }

  newFilter(criteria: unknown): RpcOutcome {
    if (criteria === undefined) return failed(-32602, 'missing value for required argument 0');
    return this.#add({ ...this.#fromHere(), kind: 'logs', criteria });
  }

  newBlockFilter(): RpcOutcome {
    return this.#add({ ...this.#fromHere(), kind: 'blocks' });
  }

  newPendingFilter(): RpcOutcome {
    return this.#add({ kind: 'pending', seen: new Set(this.pool.keys()) });
  }

  uninstall(id: unknown): RpcOutcome {
    return ok(this.#open.delete(String(id)));
  }

  logs(id: unknown): RpcOutcome {
    const filter = this.#open.get(String(id));
    return filter?.kind === 'logs' ? logsOfRange(this.chain, filter.criteria) : NOT_FOUND;
  }

  changes(id: unknown): RpcOutcome {
    const filter = this.#open.get(String(id));
    if (filter === undefined) return NOT_FOUND;
    if (filter.kind === 'pending') return ok(this.#newTransactions(filter));
    const removed = this.#undo(filter);
    const added: unknown[] = [];
    for (; filter.next <= this.chain.head; filter.next++) {
      const hash = this.chain.hash(filter.next);
      const logs = filter.kind === 'logs' ? logsOf(this.chain, filter.next) : [];
      filter.told.push({ number: filter.next, hash, logs });
      added.push(...(filter.kind === 'logs' ? logs : [hash]));
    }
    return ok([...removed, ...added]);
  }

  #add(filter: Filter): RpcOutcome {
    const id = toQuantity(++this.#made);
    this.#open.set(id, filter);
    return ok(id);
  }

  #fromHere(): Walk {
    return {
      next: this.chain.head + 1,
      told: [{ number: this.chain.head, hash: this.chain.hash(this.chain.head), logs: [] }],
    };
  }

  /** Takes back what is no longer the chain's. */
  #undo(filter: Walk): LogJson[] {
    const replaced = filter.told.findIndex(({ number, hash }) => this.chain.hash(number) !== hash);
    if (replaced === -1) return [];
    const orphans = filter.told.splice(replaced);
    filter.next = orphans[0]?.number ?? filter.next;
    return orphans.toReversed().flatMap(({ logs }) => logs.toReversed().map((log) => ({ ...log, removed: true })));
  }

  #newTransactions({ seen }: PendingFilter): string[] {
    const hashes = [...this.pool.keys()].filter((hash) => !seen.has(hash));
    for (const hash of hashes) seen.add(hash);
    return hashes;
  }
}

interface Walk {
  next: number;
  readonly told: { readonly number: number; readonly hash: string; readonly logs: readonly LogJson[] }[];
}

interface PendingFilter {
  readonly kind: 'pending';
  readonly seen: Set<string>;
}

type Filter =
  (Walk & { readonly kind: 'logs'; readonly criteria: unknown }) | (Walk & { readonly kind: 'blocks' }) | PendingFilter;

const NOT_FOUND = failed(-32000, 'filter not found');
