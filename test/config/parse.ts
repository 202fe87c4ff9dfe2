import { ConfigError, parseConfig, type ParseOptions } from '../../runtime/config/load';
import type { Config } from '../../runtime/config/schema';

/** The smallest configuration, with further keys beside or instead of its own. */
export function minimal(extra: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return { chains: { mainnet: chain() }, ...extra };
}

export function chain(extra: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return { chainId: 1, nodes: [{ name: 'a', url: 'http://a.example' }], ...extra };
}

export function withNode(node: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return minimal({ chains: { mainnet: chain({ nodes: [{ name: 'a', ...node }] }) } });
}

/** JSON is YAML, so an object can stand for the text of a file. */
export function parse(document: unknown, options: Partial<ParseOptions> = {}): Config {
  return parseConfig(typeof document === 'string' ? document : JSON.stringify(document), { env: {}, ...options });
}

export function problemsOf(document: unknown, options: Partial<ParseOptions> = {}): readonly string[] {
  return refusalOf(document, options).problems;
}

export function refusalOf(document: unknown, options: Partial<ParseOptions> = {}): ConfigError {
  try {
    parse(document, options);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('the configuration was accepted');
}
