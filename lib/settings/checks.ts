import { fit, type Misfit } from './fit';
import { CLUSTER_RULES } from './rules-cluster';
import { PLACE_RULES } from './rules-place';
import { WORKLOAD_RULES } from './rules-workload';
import { SHAPE } from './shape';
import type { Settings } from './types';

/**
 * One thing that must hold. `path` names a value, `*` in it each item of a list, `**` all
 * that is below; `holds` is asked with every value found there, and with nothing where none is.
 */
export interface Rule {
  readonly path: string;
  readonly rule: string | ((settings: Settings) => string);
  readonly holds: (value: unknown, settings: Settings) => boolean;
  /** Paths of what it compares with: where one of them is wrong, nothing can be told. @default none */
  readonly beside?: readonly string[];
  /** What to show of a wrong value. @default all of it */
  readonly show?: (value: unknown, settings: Settings) => unknown;
}

export type Problem = Misfit;

export interface Checked {
  /** All that is wrong. A value with several faults is told once, by the first of its rules. */
  readonly problems: readonly Problem[];
  /** The settings with something harmless in place of what is wrong, so that the rest can be tried. */
  readonly harmless: Settings;
}

/** @param given settings, or whatever stands in their place */
export function checkSettings(given: Settings): Checked {
  const misshapen = new Map<string, Problem>();
  const wrongLeaves = new Map<string, Problem>();
  const settings = fit(given, SHAPE, '', {
    tell: (misfit, isLeaf) => (isLeaf ? wrongLeaves : misshapen).set(misfit.path, misfit),
  }) as Settings;
  const found = new Map(misshapen);
  // A list with a fault of its own can still be compared with.
  const isWrongLeaf = (path: string): boolean =>
    wrongLeaves.has(path) ||
    (found.has(path) && !valuesAt(settings, path.split('.'), '').some(({ value }) => Array.isArray(value)));
  for (const rule of RULES) {
    if (rule.beside?.some((path) => isAtOrBelow(path, misshapen.keys()) || isWrongLeaf(path)) === true) continue;
    for (const { at, value } of valuesAt(settings, rule.path.split('.'), '')) {
      if (isAtOrBelow(at, misshapen.keys()) || found.has(at) || rule.holds(value, settings)) continue;
      found.set(at, problemOf(rule, at, value, settings));
    }
  }
  for (const [path, problem] of wrongLeaves) if (!isAtOrBelow(path, found.keys())) found.set(path, problem);
  return { problems: [...found.values()], harmless: withoutWrong(settings, found) };
}

const RULES = [...PLACE_RULES, ...CLUSTER_RULES, ...WORKLOAD_RULES];

function problemOf({ rule, show }: Rule, path: string, value: unknown, settings: Settings): Problem {
  return {
    path,
    rule: typeof rule === 'string' ? rule : rule(settings),
    got: show ? show(value, settings) : value,
  };
}

export function formatProblem({ path, rule, got }: Problem): string {
  return `${path === '' ? 'all' : path} must be ${rule}, got ${got === undefined ? 'nothing' : JSON.stringify(got)}`;
}

/** Whether the path is one of these, or of something in one of them. */
export function isAtOrBelow(path: string, paths: Iterable<string>): boolean {
  return [...paths].some((at) => at === path || at === '' || path.startsWith(`${at}.`) || path.startsWith(`${at}[`));
}

const HARMLESS: Readonly<Record<string, unknown>> = { text: '', number: 1, flag: false };

function withoutWrong(settings: Settings, wrong: ReadonlyMap<string, Problem>): Settings {
  return fit(settings, SHAPE, '', {
    leaf: (value, isRight, path, shape) => {
      // A wrong text does no harm, and more may be told of it.
      if (isRight && (typeof value === 'string' || !wrong.has(path))) return value;
      return typeof shape === 'string' ? HARMLESS[shape] : undefined;
    },
  }) as Settings;
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
