import {
  type Document,
  type ErrorCode,
  isAlias,
  isScalar,
  LineCounter,
  parseDocument,
  visit,
  type YAMLError,
} from 'yaml';

export interface ReadDocument {
  /** Plain data; undefined when the text cannot be read at all. */
  readonly document: unknown;
  readonly problems: readonly string[];
}

/**
 * Reads YAML 1.2 (JSON is YAML too). The library's own messages quote the text, which may hold keys and passwords; so
 * only its error codes and positions are used.
 */
export function readDocument(text: string): ReadDocument {
  const lines = new LineCounter();
  const yaml = parseLightly(text, lines);
  // A warning is a tag nobody knows: the value would silently mean something else.
  const found: Found[] = [...yaml.errors, ...repeatedKeys(yaml), ...yaml.warnings, ...lostAliases(yaml)];
  const problems = found.map(({ code, pos: [offset] }) => {
    const { line, col } = lines.linePos(offset);
    return `line ${line}, column ${col}: ${REASON[code]}`;
  });
  // With a key written twice the rest still makes sense, and all problems should be told at once.
  if (found.some(({ code }) => code !== 'DUPLICATE_KEY')) return { document: undefined, problems };
  try {
    return { document: yaml.toJS({ maxAliasCount: MAX_ALIASES }), problems };
  } catch {
    return { document: undefined, problems: [...problems, 'aliases multiply to more than anybody could have meant'] };
  }
}

/**
 * A file that is something else may have an error in each word, and a proxy that reads it serves nobody meanwhile. What
 * the library finds out at length is found out here: it looks for a key among all before it (256 KB of short lines took
 * it 1.5 s, 1 MB a minute), and its errors tell where in the library they were made (a log of 256 KB: 1.3 s, now 0.4 s).
 */
function parseLightly(text: string, lineCounter: LineCounter): Document.Parsed {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return parseDocument(text, { lineCounter, prettyErrors: false, logLevel: 'error', uniqueKeys: false });
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

type Found = Pick<YAMLError, 'code' | 'pos'>;

function repeatedKeys(yaml: Document.Parsed): Found[] {
  const repeated: Found[] = [];
  visit(yaml, {
    Map: (_, { items }) => {
      const known = new Set<unknown>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        const offset = key.range?.[0] ?? 0;
        if (known.has(key.value)) repeated.push({ code: 'DUPLICATE_KEY', pos: [offset, offset] });
        known.add(key.value);
      }
    },
  });
  return repeated;
}

/** The library tells these only when it builds the data, and then without a position. */
function lostAliases(yaml: Document.Parsed): Found[] {
  const lost: Found[] = [];
  const anchors = new Set<string>();
  visit(yaml, {
    Node: (_, node) => {
      if (!isAlias(node)) {
        if (node.anchor !== undefined) anchors.add(node.anchor);
      } else if (!anchors.has(node.source)) {
        const offset = node.range?.[0] ?? 0;
        lost.push({ code: 'BAD_ALIAS', pos: [offset, offset] });
      }
    },
  });
  return lost;
}

/** More than a configuration needs, and little for a machine. */
const MAX_ALIASES = 1000;

const REASON: Record<ErrorCode, string> = {
  ALIAS_PROPS: 'an alias takes no anchor and no tag',
  BAD_ALIAS: 'an alias must refer to an anchor above it',
  BAD_COLLECTION_TYPE: 'the tag does not fit what follows it',
  BAD_DIRECTIVE: 'a directive that YAML 1.2 does not know',
  BAD_DQ_ESCAPE: 'an escape sequence that YAML does not know',
  BAD_INDENT: 'the indentation does not fit the lines above',
  BAD_PROP_ORDER: 'anchors and tags come before the value',
  BAD_SCALAR_START: 'a text that begins with this character must be quoted',
  BLOCK_AS_IMPLICIT_KEY: 'a nested mapping or list must begin on its own line',
  BLOCK_IN_FLOW: 'a block cannot stand inside braces or brackets',
  DUPLICATE_KEY: 'this key is there twice',
  IMPOSSIBLE: 'cannot be read as YAML',
  KEY_OVER_1024_CHARS: 'a key is at most 1024 characters long',
  MISSING_CHAR: 'a character is missing (a quote, bracket, colon or comma)',
  MULTILINE_IMPLICIT_KEY: 'a key must be on one line',
  MULTIPLE_ANCHORS: 'a value has at most one anchor',
  MULTIPLE_DOCS: 'a second document begins; there must be only one',
  MULTIPLE_TAGS: 'a value has at most one tag',
  NON_STRING_KEY: 'a key must be a text',
  RESOURCE_EXHAUSTION: 'nested too deep',
  TAB_AS_INDENT: 'tabs cannot indent; use spaces',
  TAG_RESOLVE_FAILED: 'a tag that is not known',
  UNEXPECTED_TOKEN: 'something here does not belong',
};
