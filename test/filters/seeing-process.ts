import type { FilterCaller } from '../../runtime/filters/filter-maker';
import type { FilterNodes } from '../../runtime/filters/filter-nodes';
import { Filters, type FiltersParts } from '../../runtime/filters/filters';
import type { HeadView } from '../../runtime/rpc/head-view';
import type { Outcome } from '../../runtime/rpc/outcome';
import { ownRequest } from '../../runtime/rpc/own-request';
import { Cancellation } from '../../runtime/util/cancellation';
import type { MadeBlock, MemoryChain } from './memory-chain';

export type ProcessParts = Omit<FiltersParts<FilterCaller>, 'wasOurs' | 'send'>;

/** One of the processes that serve filters, as far as these see one: it knows the chain as it saw it last. */
export class SeeingProcess {
  readonly filters: Filters<FilterCaller>;
  readonly cancel = new Cancellation();
  /** What a node tells of blocks above the head is believed. */
  believes = true;
  private seen: readonly MadeBlock[] = [];
  private readonly ever = new Set<string>();

  constructor(
    private readonly chain: MemoryChain,
    parts: ProcessParts,
  ) {
    const raise = (): Promise<HeadView | undefined> => {
      if (!this.believes) return Promise.resolve(undefined);
      this.look();
      return Promise.resolve(this.head);
    };
    this.filters = new Filters({
      ...parts,
      nodes: createNodes(parts.nodes, raise),
      wasOurs: (hash) => this.ever.has(hash),
      send: () => async (method, params) => {
        const outcome = await chain.send(method, params);
        await new Promise((resolve) => setImmediate(resolve));
        return outcome;
      },
    });
    this.look();
  }

  /** Sees the chain as it is now, but for so many of its newest blocks; its head goes back in a reorganisation only. */
  look(behind = 0): void {
    const blocks = this.chain.blocks.slice(0, this.chain.blocks.length - behind);
    const [head, next] = [this.seen.at(-1), blocks.at(-1)];
    const isBack = head !== undefined && next !== undefined && next.number < head.number;
    if (isBack && this.chain.blocks[head.number]?.hash === head.hash) return;
    this.seen = blocks;
    for (const { hash } of blocks) this.ever.add(hash);
  }

  call(method: string, params: readonly unknown[], client = 'c'): Promise<Outcome> {
    const caller = { client: { key: client }, head: this.head, deadline: Infinity, cancel: this.cancel };
    return this.filters.handle(ownRequest(method, params), caller);
  }

  /** What a request that arrives now is pinned to; of other numbers the process tells what it has seen by then. */
  private get head(): HeadView | undefined {
    const head = this.seen.at(-1);
    if (head === undefined) return undefined;
    const hashAt = (at: number): string | undefined => {
      const isKept = at > (this.seen.at(-1)?.number ?? 0) - this.chain.ring;
      return isKept ? this.seen[at]?.hash : undefined;
    };
    return { number: head.number, hash: head.hash, hashAt, finalized: undefined };
  }
}

/** The same nodes, which raise the head of this process. */
function createNodes(nodes: FilterNodes<FilterCaller>, raise: FilterNodes<FilterCaller>['raise']) {
  return new Proxy(nodes, {
    get: (target, name) => {
      if (name === 'raise') return raise;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
