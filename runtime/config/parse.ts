import { readFileSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import type { z } from 'zod';
import { deepFreeze, type DeepReadonly } from './deep-readonly';
import { readDocument } from './document';
import { errorCode } from './error-code';
import { expand, type ExpandOptions } from './expand';
import type { Written } from './mask';
import { firstOf, formatRefusal, type Refusal, toRefusals } from './problems';
import type { Sources } from './reference-value';
import { formatPath } from './walk';

/**
 * In bytes; a thousand nodes take about a tenth of it. A program that serves reads its configuration between two
 * requests, so what that may cost is bounded.
 */
const MAX_TEXT_BYTES = 256 * 1024;

/** The configuration was refused. No problem tells a key, a password, or more of a URL than scheme and host. */
export class ConfigError extends Error {
  readonly code = 'CONFIG_INVALID';
  override readonly name = 'ConfigError';
  /** The first of them; where there are many more, how many in the last sentence. */
  readonly problems: readonly string[];

  /**
   * @param source what was read, for the first line of the message
   * @param problems one sentence each, all that were found
   */
  constructor(source: string, problems: readonly string[]) {
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
    const told = firstOf(problems);
    super([`${source} cannot be used (${count}):`, ...told.map((problem) => `  - ${problem}`)].join('\n'));
    this.problems = told;
  }
}

export interface ParseOptions {
  /** For `${NAME}`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** For `${file:…}`; each file is read once. @default reads the file system */
  readonly readFile?: (path: string) => string;
  /** Names the text in the error's message. @default 'the configuration' */
  readonly source?: string;
}

/** How a program reads the file that reads only a part of it, or more of it than the proxy. */
export interface Reading extends Omit<ExpandOptions, 'schema'> {
  /** What of the document is read; paths must stay as they are. @default all of it */
  readonly select?: (document: unknown) => unknown;
  /** See {@link Sources.nameRule}. */
  readonly nameRule?: string;
  /** What must hold besides, of the document with everything expanded. */
  readonly check?: (document: unknown) => readonly Refusal[];
}

/**
 * Reads, expands and checks the text of a file, whatever its schema: the one way to a configuration.
 *
 * @returns frozen, with every default filled in, and what was written where `${…}` stood
 * @throws ConfigError with all problems
 */
export function parseWith<S extends z.ZodType>(
  schema: S,
  text: string,
  { env, readFile: read = readUtf8, source: name = 'the configuration' }: ParseOptions,
  { select = (whole) => whole, check = () => [], nameRule, ...expansion }: Reading,
): { readonly value: DeepReadonly<z.output<S>>; readonly written: Written } {
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_TEXT_BYTES) throw tooLarge(name, bytes);
  const yaml = readDocument(text);
  if (yaml.document === undefined) throw new ConfigError(name, yaml.problems);
  const sources: Sources = { env, readFile: readOnce(read), ...(nameRule !== undefined && { nameRule }) };
  const { document, written, refusals } = expand(select(yaml.document), sources, { ...expansion, schema });
  const parsed = schema.safeParse(document);
  const unusable = new Set(refusals.map(({ path }) => formatPath(path)));
  const found = [...(parsed.success ? [] : toRefusals(parsed.error, schema)), ...check(document)];
  const all = [
    ...refusals,
    // What could not be expanded is wrong for that reason alone.
    ...found.filter(({ path }) => !unusable.has(formatPath(path))),
  ];
  const problems = [...yaml.problems, ...all.map((refusal) => formatRefusal(refusal, document, written, schema))];
  if (!parsed.success || problems.length > 0) throw new ConfigError(name, [...new Set(problems)]);
  return { value: deepFreeze(parsed.data), written };
}

/** @throws ConfigError where it cannot be read, or is too large */
export async function readText(file: string): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size > MAX_TEXT_BYTES) throw tooLarge(file, size);
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(file, [`the file must be readable, got ${errorCode(error)}`]);
  }
}

function tooLarge(source: string, bytes: number): ConfigError {
  return new ConfigError(source, [`the text must have at most ${MAX_TEXT_BYTES} bytes, got ${bytes}`]);
}

export function readUtf8(path: string): string {
  return readFileSync(path, 'utf8');
}

/** One view of each file, also when it is replaced while it is being read. */
function readOnce(read: (path: string) => string): (path: string) => string {
  const contents = new Map<string, string>();
  return (path) => {
    const known = contents.get(path);
    if (known !== undefined) return known;
    const content = read(path);
    contents.set(path, content);
    return content;
  };
}
