import { z } from 'zod';
import { maskUrl, showValue, type Written } from './mask';
import { nearest } from './nearest';
import { configSchema } from './schema';
import { factsAt, formatPath, type Path, schemaAt, valueAt, valueOrDefault } from './walk';

/** A value that was refused: `path must be rule, got …`. */
export interface Refusal {
  readonly path: Path;
  readonly rule: string;
  /** Shown instead of the value at the path. */
  readonly got?: string;
}

/** A file that is something else altogether has one in every word; this many tell as much. */
const MAX_PROBLEMS = 100;

/** As many problems as anybody reads, with a word of the others where these are as many again. */
export function firstOf(problems: readonly string[]): readonly string[] {
  if (problems.length <= 2 * MAX_PROBLEMS) return problems;
  return [...problems.slice(0, MAX_PROBLEMS), `and ${problems.length - MAX_PROBLEMS} more problems`];
}

/** What zod found, in our words; a key with several faults is told once. @param root what was to be parsed */
export function toRefusals(error: z.ZodError, root: z.ZodType = configSchema): Refusal[] {
  return error.issues.flatMap((issue) => {
    const path = issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key));
    if (issue.code === 'unrecognized_keys') return unknownKeys(root, path, issue.keys);
    return [{ path, rule: ruleOf(root, issue, path) }];
  });
}

/** The sentence for the operator. Secrets stay out of it: see {@link showValue}. */
export function formatRefusal(
  { path, rule, got }: Refusal,
  document: unknown,
  written: Written,
  root: z.ZodType = configSchema,
): string {
  return `${displayPath(path)} must be ${rule}, got ${got ?? showAt(root, path, document, written)}`;
}

/** A path in a sentence; a URL that was pasted as a key is masked. */
export function displayPath(path: Path): string {
  if (path.length === 0) return 'the configuration';
  return formatPath(path.map((key) => (typeof key === 'string' && key.includes('://') ? maskUrl(key) : key)));
}

function showAt(root: z.ZodType, path: Path, document: unknown, written: Written): string {
  const value = valueAt(document, path);
  if (value === undefined) {
    const unset = valueOrDefault(root, document, path);
    return unset === undefined ? 'nothing' : `${showValue(unset)} (the default)`;
  }
  const source = written.get(formatPath(path));
  const schema = schemaAt(root, path);
  const takesText = !(schema instanceof z.ZodObject || schema instanceof z.ZodArray || schema instanceof z.ZodRecord);
  if (isSecret(root, path)) return typeof value === 'string' ? maskUrl(value) : HIDDEN_VALUE;
  // An address with its key, where a whole node belongs.
  if (!takesText && typeof value === 'string') return 'a text';
  return source === undefined ? showValue(value) : `a hidden value from ${showValue(source)}`;
}

/** A password of digits only is a number to YAML. */
const HIDDEN_VALUE = 'a hidden value that is no text';

/** Also below a secret key: a list where a URL belongs holds URLs. */
function isSecret(root: z.ZodType, path: Path): boolean {
  return path.some((_, index) => factsAt(root, path.slice(0, index + 1))?.secret === true);
}

function ruleOf(root: z.ZodType, issue: z.core.$ZodIssue, path: Path): string {
  const own: unknown = issue.code === 'custom' ? issue.params?.['rule'] : undefined;
  return typeof own === 'string' ? own : (factsAt(root, path)?.rule ?? 'valid');
}

function unknownKeys(root: z.ZodType, path: Path, keys: readonly string[]): Refusal[] {
  const told = keys.slice(0, MAX_PROBLEMS).map((key) => unknownKey(root, path, key));
  const more = keys.length - told.length;
  return more === 0 ? told : [...told, { path, rule: 'a mapping of known keys', got: `${more} more that are not` }];
}

function unknownKey(root: z.ZodType, path: Path, key: string): Refusal {
  const schema = schemaAt(root, path);
  const known = schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
  const meant = nearest(key, known);
  const hint = meant === undefined ? known.join(', ') : `did you mean ${meant}?`;
  return { path: [...path, key], rule: `a known key (${hint})`, got: showValue(key) };
}
