const BACKSLASH = 0x5c;
const ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

/**
 * Whether words in a node's error stand in the request as well. Nodes quote what they refuse, and a caller's text must
 * not decide how a node is judged.
 *
 * @param params JSON bytes; escapes count as what they stand for
 */
export function isCallersWords(words: string, { method, params }: { method: string; params: Buffer }): boolean {
  return method.includes(words) || (params.includes(BACKSLASH) ? unescaped(params) : params).includes(words);
}

/** Not for reading: quotes that were escaped end up like those around texts. */
function unescaped(params: Buffer): string {
  return params
    .toString('utf8')
    .replace(/\\(?:u([0-9a-fA-F]{4})|(.))/g, (_, code: string | undefined, letter: string | undefined) =>
      code === undefined ? (ESCAPES[letter ?? ''] ?? letter ?? '') : String.fromCharCode(parseInt(code, 16)),
    );
}
