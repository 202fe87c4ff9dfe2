import { setTimeout as sleep } from 'node:timers/promises';
import type { AnvilNode } from '../../bin/dev-chain/anvil-node';
import { ChainConductor } from '../support/chain-conductor';
import { eventually } from '../support/eventually';
import { FilterClient, type FilterKind } from '../support/filter-client';
import { FilterReference } from '../support/filter-reference';
import { foldTold, partingOf, type Told } from '../support/filter-sequence';
import { LogEmitter, TICK_TOPIC } from '../support/log-emitter';
import { closeConnections, resultOf } from '../support/oracle-client';
import { ProxyProcess } from '../support/proxy-process';
import { RedisProcess } from '../support/redis-process';

export type Mode = 'computed' | 'sticky';

export const PREFIX = 'filter-test:';
/** In the URLs of the nodes; it may be nowhere in Redis. */
export const CANARY = 'c4n4ry-0f-the-n0des';

/** A client, and what it is to be told since its filter was made. */
export interface Watch {
  readonly mode: Mode;
  readonly client: FilterClient;
  readonly expected: () => readonly Told[];
}

/** The criteria of a log filter; of the others nothing. */
export type Wanted = 'logs' | 'even logs' | 'blocks';

/**
 * Three real nodes with one chain, a fourth that only the test knows, a contract that logs, one Redis, and for each mode
 * as many proxies as wanted, which share its filters.
 */
export class FilterBed {
  readonly proxies: Record<Mode, ProxyProcess[]> = { computed: [], sticky: [] };
  readonly #clients: FilterClient[] = [];

  static async start(modes: readonly Mode[], proxies = 2): Promise<FilterBed> {
    const [chain, redis] = await Promise.all([
      ChainConductor.start({ nodes: 4, blockTimeMs: 500 }),
      RedisProcess.start(),
    ]);
    await chain.mine(3);
    const reader = chain.nodes[3];
    if (reader === undefined) throw new Error('there are four nodes');
    const emitter = await LogEmitter.deploy(chain, reader);
    const reference = new FilterReference(chain, reader, { address: emitter.address, topics: [TICK_TOPIC] });
    const bed = new FilterBed(chain, redis, emitter, reference);
    await Promise.all(
      modes.map(async (mode) => {
        bed.proxies[mode] = await Promise.all(Array.from({ length: proxies }, () => bed.startProxy(mode)));
      }),
    );
    return bed;
  }

  private constructor(
    readonly chain: ChainConductor,
    readonly redis: RedisProcess,
    readonly emitter: LogEmitter,
    readonly reference: FilterReference,
  ) {}

  /** Those the proxies know. */
  get nodes(): readonly AnvilNode[] {
    return this.chain.nodes.slice(0, 3);
  }

  node(name: string): AnvilNode {
    const node = this.nodes.find((one) => one.name === name);
    if (node === undefined) throw new Error(`no node ${name}`);
    return node;
  }

  async startProxy(mode: Mode, nodes = this.nodes): Promise<ProxyProcess> {
    const proxy = await ProxyProcess.start({
      redis: { url: this.redis.url, keyPrefix: `${PREFIX}${mode}:` },
      chains: {
        dev: {
          chainId: 31337,
          health: { intervalMs: 100 },
          filters: { mode },
          nodes: nodes.map(({ name, url }) => ({ name, url: url.replace('//', `//user:${CANARY}@`) })),
        },
      },
    });
    await proxy.until(({ redis, chains }) => redis?.up === true && chains[0]?.nodes.every(isUp) === true);
    return proxy;
  }

  urls(mode: Mode): string[] {
    return this.proxies[mode].map(({ url }) => url);
  }

  /** Resolves when every proxy's head is the chain's. Only sensible while the chain stands still. */
  async atTip(): Promise<void> {
    const { hash } = this.chain.block();
    const proxies = Object.values(this.proxies).flat();
    await Promise.all(proxies.map((proxy) => proxy.until(({ chains }) => chains[0]?.head?.hash === hash)));
  }

  /** Makes a filter; to be called while the chain stands still. */
  async watch(mode: Mode, wanted: Wanted): Promise<Watch> {
    const { logs, blocks } = this.reference;
    const { address } = this.emitter;
    const open = (kind: FilterKind, params: unknown[] = []) => this.open(mode, kind, params);
    const since = { logs: logs.length, blocks: blocks.length };
    switch (wanted) {
      case 'logs':
        return { mode, client: await open('eth_newFilter', [{ address }]), expected: () => logs.slice(since.logs) };
      case 'even logs':
        return {
          mode,
          client: await open('eth_newFilter', [{ topics: [TICK_TOPIC, [EVEN]] }]),
          expected: () => logs.slice(since.logs).filter(isEven),
        };
      case 'blocks':
        return { mode, client: await open('eth_newBlockFilter'), expected: () => blocks.slice(since.blocks) };
    }
  }

  /** A client of the proxies of this mode, which is stopped at `close`. */
  async open(mode: Mode, kind: FilterKind, params: readonly unknown[] = []): Promise<FilterClient> {
    const client = await FilterClient.create(kind, params, this.urls(mode));
    this.#clients.push(client);
    return client;
  }

  /**
   * As `watch`, sticky, at this node: those that end up elsewhere are removed again. A node that was away may be left alone
   * for a while after it is back.
   */
  async watchAt(node: AnvilNode, wanted: Wanted): Promise<Watch> {
    for (let tries = 0; tries < 200; tries++) {
      const watch = await this.watch('sticky', wanted);
      if ((await this.feederOf(watch.client.id)) === node) return watch;
      await resultOf(watch.client.urls[0] ?? '', 'eth_uninstallFilter', [watch.client.id]);
      if (tries > 20) await sleep(100);
    }
    throw new Error(`no filter at ${node.name} in two hundred tries`);
  }

  /** The node that feeds a sticky filter, which its record in Redis names. */
  async feederOf(id: string): Promise<AnvilNode> {
    const [feeder] = await this.feeders(id);
    if (feeder === undefined) throw new Error(`no record of ${id} names a node`);
    return feeder;
  }

  /** The nodes named by what Redis holds under keys with this in their names. */
  async feeders(part: string): Promise<AnvilNode[]> {
    const keys = (await this.redis.keys()).filter((key) => key.includes(part));
    const records = await Promise.all(keys.map((key) => this.redis.contents(key)));
    return records.flatMap((record) => /node-\d/.exec(record)?.[0] ?? []).map((name) => this.node(name));
  }

  /** Logs at this rate, in blocks of half a second. */
  run(logsPerSecond: number): void {
    this.emitter.start(logsPerSecond);
    this.reference.start(500);
  }

  /** No more logs; those there are get into blocks. */
  async rest(): Promise<void> {
    await this.emitter.stop();
    await this.reference.stop();
    await this.reference.mine();
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.stop()));
    await this.rest().catch(() => undefined);
    await Promise.all(Object.values(this.proxies).flatMap((some) => some.map((proxy) => proxy.stop())));
    closeConnections();
    await Promise.all([this.chain.close(), this.redis.stop()]);
  }
}

/** Resolves when each was told all there is to be told; to be called while the chain stands still. */
export async function allHeard(watches: readonly Watch[]): Promise<void> {
  await Promise.all(
    watches.map(({ client, expected }) =>
      eventually(
        () => client.told.length >= expected().length,
        () => `${expected().length} things to be told; ${client.state}; ${partingOf(client.told, expected())}`,
      ),
    ),
  );
}

/** Stops the clients, and polls each once more everywhere: what comes then was told twice or late. */
export async function stopAll(watches: readonly Watch[]): Promise<void> {
  await Promise.all(watches.map(({ client }) => client.stop()));
  await sleep(200);
  for (const { client } of watches) await client.pollEach();
}

/** Compares what each was told with what it was to be told. */
export function expectAsExpected(watches: readonly Watch[]): void {
  for (const { mode, client, expected } of watches) {
    expect({ mode, parting: partingOf(client.told, expected()), refusals: client.refusals }).toEqual({
      mode,
      parting: undefined,
      refusals: [],
    });
    expect(() => foldTold(client.told)).not.toThrow();
  }
}

const EVEN = `0x${'0'.repeat(64)}`;

const isEven = (told: Told): boolean => told.split(' ')[2]?.split(',')[1] === '0';
const isUp = ({ health }: { readonly health: string }): boolean => health === 'up';
