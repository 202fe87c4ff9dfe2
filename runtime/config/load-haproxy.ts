import { checkForHaproxy } from './haproxy-checks';
import { parseAs, type ParseOptions } from './load';
import type { ChainConfig, Config } from './schema';
import { entriesOf, isMapping } from './walk';

/** The part of the configuration that haproxy.cfg is made of, with the providers' secrets in it. */
export type HaproxyConfig = Pick<Config, Read> & { readonly chains: Readonly<Record<string, HaproxyChainConfig>> };
export type HaproxyChainConfig = Pick<ChainConfig, ReadOfChain>;

type Read = Exclude<(typeof READ)[number], 'chains'>;
type ReadOfChain = (typeof READ_OF_CHAIN)[number];

const READ = ['listen', 'admin', 'http', 'haproxy', 'defaultChain', 'chains'] as const;
const READ_OF_CHAIN = ['chainId', 'health', 'failover', 'nodes'] as const;

export interface HaproxyParseOptions extends ParseOptions {
  /** For `${NAME}`, before the environment. */
  readonly secrets?: Readonly<Record<string, string>>;
}

/**
 * Reads what HAProxy needs of a configuration file, and expands it, `provider` too. What else is in the file (the
 * password of a Redis, say, which is not there where HAProxy runs) is neither expanded nor checked.
 *
 * @throws ConfigError with all problems, by path and without secrets
 */
export function loadHaproxyConfig(text: string, options: HaproxyParseOptions): HaproxyConfig {
  const { env, secrets = {}, ...others } = options;
  // Not a spread alone: a name such as `__proto__` is a name like others.
  const names = Object.assign(Object.create(null) as Record<string, string | undefined>, env, secrets);
  return parseAs(
    text,
    { ...others, env: names },
    { select, check: checkForHaproxy, verbatimToo: true, nameRule: NAME_RULE },
  );
}

const NAME_RULE = 'the name of a secret, or of an environment variable, that is set';

function select(document: unknown): unknown {
  if (!isMapping(document)) return document;
  return mapEntries(pick(document, READ), (key, value) =>
    key === 'chains' && isMapping(value) ? mapEntries(value, (_, chain) => selectOfChain(chain)) : value,
  );
}

function selectOfChain(chain: unknown): unknown {
  if (!isMapping(chain)) return chain;
  return mapEntries(pick(chain, READ_OF_CHAIN), (key, value) =>
    key === 'nodes' && Array.isArray(value) ? value.map(selectOfNode) : value,
  );
}

/** Keeps the node in its place, so that paths stay right, and that it has a `url`, which is the proxy's alone. */
function selectOfNode(node: unknown): unknown {
  if (!isMapping(node)) return node;
  return mapEntries(node, (key, value) => {
    if (key !== 'url' && key !== 'wsUrl') return value;
    return typeof value === 'string' ? `${key === 'url' ? 'http' : 'ws'}://dialled.by.the.proxy.invalid` : value;
  });
}

function pick(mapping: object, keys: readonly string[]): object {
  return Object.fromEntries(entriesOf(mapping).filter(([key]) => keys.includes(key)));
}

function mapEntries(mapping: object, change: (key: string, value: unknown) => unknown): object {
  return Object.fromEntries(entriesOf(mapping).map(([key, value]) => [key, change(key, value)]));
}
