import { z } from 'zod';
import type { Written } from './mask';
import type { Refusal } from './problems';
import { resolveReference, type Sources } from './reference-value';
import { configSchema } from './schema';
import { factsAt, formatPath, type Path, schemaAt } from './walk';

export interface ExpandOptions {
  /** What the document is to be. @default the configuration of the proxy */
  readonly schema?: z.ZodType;
  /** Expand also the values that are for another program: for that program. @default false */
  readonly verbatimToo?: boolean;
}

export interface Expanded {
  readonly document: unknown;
  readonly written: Written;
  readonly refusals: readonly Refusal[];
}

/**
 * Replaces `${…}` in the text values of a document (not in keys) by what it stands for, once: what comes in is not
 * looked at again. `$${` stands for `${`. Values of keys marked verbatim stay as they are, unless asked for. Where a value is nothing but
 * one `${…}` and the schema wants a number or a boolean, it becomes one.
 *
 * The result is a copy whose objects have no prototype, so that `__proto__` and `constructor` are keys like others.
 */
export function expand(
  document: unknown,
  sources: Sources,
  { verbatimToo = false, schema: root = configSchema }: ExpandOptions = {},
): Expanded {
  const written = new Map<string, string>();
  const refusals: Refusal[] = [];
  const open = new Set<object>();

  const copy = (value: unknown, path: Path): unknown => {
    if (typeof value === 'string') return expandText(value, path);
    if (typeof value !== 'object' || value === null) return value;
    // An alias inside its own anchor makes an endless tree.
    if (open.has(value)) {
      refusals.push({ path, rule: 'a value that does not hold itself', got: 'an alias to its own anchor' });
      return undefined;
    }
    open.add(value);
    const result: unknown = Array.isArray(value)
      ? value.map((item, index) => copy(item, [...path, index]))
      : copyObject(value, path);
    open.delete(value);
    return result;
  };

  const copyObject = (value: object, path: Path): unknown => {
    const result = Object.create(null) as Record<string, unknown>;
    for (const [key, child] of Object.entries(value)) result[key] = copy(child, [...path, key]);
    return result;
  };

  const expandText = (text: string, path: Path): unknown => {
    if (!text.includes('${') || (!verbatimToo && factsAt(root, path)?.verbatim === true)) return text;
    let references = 0;
    const expanded = text.replace(REFERENCE, (match: string, inside: string | undefined) => {
      if (inside === undefined && match === '$${') return '${';
      references += 1;
      const resolved = match.endsWith('}') ? resolveReference(inside ?? '', sources) : UNCLOSED;
      if (resolved.ok) return resolved.text;
      refusals.push({ path, rule: resolved.rule, got: NAMES_A_SOURCE.test(match) ? match : '${…' });
      return match;
    });
    if (references > 0) written.set(formatPath(path), text);
    return ALONE.test(text) ? toWanted(expanded, schemaAt(root, path)) : expanded;
  };

  return { document: copy(document, []), written, refusals };
}

const REFERENCE = /\$\$\{|\$\{([^}]*)\}?/g;
const ALONE = /^\$\{[^}]*\}$/;
/** Only these are shown: with a brace missing, the rest of the value would be taken for a name. */
const NAMES_A_SOURCE = /^\$\{(file:[^\s${]*|[A-Za-z_]\w*)\}$/;
const UNCLOSED = { ok: false, rule: 'closed by } after each ${' } as const;

/** A decimal number as people write it; not what `Number` makes of an empty text or of `0x10`. */
const DECIMAL = /^-?\d+(\.\d+)?$/;

function toWanted(text: string, schema: z.core.$ZodType | undefined): unknown {
  if (schema instanceof z.ZodNumber && DECIMAL.test(text)) return Number(text);
  if (schema instanceof z.ZodBoolean && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}
