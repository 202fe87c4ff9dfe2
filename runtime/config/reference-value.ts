import { isAbsolute } from 'node:path';
import { errorCode } from './error-code';

/** Where the text of a `${…}` comes from. */
export interface Sources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Reads a whole file as UTF-8; throws when it cannot. */
  readonly readFile: (path: string) => string;
  /** What a name must be, where there are others than those of environment variables. */
  readonly nameRule?: string;
}

export type Resolved = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly rule: string };

/**
 * What `${inside}` stands for: `NAME` is an environment variable, `file:/path` a whole file without the line end at its
 * end, `file:/path#a.b` (or `#/a/b`, RFC 6901) a text, number or boolean in a JSON file. A failure tells the rule that
 * was broken and never what was found.
 */
export function resolveReference(inside: string, sources: Sources): Resolved {
  if (inside.startsWith('file:')) return resolveFile(inside.slice('file:'.length), sources);
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(inside)) return refuse('written ${NAME} or ${file:/path#json.pointer}');
  const text = Object.hasOwn(sources.env, inside) ? sources.env[inside] : undefined;
  return text === undefined ? refuse(sources.nameRule ?? NO_SUCH_NAME) : { ok: true, text };
}

const NO_SUCH_NAME = 'the name of an environment variable that is set';

function resolveFile(reference: string, { readFile }: Sources): Resolved {
  const hash = reference.indexOf('#');
  const path = hash === -1 ? reference : reference.slice(0, hash);
  if (!isAbsolute(path)) return refuse('the absolute path of a file');
  let content: string;
  try {
    content = readFile(path);
  } catch (error) {
    return refuse(`a file that can be read (${errorCode(error)})`);
  }
  if (hash === -1) return { ok: true, text: content.replace(/\r?\n$/, '') };
  return pick(content, reference.slice(hash + 1));
}

function pick(content: string, pointer: string): Resolved {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    // The parser's message quotes the text.
    return refuse('a file that holds JSON');
  }
  for (const key of pointerKeys(pointer)) {
    // Own keys only: `constructor` is there in every object.
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return refuse(NOT_THERE);
    value = (value as Record<string, unknown>)[key];
  }
  if (typeof value === 'string') return { ok: true, text: value };
  return typeof value === 'number' || typeof value === 'boolean'
    ? { ok: true, text: String(value) }
    : refuse(NOT_THERE);
}

const NOT_THERE = 'a text, number or boolean that is in the file';

function pointerKeys(pointer: string): readonly string[] {
  if (!pointer.startsWith('/')) return pointer.split('.');
  const keys = pointer.slice(1).split('/');
  return keys.map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function refuse(rule: string): Resolved {
  return { ok: false, rule };
}
