import fc from 'fast-check';
import { toCanonical } from '../../runtime/rpc/canonical';
import { requestKey } from '../../runtime/rpc/request-key';

const canonical = (text: string): string | undefined => toCanonical(Buffer.from(text));

/** Writes a value with members in another order, other space and other escapes. */
function respelt(value: unknown, random: () => number): string {
  const space = (): string => [' ', '\n', '\t', ''][Math.floor(random() * 4)] ?? '';
  if (Array.isArray(value))
    return `[${space()}${value.map((item) => respelt(item, random)).join(`${space()},`)}${space()}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).sort(() => random() - 0.5);
    return `{${members.map(([name, item]) => `${space()}${JSON.stringify(name)}${space()}:${respelt(item, random)}`).join(',')}${space()}}`;
  }
  if (typeof value === 'string' && /^0x[0-9a-f]+$/.test(value) && random() < 0.5)
    return `"0x${value.slice(2).toUpperCase()}"`;
  if (typeof value === 'string' && /^[a-z]/.test(value) && random() < 0.5) {
    return `"\\u${value.charCodeAt(0).toString(16).padStart(4, '0')}${JSON.stringify(value).slice(2)}`;
  }
  return JSON.stringify(value);
}

const hex = fc
  .string({ unit: fc.constantFrom(...'0123456789abcdef'.split('')), maxLength: 12 })
  .map((text) => `0x${text}`);
const params = fc.array(
  fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      hex,
      fc.string(),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.string({ maxLength: 4 }), tie('value'), { maxKeys: 4, noNullPrototype: true }),
    ),
  })).value,
  { maxLength: 4 },
);

describe('toCanonical', () => {
  it('is the same however equal params are spelt', () => {
    fc.assert(
      fc.property(params, fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })), (value, stream) => {
        const random = (): number => stream.next().value as number;
        expect(canonical(respelt(value, random))).toBe(canonical(JSON.stringify(value)));
      }),
    );
  });

  it('differs for params that differ', () => {
    fc.assert(
      fc.property(params, params, (one, other) => {
        const [a, b] = [JSON.stringify(one), JSON.stringify(other)];
        const same = canonical(a) === canonical(b);
        const equal = sorted(one) === sorted(other);
        expect([a, b, same]).toEqual([a, b, equal]);
      }),
    );
  });

  it.each([
    ['[["A","B"]]', '[["A"],["B"]]'],
    ['["a,b"]', '["a","b"]'],
    ['[9007199254740993]', '[9007199254740992]'],
    ['[1.0]', '[1]'],
    ['["0x0"]', '["0x00"]'],
    ['[{"a":"b"}]', '[["a","b"]]'],
    ['["latest"]', '["LATEST"]'],
    ['[null]', '[]'],
    ['["\\u0022,\\u0022"]', '["",""]'],
  ])('keeps %s and %s apart', (one, other) => {
    expect(canonical(one)).not.toBe(canonical(other));
  });

  it('does not decide between two members of one name', () => {
    expect(canonical('[{"to":"0xa","to":"0xb"}]')).toBeUndefined();
    expect(canonical('[{"0xA":1,"0xa":2}]')).toBeUndefined();
    expect(canonical('[{"a":1},{"a":2}]')).toBe('[{"a":1},{"a":2}]');
  });
});

describe('requestKey', () => {
  it('tells blocks and methods apart, and does not compare very large params', () => {
    const key = (method: string, block: string, text = '[1]'): string | undefined =>
      requestKey(method, block, Buffer.from(text));
    expect(new Set([key('a', 'b'), key('ab', ''), key('', 'ab'), key('a', 'c')]).size).toBe(4);
    expect(key('a', 'b', `["${'x'.repeat(20_000)}"]`)).toBeUndefined();
  });
});

function sorted(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1))
      : item,
  ).concat(JSON.stringify(shape(value)));
}

/** Objects written as lists must not equal lists. */
function shape(value: unknown): unknown {
  if (Array.isArray(value)) return ['list', ...value.map(shape)];
  if (typeof value !== 'object' || value === null) return 0;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return ['object', ...entries.map(([name, item]) => [name, shape(item)])];
}

it.each([
  '[{"to":"0x1","to":"0x2"}]',
  '[{"to":"0x1","To":"0x2"}]',
  '[{"gas":"0x1","ga\u017f":"0x2"}]',
  '[{"blockHash":"0x1","bloc\u212aHash":"0x2"}]',
  '[{"a":{"x":1,"X":1}}]',
])('finds %s ambiguous: nodes differ on which of the two members counts', (text) => {
  expect(canonical(text)).toBeUndefined();
});
