import { z } from 'zod';

/** What the refusals and the reference page tell of one key. */
export interface KeyFacts {
  /** One or more sentences for the reader of the reference page. */
  readonly meaning: string;
  /** Ends the sentence `<path> must be …`. */
  readonly rule: string;
  readonly type: string;
  readonly range: string;
  /** What holds when an optional key without a default is left out. */
  readonly whenUnset?: string;
  /** What the keys of a dictionary may be called. */
  readonly names?: readonly Form[];
  /** The value can hold a key or a password: only its scheme and host are ever shown. */
  readonly secret?: boolean;
  /** The value stays as written: `${…}` in it is for another program. */
  readonly verbatim?: boolean;
}

/** What a text may look like. */
export interface Form {
  /** Ends the sentence `must be …`, or `must be named by …`. */
  readonly rule: string;
  /** The short form for the reference page. */
  readonly range: string;
  readonly test: (value: string) => boolean;
}

export const keyFacts = z.registry<KeyFacts>();

type Extra = Pick<KeyFacts, 'whenUnset' | 'secret' | 'verbatim'>;

/** A whole number; without `max` up to 2^53 - 1. */
export function whole(min: number, max: number | undefined, meaning: string, extra: Extra = {}): z.ZodInt {
  const range = rangeText(min, max);
  const schema = max === undefined ? z.int().min(min) : z.int().min(min).max(max);
  return schema.register(keyFacts, {
    meaning,
    rule: `a whole number ${range.rule}`,
    type: 'whole number',
    range: range.short,
    ...extra,
  });
}

/** A number from `min` to `max`. */
export function decimal(min: number, max: number, meaning: string): z.ZodNumber {
  const range = rangeText(min, max);
  const facts = { meaning, rule: `a number ${range.rule}`, type: 'number', range: range.short };
  return z.number().min(min).max(max).register(keyFacts, facts);
}

/** A number above 0 and at most `max`. */
export function share(max: number, meaning: string): z.ZodNumber {
  const facts = { meaning, rule: `a number above 0 and at most ${max}`, type: 'number', range: `above 0 to ${max}` };
  return z.number().positive().max(max).register(keyFacts, facts);
}

export function flag(meaning: string): z.ZodBoolean {
  return z.boolean().register(keyFacts, { meaning, rule: 'true or false', type: 'boolean', range: 'true, false' });
}

export function oneOf<const T extends string>(values: readonly T[], meaning: string): z.ZodEnum<{ [K in T]: K }> {
  const range = values.join(', ');
  return z.enum(values).register(keyFacts, { meaning, rule: `one of ${range}`, type: 'text', range });
}

/** A text of a form; `also` are further rules that only make sense for a text of that form. */
export function text(form: Form, meaning: string, extra: Extra & TextExtra = {}): z.ZodString {
  const { also = [], ...facts } = extra;
  let schema = z.string().refine(form.test);
  for (const { rule, test } of also)
    schema = schema.refine((value) => !form.test(value) || test(value), { params: { rule } });
  return schema.register(keyFacts, { meaning, rule: form.rule, type: 'text', range: form.range, ...facts });
}

interface TextExtra {
  readonly also?: readonly Form[];
}

/** A group of keys; no others are taken. */
export function section<S extends z.ZodRawShape>(
  meaning: string,
  shape: S,
  extra: Extra = {},
): z.ZodObject<S, z.core.$strict> {
  return z.strictObject(shape).register(keyFacts, { meaning, rule: 'a mapping', type: 'mapping', range: '', ...extra });
}

/** A list; `of` names its items in the plural. */
export function list<T extends z.core.$ZodType>(of: string, item: T, meaning: string, atLeast = 0): z.ZodArray<T> {
  const facts = { meaning, type: `list of ${of}`, range: atLeast === 0 ? 'may be empty' : `at least ${atLeast}` };
  const rule = atLeast === 0 ? `a list of ${of}` : `a list of ${of} with at least ${atLeast}`;
  return z
    .array(item)
    .min(atLeast)
    .register(keyFacts, { ...facts, rule });
}

/**
 * A mapping whose keys are names the operator chose. It has no prototype, so that a look-up of `constructor` finds
 * nothing that was not configured. The names are checked by {@link checkNames}.
 */
export function dictionary<T extends z.core.$ZodType>(
  of: string,
  names: readonly Form[],
  value: T,
  meaning: string,
): z.ZodRecord<z.ZodString, T> {
  const facts = {
    meaning,
    rule: 'a mapping',
    type: `mapping of ${of}`,
    range: names.map(({ range }) => range).join('; '),
  };
  return z
    .record(z.string(), value)
    .overwrite((entries) => Object.assign(Object.create(null) as typeof entries, entries))
    .register(keyFacts, { ...facts, names });
}

function rangeText(min: number, max: number | undefined): { readonly rule: string; readonly short: string } {
  return max === undefined
    ? { rule: `of at least ${min}`, short: `at least ${min}` }
    : { rule: `from ${min} to ${max}`, short: `${min} to ${max}` };
}
