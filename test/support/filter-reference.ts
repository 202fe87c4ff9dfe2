import { setTimeout as sleep } from 'node:timers/promises';
import type { AnvilNode } from '../../bin/dev-chain/anvil-node';
import type { ChainBlock } from '../../bin/dev-chain/branch';
import type { ChainConductor } from './chain-conductor';
import { toTold, type LogJson, type Told } from './filter-sequence';

/**
 * What a client hears that polls one healthy node between any two changes of the chain, a node that tells reorgs as geth
 * does: the logs of each block in order; in a reorg first those of the replaced blocks with `removed: true`, in undo
 * order (newest block first, last log first), then those of the new branch.
 *
 * The chain has to be changed through here, as each block's logs are read, by the block's hash, when it is made.
 *
 *     const reference = new FilterReference(chain, node, { address });
 *     await reference.mine();
 *     await reference.reorg(2);
 *     reference.start(500);  await reference.stop();
 *     await reference.still(async () => expect(client.told).toEqual(reference.logs));
 */
export class FilterReference {
  readonly logs: Told[] = [];
  /** Hashes of the blocks, those of a new branch after those they replace. */
  readonly blocks: Told[] = [];
  readonly #logsOf = new Map<string, readonly LogJson[]>();
  #queue: Promise<unknown> = Promise.resolve();
  #running: { readonly stop: AbortController; readonly ended: Promise<void> } | undefined;

  /**
   * @param node read for logs; one that always has the chain and is not known to who is tested
   * @param criteria address and topics, as eth_getLogs takes them
   */
  constructor(
    private readonly chain: ChainConductor,
    private readonly node: AnvilNode,
    private readonly criteria: { readonly address?: string; readonly topics?: readonly unknown[] },
  ) {}

  /** Does something while the chain stands still. */
  still<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(work);
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  mine(count = 1): Promise<void> {
    return this.still(async () => {
      for (let made = 0; made < count; made++) await this.#tell(await this.chain.mine());
    });
  }

  /** @param before is awaited first, with the chain standing still: for instance until clients heard of all there is. */
  reorg(depth: number, before: () => Promise<void> = () => Promise.resolve()): Promise<void> {
    return this.still(async () => {
      await before();
      const replaced = await this.chain.reorg(depth);
      for (const { hash } of replaced.toReversed()) this.#untell(hash);
      const first = replaced[0]?.number ?? this.chain.height;
      for (let number = first; number <= this.chain.height; number++) await this.#tell(this.chain.block(number));
    });
  }

  /** Makes a block every so many milliseconds until `stop`. */
  start(blockTimeMs: number): void {
    const stop = new AbortController();
    this.#running = { stop, ended: this.#run(blockTimeMs, stop.signal) };
  }

  /** Resolves when the last block is made. @throws what making a block threw. */
  async stop(): Promise<void> {
    this.#running?.stop.abort();
    await this.#running?.ended;
    this.#running = undefined;
  }

  async #run(blockTimeMs: number, signal: AbortSignal): Promise<void> {
    for (;;) {
      const begin = performance.now();
      await this.mine();
      if (signal.aborted) return;
      await sleep(Math.max(0, begin + blockTimeMs - performance.now()), undefined, { signal }).catch(() => undefined);
    }
  }

  async #tell({ hash }: ChainBlock): Promise<void> {
    const logs = (await this.node.rpc('eth_getLogs', [{ ...this.criteria, blockHash: hash }])) as LogJson[];
    this.#logsOf.set(hash, logs);
    this.logs.push(...logs.map(toTold));
    this.blocks.push(hash);
  }

  #untell(hash: string): void {
    const logs = this.#logsOf.get(hash) ?? [];
    this.logs.push(...logs.toReversed().map((log) => toTold({ ...log, removed: true })));
  }
}
