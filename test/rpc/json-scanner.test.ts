import fc from 'fast-check';
import { JsonScanner, type JsonVisitor } from '../../runtime/rpc/json-scanner';

const silent: JsonVisitor = { open: () => undefined, key: () => undefined, close: () => undefined };

function accepts(text: string, pieces = 1, maxDepth = 64): boolean {
  const scanner = new JsonScanner(silent, maxDepth, -1);
  const bytes = Buffer.from(text);
  const size = Math.max(1, Math.ceil(bytes.length / pieces));
  for (let i = 0; i < bytes.length; i += size) if (!scanner.push(bytes.subarray(i, i + size))) return false;
  return scanner.end();
}

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe('JsonScanner', () => {
  it('accepts every JSON value, whole or cut anywhere', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), fc.integer({ min: 1, max: 50 }), (text, pieces) => accepts(text, pieces)),
    );
  });

  it('agrees with JSON.parse on texts with a character changed, added or left out', () => {
    const mutation = fc.tuple(
      fc.json({ maxDepth: 4 }),
      fc.nat(),
      fc.constantFrom(...'{}[],:"\\0123e+-.tfnul \n\u0001'.split('')),
      fc.nat(2),
    );
    fc.assert(
      fc.property(mutation, ([text, at, char, kind]) => {
        const i = at % (text.length + 1);
        const changed = text.slice(0, i) + (kind === 2 ? '' : char) + text.slice(kind === 0 ? i : i + 1);
        expect([changed, accepts(changed, 3)]).toEqual([changed, parses(changed)]);
      }),
      { numRuns: 3000 },
    );
  });

  it.each([
    '',
    ' ',
    '01',
    '1.',
    '-',
    '1e',
    '.5',
    '+1',
    'nul',
    'truex',
    '[1,]',
    '{"a":1,}',
    '{a:1}',
    "'a'",
    '"\t"',
    '"\\x"',
    '"\\u12g4"',
    '[1}',
    '{"a"}',
    '1 2',
    '\ufeff1',
  ])('refuses %j', (text) => {
    expect(parses(text)).toBe(false);
    expect(accepts(text)).toBe(false);
  });

  it('refuses what nests deeper than allowed, at the byte where it does', () => {
    expect(accepts('['.repeat(64) + ']'.repeat(64))).toBe(true);
    const scanner = new JsonScanner(silent, 64, -1);
    expect(scanner.push(Buffer.from('['.repeat(1_000_000)))).toBe(false);
    expect(scanner.problem).toBe('nested deeper than 64 (byte 64)');
  });

  it('tells where names and values stand', () => {
    const told: unknown[] = [];
    const text = '{"a": [1, "x"], "b":null}';
    const visitor: JsonVisitor = {
      open: (depth, kind, start) => told.push(['open', depth, kind, start]),
      key: (depth, start, end) => told.push(['key', depth, text.slice(start, end)]),
      close: (depth, kind, start, end) => told.push(['close', depth, kind, text.slice(start, end)]),
    };
    const scanner = new JsonScanner(visitor, 64, 2);
    for (const byte of Buffer.from(text)) scanner.push(Buffer.of(byte));
    expect(scanner.end()).toBe(true);
    expect(told).toEqual([
      ['open', 0, 'object', 0],
      ['key', 1, '"a"'],
      ['open', 1, 'array', 6],
      ['open', 2, 'number', 7],
      ['close', 2, 'number', '1'],
      ['open', 2, 'string', 10],
      ['close', 2, 'string', '"x"'],
      ['close', 1, 'array', '[1, "x"]'],
      ['key', 1, '"b"'],
      ['open', 1, 'null', 20],
      ['close', 1, 'null', 'null'],
      ['close', 0, 'object', text],
    ]);
  });
});
