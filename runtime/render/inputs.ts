import { createHash } from 'node:crypto';
import { errorCode } from '../config/error-code';
import { FileReader, isPipe } from '../config/file-reader';
import { ConfigError, readUtf8 } from '../config/parse';
import { type HaproxyConfig, loadHaproxyConfig } from '../config/load-haproxy';
import { parseSecrets } from '../config/secrets-file';
import { renderHaproxy } from '../haproxy/render';

export interface InputOptions {
  readonly config: string;
  readonly secrets: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  /** The configuration itself, where it is in no file. */
  readonly configText?: string;
  /** What read them before. @default one that has read nothing */
  readonly reader?: FileReader;
}

export type Inputs = {
  /** All that was read, or could not be, and what HAProxy will read: what a change of which matters. */
  readonly files: readonly string[];
} & (
  | { readonly ok: true; readonly text: string; readonly nodes: number }
  | { readonly ok: false; readonly error: ConfigError }
);

/** Reads everything, each file once, and renders it. */
export function readInputs({ config, secrets, env, configText, reader = new FileReader() }: InputOptions): Inputs {
  const files = new Set<string>();
  const readFile = (path: string): string => {
    if (!isPipe(path)) files.add(path);
    return reader.read(path);
  };
  const readAll = (file: string): string => {
    try {
      return readFile(file);
    } catch (error) {
      throw new ConfigError(file, [`the file must be readable, got ${errorCode(error)}`]);
    }
  };
  const problems: string[] = [];
  const attempt = <T>(read: () => T, of = ''): T | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(...error.problems.map((problem) => of + problem));
      return undefined;
    }
  };
  const names = secrets === undefined ? {} : attempt(() => parseSecrets(readAll(secrets), secrets), `${secrets}: `);
  const loaded = attempt(() =>
    loadHaproxyConfig(configText ?? readAll(config), { env, secrets: names ?? {}, readFile, source: config }),
  );
  if (loaded === undefined || names === undefined) {
    return {
      ok: false,
      files: [...files],
      error: new ConfigError(config === '-' ? 'standard input' : config, problems),
    };
  }
  const caFiles = caFilesOf(loaded);
  for (const file of caFiles) files.add(file);
  const text = `${renderHaproxy(loaded)}${caLine(caFiles)}`;
  return { ok: true, files: [...files], text, nodes: localNodesOf(loaded).length };
}

function localNodesOf({ chains }: HaproxyConfig) {
  return Object.values(chains).flatMap(({ nodes }) => nodes.filter(({ localPort }) => localPort !== undefined));
}

function caFilesOf(config: HaproxyConfig): string[] {
  const own = localNodesOf(config).flatMap(({ provider }) => provider?.caFile ?? []);
  return [...new Set([...(config.haproxy.caFile === undefined ? [] : [config.haproxy.caFile]), ...own])].sort();
}

/**
 * HAProxy reads certificate authorities when it loads, so others in the same file are another haproxy.cfg. Where they
 * are not visible from here, HAProxy has to be reloaded by hand.
 */
function caLine(files: readonly string[]): string {
  if (files.length === 0) return '';
  const hash = createHash('sha256');
  for (const file of files) hash.update(`${file}\n`).update(contentOf(file)).update('\n');
  return `\n# Certificate authorities: ${hash.digest('hex').slice(0, 16)}\n`;
}

function contentOf(file: string): string {
  try {
    return readUtf8(file);
  } catch {
    return '';
  }
}
