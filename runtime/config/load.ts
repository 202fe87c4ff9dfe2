import { crossCheck } from './cross-checks';
import { rememberWritten } from './mask';
import { type ParseOptions, parseWith, readText, readUtf8, type Reading } from './parse';
import { type Config, configSchema } from './schema';

export { ConfigError, type ParseOptions } from './parse';

/**
 * Reads, expands and checks a configuration file (YAML or JSON).
 *
 * @param readFile for the files it names; @default reads the file system
 * @throws ConfigError with all problems
 */
export async function loadConfig(
  file: string,
  env: NodeJS.ProcessEnv,
  readFile: ParseOptions['readFile'] = readUtf8,
): Promise<Config> {
  return parseConfig(await readText(file), { env, readFile, source: file });
}

/**
 * Turns the text of a configuration into the configuration: frozen, with every default filled in.
 *
 * @throws ConfigError with all problems
 */
export function parseConfig(text: string, options: ParseOptions): Config {
  return parseAs(text, options, {});
}

/** As {@link parseConfig}, for a program that reads only a part of the file, or more of it than the proxy. */
export function parseAs(text: string, options: ParseOptions, reading: Reading): Config {
  const check: Reading['check'] = (document) => [...crossCheck(document), ...(reading.check?.(document) ?? [])];
  const { value, written } = parseWith(configSchema, text, options, { ...reading, check });
  rememberWritten(value, written);
  return value;
}
