import { z } from 'zod';
import { type KeyFacts, keyFacts } from './keys';

/** Keys and list positions from the top of the configuration. */
export type Path = readonly (string | number)[];

/** `chains.mainnet.nodes[0].url`; keys that are no plain words are quoted. */
export function formatPath(path: Path): string {
  let text = '';
  for (const key of path) {
    if (typeof key === 'number') text += `[${key}]`;
    else if (/^[\w-]+$/.test(key)) text += text === '' ? key : `.${key}`;
    else text += `[${JSON.stringify(key)}]`;
  }
  return text;
}

/** The schema of the value at a path, without what makes it optional; undefined where the schema has no such key. */
export function schemaAt(root: z.core.$ZodType, path: Path): z.core.$ZodType | undefined {
  let schema: z.core.$ZodType | undefined = unwrap(root);
  for (const key of path) {
    if (schema instanceof z.ZodObject) schema = memberOf(schema, key);
    else if (schema instanceof z.ZodRecord) schema = schema.valueType;
    else if (schema instanceof z.ZodArray) schema = schema.element;
    else return undefined;
    if (schema === undefined) return undefined;
    schema = unwrap(schema);
  }
  return schema;
}

function memberOf(section: z.ZodObject, key: string | number): z.core.$ZodType | undefined {
  const shape: Readonly<Record<string, z.core.$ZodType>> = section.shape;
  return Object.hasOwn(shape, key) ? shape[key] : undefined;
}

export function factsAt(root: z.core.$ZodType, path: Path): KeyFacts | undefined {
  const schema = schemaAt(root, path);
  return schema && keyFacts.get(schema);
}

export function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  let inner = schema;
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault || inner instanceof z.ZodPrefault) {
    inner = inner.unwrap();
  }
  return inner;
}

/** The value at a path of untrusted data; only what is its own counts. */
export function valueAt(document: unknown, path: Path): unknown {
  let value = document;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string | number, unknown>)[key];
  }
  return value;
}

/** The value at a path of untrusted data; where there is none, the default of that key. */
export function valueOrDefault(root: z.core.$ZodType, document: unknown, path: Path): unknown {
  const written = valueAt(document, path);
  const key = path.at(-1);
  if (written !== undefined || key === undefined) return written;
  const section = schemaAt(root, path.slice(0, -1));
  const schema = section instanceof z.ZodObject ? memberOf(section, key) : undefined;
  return schema instanceof z.ZodDefault ? schema.def.defaultValue : undefined;
}

export function isMapping(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The keys of a value that may be anything, with their values. */
export function entriesOf(value: unknown): readonly (readonly [string, unknown])[] {
  return isMapping(value) ? Object.entries(value) : [];
}

/** The items of a value that may be anything. */
export function itemsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
