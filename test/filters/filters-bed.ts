import type { FilterNodes, MadeFilter, Stand } from '../../runtime/filters/filter-nodes';
import { type FilterCaller } from '../../runtime/filters/filter-maker';
import { MemoryStore } from '../../runtime/filters/memory-store';
import { Quota } from '../../runtime/filters/quota';
import type { NodeFilter } from '../../runtime/filters/record';
import type { HeadView } from '../../runtime/rpc/head-view';
import type { Outcome } from '../../runtime/rpc/outcome';
import { MemoryChain } from './memory-chain';
import { SeeingProcess } from './seeing-process';

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

/** The filter methods over a chain in memory, in two processes that share what they keep. */
export class FiltersBed {
  readonly chain = new MemoryChain();
  readonly node = new KeepingNode(this.chain);
  readonly told: string[] = [];
  readonly lost: string[] = [];
  readonly hows: string[] = [];
  readonly store: MemoryStore;
  /** It sees each block at once. */
  readonly process: SeeingProcess;
  /** It sees of the chain what the test lets it. */
  readonly other: SeeingProcess;
  private ids = 0;

  constructor(options: { sticky?: boolean; maxPerClient?: number; maxFilters?: number } = {}) {
    const { sticky = false, maxPerClient = 10, maxFilters = 100 } = options;
    const now = (): number => performance.now();
    const bounds = { ttlMs: 60_000, maxPerClient, maxFilters };
    this.store = new MemoryStore(bounds, now);
    for (let i = 0; i < 20; i++) this.chain.grow(1);
    const parts = {
      store: this.store,
      quota: new Quota(bounds, now),
      sticky,
      nodes: this.node,
      maxBlocks: 1000,
      randomHex: (bytes: number) => (++this.ids).toString(16).padStart(2 * bytes, '0'),
      close: () => undefined,
      onPoll: (_: string, how: string) => this.hows.push(how),
      onLost: (kind: string) => this.lost.push(kind),
    };
    this.process = new SeeingProcess(this.chain, parts);
    this.other = new SeeingProcess(this.chain, parts);
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

  call(method: string, params: readonly unknown[], client?: string): Promise<Outcome> {
    this.process.look();
    return this.process.call(method, params, client);
  }

  async result(method: string, params: readonly unknown[] = [], client?: string): Promise<unknown> {
    return resultOf(await this.call(method, params, client));
  }

  /** @returns what was told, each as a text */
  async poll(id: unknown): Promise<string[]> {
    return textsOf(await this.result('eth_getFilterChanges', [id]));
  }

  /** At the other process, which may be on a branch that no node has any more, and then tells nothing. */
  async pollOther(id: unknown): Promise<string[]> {
    const outcome = await this.other.call('eth_getFilterChanges', [id]);
    return outcome.kind === 'refused' ? [] : textsOf(resultOf(outcome));
  }
}

function resultOf(outcome: Outcome): unknown {
  if (outcome.kind !== 'result') throw new Error(JSON.stringify(outcome));
  return JSON.parse(outcome.result.toString('utf8'));
}

function textsOf(changes: unknown): string[] {
  return (changes as unknown[]).map((change) => JSON.stringify(change));
}
