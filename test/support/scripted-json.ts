/**
 * Looks at JSON without re-writing it: `JSON.parse` loses how an id was spelled (`1e3`, 9007199254740993, "\u0061"),
 * and "byte for byte" is what both sides of a balancer have to be checked for.
 *
 * @example
 * rawMember('{"id": 1e3, "result": [1, 2]}', 'id'); // '1e3'
 * rawChildren('[1, {"a": 2}]'); // [{ key: undefined, raw: '1' }, { key: undefined, raw: '{"a": 2}' }]
 */
export function rawMember(text: string, name: string): string | undefined {
  // The last of several wins, as with JSON.parse.
  return rawChildren(text).findLast((child) => child.key === name)?.raw;
}

export interface RawChild {
  /** Unescaped member name; undefined in an array. */
  readonly key: string | undefined;
  /** The value exactly as written, without the white space around it. */
  readonly raw: string;
}

/** The members or items of the outermost object or array. `text` must be valid JSON; a scalar has no children. */
export function rawChildren(text: string): RawChild[] {
  const children: RawChild[] = [];
  let depth = 0;
  let key: string | undefined;
  let start = 0;
  const end = (at: number): void => {
    const raw = text.slice(start, at).trim();
    if (raw !== '') children.push({ key, raw });
    key = undefined;
    start = at + 1;
  };
  for (let at = 0; at < text.length; at++) {
    switch (text.charAt(at)) {
      case '"':
        at = endOfString(text, at);
        break;
      case '{':
      case '[':
        if (++depth === 1) start = at + 1;
        break;
      case '}':
      case ']':
        if (depth-- === 1) end(at);
        break;
      case ',':
        if (depth === 1) end(at);
        break;
      case ':':
        if (depth === 1) {
          key = String(JSON.parse(text.slice(start, at)));
          start = at + 1;
        }
        break;
    }
  }
  return children;
}

/** Index of the quote that closes the string opened at `open`. */
function endOfString(text: string, open: number): number {
  let at = open + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at;
}
