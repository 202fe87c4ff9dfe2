import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { crossCheck } from './cross-checks';
import { deepFreeze } from './deep-readonly';
import { readDocument } from './document';
import { errorCode } from './error-code';
import { expand, type ExpandOptions } from './expand';
import { rememberWritten } from './mask';
import { formatRefusal, type Refusal, toRefusals } from './problems';
import type { Sources } from './reference-value';
import { type Config, configSchema } from './schema';
import { formatPath } from './walk';

/** The configuration was refused. No problem tells a key, a password, or more of a URL than scheme and host. */
export class ConfigError extends Error {
  readonly code = 'CONFIG_INVALID';
  override readonly name = 'ConfigError';

  /**
   * @param source what was read, for the first line of the message
   * @param problems one sentence each, all that were found
   */
  constructor(
    source: string,
    readonly problems: readonly string[],
  ) {
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
    super([`${source} cannot be used (${count}):`, ...problems.map((problem) => `  - ${problem}`)].join('\n'));
  }
}

/**
 * Reads, expands and checks a configuration file (YAML or JSON).
 *
 * @throws ConfigError with all problems
 */
export async function loadConfig(file: string, env: NodeJS.ProcessEnv): Promise<Config> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new ConfigError(file, [`the file must be readable, got ${errorCode(error)}`]);
  }
  return parseConfig(text, { env, source: file });
}

export interface ParseOptions {
  /** For `${NAME}`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** For `${file:…}`; each file is read once. @default reads the file system */
  readonly readFile?: (path: string) => string;
  /** Names the text in the error's message. @default 'the configuration' */
  readonly source?: string;
}

/**
 * Turns the text of a configuration into the configuration: frozen, with every default filled in.
 *
 * @throws ConfigError with all problems
 */
export function parseConfig(text: string, options: ParseOptions): Config {
  return parseAs(text, options, {});
}

/** How a program reads the file that reads only a part of it, or more of it than the proxy. */
export interface Reading extends ExpandOptions {
  /** What of the document is read; paths must stay as they are. @default all of it */
  readonly select?: (document: unknown) => unknown;
  /** See {@link Sources.nameRule}. */
  readonly nameRule?: string;
  /** What must hold besides, of the document with everything expanded. */
  readonly check?: (document: unknown) => readonly Refusal[];
}

/** See {@link parseConfig}. */
export function parseAs(text: string, options: ParseOptions, reading: Reading): Config {
  const { env, readFile: read = readUtf8, source: name = 'the configuration' } = options;
  const { select = (whole: unknown) => whole, check = () => [], nameRule, ...expansion } = reading;
  const yaml = readDocument(text);
  if (yaml.document === undefined) throw new ConfigError(name, yaml.problems);
  const sources: Sources = { env, readFile: readOnce(read), ...(nameRule !== undefined && { nameRule }) };
  const { document, written, refusals } = expand(select(yaml.document), sources, expansion);
  const parsed = configSchema.safeParse(document);
  const unusable = new Set(refusals.map(({ path }) => formatPath(path)));
  const found = [...(parsed.success ? [] : toRefusals(parsed.error)), ...crossCheck(document), ...check(document)];
  const all = [
    ...refusals,
    // What could not be expanded is wrong for that reason alone.
    ...found.filter(({ path }) => !unusable.has(formatPath(path))),
  ];
  const problems = [...yaml.problems, ...all.map((refusal) => formatRefusal(refusal, document, written))];
  if (!parsed.success || problems.length > 0) throw new ConfigError(name, [...new Set(problems)]);
  const config = deepFreeze(parsed.data);
  rememberWritten(config, written);
  return config;
}

export function readUtf8(path: string): string {
  return readFileSync(path, 'utf8');
}

/** One view of each file, also when it is replaced while it is being read. */
export function readOnce(read: (path: string) => string): (path: string) => string {
  const contents = new Map<string, string>();
  return (path) => {
    const known = contents.get(path);
    if (known !== undefined) return known;
    const content = read(path);
    contents.set(path, content);
    return content;
  };
}
