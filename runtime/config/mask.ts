import type { Config } from './schema';
import { configSchema } from './schema';
import { factsAt, formatPath, type Path } from './walk';

const HIDDEN = '(hidden)';

/** A URL as it may be shown: its scheme and host and `/…`; `(hidden)` when that much cannot be told for sure. */
export function maskUrl(url: string): string {
  // The slashes are required: the URL parser would read `https:secret` as a host called secret.
  if (!/^(https?|wss?|rediss?):\/\//i.test(url) || !URL.canParse(url)) return HIDDEN;
  const { protocol, host, pathname, search, hash } = new URL(url);
  // A password with a slash in it ends the host too early, and the rest of it would be taken for the host.
  return host === '' || `${pathname}${search}${hash}`.includes('@') ? HIDDEN : `${protocol}//${host}/…`;
}

/**
 * The configuration as it may be printed: URLs with scheme and host only, and whatever came from `${…}` as it was
 * written in the file rather than what it stands for.
 */
export function maskConfig(config: Config): unknown {
  return mask(config, [], writtenOf.get(config) ?? new Map());
}

/** Text values that came from `${…}`, by formatted path, as they were written. */
export type Written = ReadonlyMap<string, string>;

/** Beside the configuration, not in it: those who use it should not meet it. */
const writtenOf = new WeakMap<Config, Written>();

export function rememberWritten(config: Config, written: Written): void {
  writtenOf.set(config, written);
}

function mask(value: unknown, path: Path, written: Written): unknown {
  if (Array.isArray(value)) return value.map((item, index) => mask(item, [...path, index], written));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, mask(child, [...path, key], written)]));
  }
  if (typeof value === 'string' && factsAt(configSchema, path)?.secret === true) return maskUrl(value);
  return written.get(formatPath(path)) ?? value;
}

/** A value of any kind as a refusal may show it. */
export function showValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object' && value !== null) {
    return Object.keys(value).length === 0 ? 'an empty mapping' : 'a mapping';
  }
  if (typeof value === 'string') return showText(value);
  return typeof value === 'number' ? String(value) : JSON.stringify(value);
}

const MAX_SHOWN_CHARS = 60;

function showText(text: string): string {
  // A URL may have slipped into a place where none belongs.
  if (text.includes('://')) return maskUrl(text.trim());
  return JSON.stringify(text.length <= MAX_SHOWN_CHARS ? text : `${text.slice(0, MAX_SHOWN_CHARS)}…`);
}
