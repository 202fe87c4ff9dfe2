import { CLUSTER_RULES } from './rules-cluster';
import { PLACE_RULES } from './rules-place';
import { WORKLOAD_RULES } from './rules-workload';
import type { Settings } from './types';

/**
 * One thing that must hold. `path` names a value, `*` in it each item of a list, `**` all
 * that is below; `holds` is asked with every value found there, and with nothing where none is.
 */
export interface Rule {
  readonly path: string;
  readonly rule: string | ((settings: Settings) => string);
  readonly holds: (value: unknown, settings: Settings) => boolean;
  /** What to show of a wrong value. @default all of it */
  readonly show?: (value: unknown, settings: Settings) => unknown;
}

export interface Problem {
  readonly path: string;
  readonly rule: string;
  readonly got: unknown;
}

/** All that is wrong. A value with several faults is told once, by the first of its rules. */
export function checkSettings(settings: Settings): Problem[] {
  const found = new Map<string, Problem>();
  for (const { path, rule, holds, show } of [...PLACE_RULES, ...CLUSTER_RULES, ...WORKLOAD_RULES]) {
    for (const { at, value } of valuesAt(settings, path.split('.'), '')) {
      if (found.has(at) || holds(value, settings)) continue;
      found.set(at, {
        path: at,
        rule: typeof rule === 'string' ? rule : rule(settings),
        got: show ? show(value, settings) : value,
      });
    }
  }
  return [...found.values()];
}

export function formatProblem({ path, rule, got }: Problem): string {
  return `${path} must be ${rule}, got ${got === undefined ? 'nothing' : JSON.stringify(got)}`;
}

interface Found {
  readonly at: string;
  readonly value: unknown;
}

function valuesAt(value: unknown, path: readonly string[], at: string): Found[] {
  const [key, ...rest] = path;
  if (key === undefined) return [{ at, value }];
  if (key === '*') {
    return Array.isArray(value) ? value.flatMap((item, index) => valuesAt(item, rest, `${at}[${index}]`)) : [];
  }
  if (key === '**') return valuesBelow(value, at);
  const child = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
  return valuesAt(child, rest, at === '' ? key : `${at}.${key}`);
}

function valuesBelow(value: unknown, at: string): Found[] {
  if (typeof value !== 'object' || value === null) return [{ at, value }];
  return Object.entries(value).flatMap(([key, child]) =>
    valuesBelow(child, Array.isArray(value) ? `${at}[${key}]` : `${at}.${key}`),
  );
}
