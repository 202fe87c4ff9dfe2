import type { ChainConfig, Config } from '../../config/schema';
import type { SharedRedis } from '../../redis/shared-redis';
import { forgetSeries } from '../../telemetry/forget';
import type { Logger } from '../../telemetry/logger';
import type { Metrics } from '../../telemetry/metrics';
import { now } from '../../util/clock';
import { instrument } from '../instrument';
import { defaultChainOf } from '../reload/config-changes';
import type { ChainParts } from '../status';
import { Chain } from './chain';
import { NodeStats } from './node-stats';

export interface ChainSetOptions {
  readonly redis: SharedRedis;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** How long a reload waits for the nodes of a chain that is new, in milliseconds. */
const FIRST_PROBES_MS = 2000;

/** The chains of the process. One that is removed goes on until its requests are answered. */
export class ChainSet {
  private parts: readonly ChainParts[];
  private readonly leaving = new Set<ChainParts>();

  constructor(
    config: Config,
    private readonly options: ChainSetOptions,
  ) {
    this.parts = this.compose(config, (name, chain) => this.create(name, chain, config));
  }

  /** In the order of the configuration. */
  get all(): readonly ChainParts[] {
    return this.parts;
  }

  /** The one at `/`. */
  get default(): ChainParts | undefined {
    return this.parts.find(({ paths }) => paths.includes('/'));
  }

  /** Resolves when each node was probed once, well or badly. */
  async start(): Promise<void> {
    await Promise.all(this.parts.map(({ chain }) => chain.nodes.start()));
  }

  /**
   * The chains from now on. New ones are probed first, for a moment at most; those that stay take what is new for them.
   *
   * @returns those that are no more, to be released when nobody asks them any more
   */
  async apply(config: Config): Promise<readonly ChainParts[]> {
    const before = this.parts;
    const { http, methods } = config;
    const waits: Promise<unknown>[] = [];
    const after = this.compose(config, (name, chain) => {
      const known = before.find((one) => one.name === name && one.chainId === chain.chainId);
      if (known !== undefined) {
        waits.push(known.chain.apply({ config: chain, http, methods }));
        return known;
      }
      const made = this.create(name, chain, config);
      waits.push(atMost(FIRST_PROBES_MS, made.chain.nodes.start()));
      return made;
    });
    await Promise.all(waits);
    this.parts = after;
    const gone = before.filter(({ chain }) => !after.some((one) => one.chain === chain));
    for (const one of gone) this.leaving.add(one);
    return gone;
  }

  /** Closes chains that `apply` has removed, and forgets what was counted of them. */
  async release(gone: readonly ChainParts[]): Promise<void> {
    for (const parts of gone) {
      const { name, chain } = parts;
      const nodes = chain.nodes.registry.nodes.map((node) => node.name);
      await chain.close();
      this.leaving.delete(parts);
      await this.forget(name, nodes);
    }
  }

  /** Waits for nothing. */
  async close(): Promise<void> {
    await Promise.all([...this.parts, ...this.leaving].map(({ chain }) => chain.close()));
  }

  /** Another chain may have its name, and nodes of the same names. */
  private async forget(chain: string, nodes: readonly string[]): Promise<void> {
    const { registry } = this.options.metrics;
    const successor = [...this.parts, ...this.leaving].find(({ name }) => name === chain)?.chain;
    if (successor === undefined) {
      await forgetSeries(registry, { chain });
      return;
    }
    const present = new Set(successor.nodes.registry.nodes.map(({ name }) => name));
    for (const node of nodes) if (!present.has(node)) await forgetSeries(registry, { chain, node });
  }

  private compose(
    config: Config,
    chainFor: (name: string, chain: ChainConfig) => Pick<ChainParts, 'chain' | 'stats'>,
  ): ChainParts[] {
    const atRoot = defaultChainOf(config);
    return Object.entries(config.chains).map(([name, own]) => {
      const { chainId, balancing } = own;
      const { chain, stats } = chainFor(name, own);
      const paths = [...(name === atRoot ? ['/'] : []), `/${name}`, `/${chainId}`];
      return { name, chainId, balancing, paths, chain, stats };
    });
  }

  private create(name: string, config: ChainConfig, { http, methods }: Config): Pick<ChainParts, 'chain' | 'stats'> {
    const { redis, metrics, log } = this.options;
    const stats = new NodeStats(now);
    const chain = new Chain({ config, http, methods, redis, events: instrument(name, metrics, log, stats) });
    return { chain, stats };
  }
}

async function atMost(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([work, late]);
  clearTimeout(timer);
}
