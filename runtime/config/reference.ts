import { z } from 'zod';
import { keyFacts } from './keys';
import { CONFIG_EXAMPLES } from './reference-examples';
import { configSchema } from './schema';
import { unwrap } from './walk';

/** The reference page, docs/configuration.md, as Markdown that a formatter leaves as it is. */
export function configReference(): string {
  const [top, ...groups] = groupsOf('', configSchema);
  return [
    '# Configuration',
    INTRODUCTION,
    ...CONFIG_EXAMPLES.flatMap(({ title, yaml }) => [`## ${title}`, `\`\`\`yaml\n${yaml}\`\`\``]),
    VALUES,
    '## Every key',
    ...(top ? [table([HEAD, ...top.rows])] : []),
    ...groups.flatMap(({ path, meaning, rows }) => [`### \`${path}\``, meaning, table([HEAD, ...rows])]),
  ]
    .join('\n\n')
    .concat('\n');
}

const INTRODUCTION = `One YAML file (JSON is YAML too). Only \`chains\` is required; everything else has a default. All problems of a file are
told at once, each with its path, its rule and the value found, and the process ends with exit code 2.

This page is written by \`npx tsx bin/config-reference.ts\` from \`runtime/config/schema.ts\`.`;

const REFERENCES = [
  ['Written', 'Stands for'],
  ['`${NAME}`', 'the environment variable; it must be set'],
  ['`${file:/path}`', 'the whole file, without the line end at its end'],
  ['`${file:/path#a.b}`', 'the text, number or boolean at `a`, `b` of a JSON file; `#/a/b` (RFC 6901) is the same'],
  ['`$${`', '`${` itself'],
];

const VALUES = `## Values from outside

${table(REFERENCES)}

They work inside text values, also in the middle (\`https://eth.example.com/\${KEY}\`), but not in keys, and are replaced once: what comes
in is not looked at again. A value that is nothing but one \`\${…}\` may also stand for a number or a boolean. In \`provider\` they are
left for the render command.

What came from outside, and every URL beyond scheme and host, is hidden wherever the configuration or its problems are shown.`;

interface Group {
  readonly path: string;
  readonly meaning: string;
  readonly rows: readonly Row[];
}

type Row = readonly [key: string, type: string, unset: string, range: string, meaning: string];

const HEAD: Row = ['Key', 'Type', 'Default', 'Range', 'Meaning'];

/** A group for each section, and in it a row for each key that is no section, or one that may be missing; in the order of the schema. */
function groupsOf(path: string, section: z.ZodObject): Group[] {
  const rows: Row[] = [];
  const nested: Group[] = [];
  for (const [key, schema] of Object.entries<z.core.$ZodType>(section.shape)) {
    const keyPath = path === '' ? key : `${path}.${key}`;
    const inner = unwrap(schema);
    if (!(inner instanceof z.ZodObject) || schema instanceof z.ZodOptional) rows.push(rowOf(keyPath, schema));
    const below = sectionBelow(keyPath, inner);
    if (below) nested.push(...groupsOf(below.path, below.section));
  }
  const own = { path, meaning: keyFacts.get(section)?.meaning ?? '', rows };
  return rows.length === 0 ? nested : [own, ...nested];
}

function sectionBelow(path: string, schema: z.core.$ZodType): { path: string; section: z.ZodObject } | undefined {
  if (schema instanceof z.ZodObject) return { path, section: schema };
  if (schema instanceof z.ZodArray) return sectionBelow(`${path}[]`, unwrap(schema.element));
  if (schema instanceof z.ZodRecord) return sectionBelow(`${path}.<name>`, unwrap(schema.valueType));
  return undefined;
}

function rowOf(key: string, schema: z.core.$ZodType): Row {
  const facts = keyFacts.get(unwrap(schema));
  if (facts === undefined) throw new Error(`the key ${key} has no description`);
  return [`\`${key}\``, facts.type, unsetText(schema, facts.whenUnset), rangeOf(unwrap(schema)), facts.meaning];
}

/** For a mapping to plain values, what these may be. */
function rangeOf(schema: z.core.$ZodType): string {
  const value = schema instanceof z.ZodRecord ? unwrap(schema.valueType) : schema;
  const range = keyFacts.get(value instanceof z.ZodObject ? schema : value)?.range ?? '';
  return value === schema || value instanceof z.ZodObject ? range : `${range} each`;
}

function unsetText(schema: z.core.$ZodType, whenUnset: string | undefined): string {
  if (schema instanceof z.ZodDefault) return `\`${JSON.stringify(schema.def.defaultValue)}\``;
  if (schema instanceof z.ZodPrefault) return '`{}`';
  return schema instanceof z.ZodOptional ? (whenUnset ?? 'none') : 'required';
}

/** With aligned columns, as formatters write tables; the first row is the head. */
function table(rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows.map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = head.map((cell, column) => Math.max(cell.length, ...body.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n');
}
