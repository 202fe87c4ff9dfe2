/** What is refused unless it is allowed: node administration, keys held by a node, and state of the pool. */
const DENIED_BY_DEFAULT = [
  'admin_*',
  'anvil_*',
  'clique_*',
  'debug_*',
  'engine_*',
  'evm_*',
  'hardhat_*',
  'miner_*',
  'personal_*',
  'testing_*',
  'txpool_*',
  'eth_sendTransaction',
  'eth_sign*',
] as const;

/** Decisions are kept for this many names; callers may invent more, which are decided anew. */
const REMEMBERED = 1000;

export interface MethodPolicy {
  /** May callers use it? */
  allows(method: string): boolean;
  /** Did the configuration name it under `allow`? */
  names(method: string): boolean;
}

/**
 * `allow` wins over the built-in denials, `deny` wins over both. Denials ignore case, because a node might;
 * allowances do not, because most nodes do not.
 */
export function createMethodPolicy(allow: readonly string[], deny: readonly string[]): MethodPolicy {
  const denied = matcher(deny.map((pattern) => pattern.toLowerCase()));
  const deniedByDefault = matcher(DENIED_BY_DEFAULT.map((pattern) => pattern.toLowerCase()));
  const names = matcher(allow);
  const decided = new Map<string, boolean>();
  const decide = (method: string): boolean => {
    const lower = method.toLowerCase();
    return !denied(lower) && (names(method) || !deniedByDefault(lower));
  };
  return {
    names,
    allows: (method) => {
      const known = decided.get(method);
      if (known !== undefined) return known;
      const decision = decide(method);
      if (decided.size < REMEMBERED) decided.set(method, decision);
      return decision;
    },
  };
}

/** @returns whether a method is named by one of the patterns: a name, or a prefix and `*`. */
export function matcher(patterns: readonly string[]): (method: string) => boolean {
  const exact = new Set(patterns.filter((pattern) => !pattern.endsWith('*')));
  const prefixes = patterns.filter((pattern) => pattern.endsWith('*')).map((pattern) => pattern.slice(0, -1));
  return (method) => exact.has(method) || prefixes.some((prefix) => method.startsWith(prefix));
}
