import type { FilterNodes, MadeFilter, Stand } from '../../runtime/filters/filter-nodes';
import { type FilterCaller } from '../../runtime/filters/filter-maker';
import { Filters } from '../../runtime/filters/filters';
import { MemoryStore } from '../../runtime/filters/memory-store';
import { Quota } from '../../runtime/filters/quota';
import type { NodeFilter } from '../../runtime/filters/record';
import type { HeadView } from '../../runtime/rpc/head-view';
import type { Outcome } from '../../runtime/rpc/outcome';
import { ownRequest } from '../../runtime/rpc/own-request';
import { Cancellation } from '../../runtime/util/cancellation';
import { MemoryChain } from './memory-chain';

/** A node that keeps filters, as far as filters see one: it has the chain, and tells what is new once. */
export class KeepingNode implements FilterNodes<FilterCaller> {
  /** It is there at all. */
  alive = true;
  /** It asked for a pause. */
  resting = false;
  /** It is behind by so many blocks. */
  behind = 0;
  /** What it has to tell that was not asked for yet. */
  untold: string[] = [];
  made = 0;
  asked = 0;

  constructor(private readonly chain: MemoryChain) {}

  make(): Promise<MadeFilter> {
    this.made++;
    this.alive = true;
    this.untold = [];
    return Promise.resolve({ kind: 'made', filter: { name: `node-${this.made}`, id: '0x1', mark: 'm', madeAt: 1 } });
  }

  height(): Promise<number | undefined> {
    return Promise.resolve(this.chain.tip.number);
  }

  stand(_: NodeFilter, head: HeadView): Stand {
    if (!this.alive) return { kind: 'gone' };
    const block = this.chain.blocks[head.number - this.behind];
    return block === undefined ? { kind: 'unsure' } : { kind: 'at', block: { number: block.number, hash: block.hash } };
  }

  rests(): boolean {
    return this.resting;
  }

  async changes({ name }: NodeFilter): Promise<Buffer | undefined> {
    this.asked++;
    if (!this.alive || name !== `node-${this.made}`) return undefined;
    const visible = this.untold.filter((text) => numberOf(text) <= this.chain.tip.number - this.behind);
    this.untold = this.untold.filter((text) => !visible.includes(text));
    // Other polls begin meanwhile, and some that began later end earlier.
    for (let ticks = this.asked % 3; ticks >= 0; ticks--) await new Promise((resolve) => setImmediate(resolve));
    return Buffer.from(`[${visible.join(',')}]`);
  }

  remove(): void {
    this.alive = false;
  }

  raise(): Promise<HeadView | undefined> {
    return Promise.resolve(this.chain.head);
  }
}

function numberOf(text: string): number {
  const { blockNumber } = JSON.parse(text) as { blockNumber?: string };
  return blockNumber === undefined ? 0 : Number(blockNumber);
}

/** The filter methods over a chain in memory. */
export class FiltersBed {
  readonly chain = new MemoryChain();
  readonly node = new KeepingNode(this.chain);
  readonly told: string[] = [];
  readonly lost: string[] = [];
  readonly hows: string[] = [];
  readonly filters: Filters<FilterCaller>;
  readonly store: MemoryStore;
  readonly cancel = new Cancellation();
  private ids = 0;

  constructor(options: { sticky?: boolean; maxPerClient?: number; maxFilters?: number } = {}) {
    const { sticky = false, maxPerClient = 10, maxFilters = 100 } = options;
    const now = (): number => performance.now();
    const bounds = { ttlMs: 60_000, maxPerClient, maxFilters };
    this.store = new MemoryStore(bounds, now);
    this.filters = new Filters({
      store: this.store,
      quota: new Quota(bounds, now),
      sticky,
      nodes: this.node,
      maxBlocks: 1000,
      wasOurs: () => true,
      send: () => async (method, params) => {
        const outcome = await this.chain.send(method, params);
        await new Promise((resolve) => setImmediate(resolve));
        return outcome;
      },
      randomHex: (bytes) => (++this.ids).toString(16).padStart(2 * bytes, '0'),
      close: () => undefined,
      onPoll: (_, how) => this.hows.push(how),
      onLost: (kind) => this.lost.push(kind),
    });
    for (let i = 0; i < 20; i++) this.chain.grow(1);
  }

  /** A block more, of which the node has something to tell. */
  grow(logs: number): void {
    this.chain.grow(logs);
    this.node.untold.push(...this.chain.tip.logs);
  }

  /** Blocks are given up for one more. A node that does not tell so tells the logs of the new branch only. */
  reorg(blocks: number, tells: boolean): void {
    const given = this.chain.blocks.slice(-blocks).reverse();
    this.chain.rewind(blocks);
    const removed = given.flatMap(({ logs }) => logs.toReversed()).map((text) => text.replace('false', 'true'));
    if (tells) this.node.untold.push(...removed);
    for (let i = 0; i <= blocks; i++) this.grow(i % 3);
  }

  call(method: string, params: readonly unknown[], client = 'c'): Promise<Outcome> {
    const caller = { client: { key: client }, head: this.chain.head, deadline: Infinity, cancel: this.cancel };
    return this.filters.handle(ownRequest(method, params), caller);
  }

  async result(method: string, params: readonly unknown[] = [], client = 'c'): Promise<unknown> {
    const outcome = await this.call(method, params, client);
    if (outcome.kind !== 'result') throw new Error(JSON.stringify(outcome));
    return JSON.parse(outcome.result.toString('utf8'));
  }

  /** @returns what was told, each as a text */
  async poll(id: unknown): Promise<string[]> {
    const changes = (await this.result('eth_getFilterChanges', [id])) as unknown[];
    return changes.map((change) => JSON.stringify(change));
  }
}
