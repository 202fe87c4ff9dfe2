import { isDeepStrictEqual } from 'node:util';
import type { ChainConfig, Config } from '../../config/schema';
import { nodeChanges } from './node-changes';

/** What is different, for the log; names only, for values may be secret. */
export interface ConfigChanges {
  /** Paths, such as `limits` and `chains.main.cache`. */
  readonly sections: readonly string[];
  readonly chainsAdded: readonly string[];
  readonly chainsRemoved: readonly string[];
  /** As `chain/node`, of chains that stay. A node with another address is there too. */
  readonly nodesAdded: readonly string[];
  readonly nodesRemoved: readonly string[];
  readonly nodesChanged: readonly string[];
}

/** Compares what the proxy reads; `haproxy` and `provider` are another program's. */
export function configChanges(before: Config, after: Config): ConfigChanges {
  const removed = Object.keys(before.chains).filter((name) => !staysChain(before, after, name));
  const added = Object.keys(after.chains).filter((name) => !staysChain(before, after, name));
  const pairs = Object.entries(after.chains).flatMap(([name, chain]) => {
    const was = before.chains[name];
    return was === undefined || added.includes(name) ? [] : [{ name, was, chain }];
  });
  const named = (kind: 'added' | 'removed' | 'moved' | 'changed'): string[] =>
    pairs.flatMap(({ name, was, chain }) => nodeChanges(was.nodes, chain.nodes)[kind].map((node) => `${name}/${node}`));
  return {
    sections: [
      ...SECTIONS.filter((key) => !isDeepStrictEqual(before[key], after[key])),
      ...(defaultChainOf(before) === defaultChainOf(after) ? [] : ['defaultChain']),
      ...pairs.flatMap(({ name, was, chain }) => chainSections(was, chain).map((key) => `chains.${name}.${key}`)),
    ],
    chainsAdded: added,
    chainsRemoved: removed,
    nodesAdded: named('added'),
    nodesRemoved: named('removed'),
    nodesChanged: [...named('moved'), ...named('changed')],
  };
}

/** By its name; with another id it is another chain. */
export function staysChain(before: Config, after: Config, name: string): boolean {
  const was = before.chains[name];
  return was !== undefined && was.chainId === after.chains[name]?.chainId;
}

export function isUnchanged(changes: ConfigChanges): boolean {
  return Object.values(changes).every((list: readonly string[]) => list.length === 0);
}

/** Keys that were changed and count at the next start only. */
export function needsRestart(running: Config, next: Config): string[] {
  const keys = (['listen', 'admin'] as const).flatMap((section) =>
    (['host', 'port'] as const).map((key) => ({ section, key })),
  );
  return keys
    .filter(({ section, key }) => running[section][key] !== next[section][key])
    .map(({ section, key }) => `${section}.${key}`);
}

/** The chain at `/`. */
export function defaultChainOf({ defaultChain, chains }: Config): string {
  return defaultChain ?? Object.keys(chains)[0] ?? '';
}

type Section = Exclude<keyof Config, 'chains' | 'defaultChain' | 'haproxy'>;
type ChainSection = Exclude<keyof ChainConfig, 'chainId' | 'nodes'>;

/** Records, so that the compiler misses none. */
const SECTIONS = Object.keys({
  listen: 0,
  admin: 0,
  http: 0,
  trustedProxies: 0,
  limits: 0,
  redis: 0,
  methods: 0,
  telemetry: 0,
} satisfies Record<Section, 0>) as Section[];
const CHAIN_SECTIONS = Object.keys({
  balancing: 0,
  health: 0,
  routing: 0,
  failover: 0,
  cache: 0,
  filters: 0,
} satisfies Record<ChainSection, 0>) as ChainSection[];

function chainSections(before: ChainConfig, after: ChainConfig): string[] {
  return CHAIN_SECTIONS.filter((key) => !isDeepStrictEqual(before[key], after[key]));
}
