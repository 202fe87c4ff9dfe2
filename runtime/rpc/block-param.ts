import { foldName } from './fold-name';
import { JsonScanner, type JsonVisitor } from './json-scanner';

/**
 * A block argument as it was sent. `tag` covers the tags that are passed on as they are; `other` is what we do not
 * understand and leave to the node (https://ethereum.github.io/execution-apis/, BlockNumberOrTag; EIP-1898).
 */
export type BlockParam =
  | { readonly kind: 'latest' }
  | { readonly kind: 'number'; readonly number: number }
  | { readonly kind: 'hash' }
  | { readonly kind: 'pending' }
  | { readonly kind: 'tag' }
  | { readonly kind: 'other' };

const LATEST: BlockParam = { kind: 'latest' };
const HASH: BlockParam = { kind: 'hash' };
const TAG: BlockParam = { kind: 'tag' };
const OTHER: BlockParam = { kind: 'other' };
const PENDING: BlockParam = { kind: 'pending' };
const TAGS = new Set(['safe', 'finalized', 'earliest']);

/** @param raw the bytes of one JSON value; null counts as latest, as in geth. */
export function parseBlockParam(raw: Buffer): BlockParam {
  if (raw[0] === 0x7b) return parseBlockObject(raw);
  if (raw.length > 70) return OTHER;
  const text = raw.toString('latin1');
  if (text === '"latest"' || text === 'null') return LATEST;
  if (text.charCodeAt(0) !== 0x22) return OTHER;
  return parseBlockText(text.slice(1, -1));
}

/** @returns the number of a QUANTITY such as `0x1b4`, or undefined where it is none or not exact as a double. */
export function parseQuantity(text: string): number | undefined {
  if (!/^0x[0-9a-fA-F]{1,16}$/.test(text)) return undefined;
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : undefined;
}

export function toQuantity(number: number): string {
  return `0x${number.toString(16)}`;
}

function parseBlockText(text: string): BlockParam {
  if (TAGS.has(text)) return TAG;
  if (text === 'latest') return LATEST;
  if (text === 'pending') return PENDING;
  if (/^0x[0-9a-fA-F]{64}$/.test(text)) return HASH;
  const number = parseQuantity(text);
  return number === undefined ? OTHER : { kind: 'number', number };
}

const OBJECT_NAMES = ['blockNumber', 'blockHash'];

/** `{"blockNumber": …}` or `{"blockHash": …}` of EIP-1898. */
function parseBlockObject(raw: Buffer): BlockParam {
  const members = objectMembers(raw);
  if (hasOddSpelling(members, OBJECT_NAMES)) return OTHER;
  if (members.has('blockHash')) return HASH;
  const number = members.get('blockNumber');
  return number === undefined ? OTHER : parseBlockParam(raw.subarray(number.start, number.end));
}

export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Where the members of an object of already checked JSON stand; of a repeated name the last counts, as in Go. */
export function objectMembers(raw: Buffer): ReadonlyMap<string, Span> {
  const members = new Map<string, Span>();
  let name = '';
  const visitor: JsonVisitor = {
    open: () => undefined,
    key: (depth, start, end) => {
      if (depth === 1) name = JSON.parse(raw.toString('utf8', start, end)) as string;
    },
    close: (depth, _kind, start, end) => {
      if (depth === 1) members.set(name, { start, end });
    },
  };
  new JsonScanner(visitor, Number.MAX_SAFE_INTEGER, 1).push(raw);
  return members;
}

/** Whether a member is one of these names in another case: some nodes would read it, others would not. */
export function hasOddSpelling(members: ReadonlyMap<string, Span>, names: readonly string[]): boolean {
  for (const member of members.keys()) {
    if (names.includes(member)) continue;
    const fold = foldName(member);
    if (names.some((name) => foldName(name) === fold)) return true;
  }
  return false;
}
