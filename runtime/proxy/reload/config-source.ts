import { text } from 'node:stream/consumers';
import { type FileReader, isPipe } from '../../config/file-reader';
import { ConfigError, loadConfig, parseConfig } from '../../config/load';
import type { Config } from '../../config/schema';

/** What was read, good or bad. */
export type ConfigReading = {
  /** All files it depends on, as far as they were come to: what a change of which matters. */
  readonly files: readonly string[];
} & ({ readonly ok: true; readonly config: Config } | { readonly ok: false; readonly error: ConfigError });

/** Reads a configuration file, and each file it names: these by the reader. */
export async function readConfigFile(file: string, env: NodeJS.ProcessEnv, reader: FileReader): Promise<ConfigReading> {
  const files = new Set([file]);
  const readFile = (path: string): string => {
    if (!isPipe(path)) files.add(path);
    return reader.read(path);
  };
  try {
    const config = await loadConfig(file, env, readFile);
    const { caFile } = config.redis ?? {};
    if (caFile !== undefined) files.add(caFile);
    return { ok: true, config, files: [...files] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { ok: false, error, files: [...files] };
  }
}

/** Reads standard input, once and for ever. @throws ConfigError with all problems */
export async function readStandardInput(env: NodeJS.ProcessEnv): Promise<Config> {
  return parseConfig(await text(process.stdin), { env, source: 'standard input' });
}
