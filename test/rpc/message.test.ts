import { isInvalid, type MessageItem, parseMessage, type RpcMessage } from '../../runtime/rpc/message';

const bounds = { maxDepth: 64, maxBatchItems: 3 };

function parse(text: string | Buffer): RpcMessage {
  return parseMessage(Buffer.from(text), bounds);
}

function only(message: RpcMessage): MessageItem {
  if (message.kind !== 'single') throw new Error(`expected a single request, got ${message.kind}`);
  return message.item;
}

function problem(message: RpcMessage): string {
  const refused =
    message.kind === 'refused'
      ? message.refused
      : (only(message) as { refused?: { message: string; code: number } }).refused;
  if (!refused) throw new Error('it was accepted');
  return `${refused.code} ${refused.message}`;
}

describe('parseMessage', () => {
  it.each(['1', '"abc"', 'null', '12345678901234567890', '1.5', '-0', '1e400', '"\\u00e9\\n"', '""'])(
    'keeps the id %s byte for byte',
    (id) => {
      const item = only(parse(`{"jsonrpc":"2.0","id": ${id} ,"method":"m"}`));
      expect(isInvalid(item)).toBe(false);
      expect(item.id?.toString()).toBe(id);
    },
  );

  it('tells a notification from an id that is null', () => {
    expect(only(parse('{"jsonrpc":"2.0","method":"m"}')).id).toBeUndefined();
    expect(only(parse('{"jsonrpc":"2.0","method":"m","id":null}')).id?.toString()).toBe('null');
  });

  it('locates params and their items, and changes no byte of them', () => {
    const item = only(parse('{"params": [ 9007199254740993 , {"a":[1, 2]}] ,"method":"m","jsonrpc":"2.0","id":1}'));
    if (isInvalid(item)) throw new Error(item.refused.message);
    const { bytes, spans } = item.params;
    expect(bytes.toString()).toBe('[ 9007199254740993 , {"a":[1, 2]}]');
    expect(spans.length).toBe(4);
    expect(bytes.subarray(spans[0], spans[1]).toString()).toBe('9007199254740993');
    expect(bytes.subarray(spans[2], spans[3]).toString()).toBe('{"a":[1, 2]}');
  });

  it('locates params in each item of a batch', () => {
    const message = parse(
      '[{"jsonrpc":"2.0","id":1,"method":"a","params":["x"]},{"jsonrpc":"2.0","method":"b","params":[1,2]}]',
    );
    if (message.kind !== 'batch') throw new Error(message.kind);
    const located = message.items.map((item) => {
      if (isInvalid(item)) return item.refused.message;
      const { bytes, spans } = item.params;
      return [item.method, bytes.toString(), bytes.subarray(spans[0], spans[1]).toString()];
    });
    expect(located).toEqual([
      ['a', '["x"]', '"x"'],
      ['b', '[1,2]', '1'],
    ]);
  });

  it.each([
    ['left out', '{"jsonrpc":"2.0","id":1,"method":"m"}', '[]'],
    ['null', '{"jsonrpc":"2.0","id":1,"method":"m","params":null}', '[]'],
    ['named', '{"jsonrpc":"2.0","id":1,"method":"m","params":{"a":1}}', '{"a":1}'],
  ])('takes params that are %s', (_, text, expected) => {
    const item = only(parse(text));
    if (isInvalid(item)) throw new Error(item.refused.message);
    expect(item.params.bytes.toString()).toBe(expected);
  });

  it('knows members by their decoded names only', () => {
    const escaped = only(parse('{"jsonrpc":"2.0","id":1,"m\\u0065thod":"eth_s\\u0065ndTransaction"}'));
    expect(isInvalid(escaped) ? '' : escaped.method).toBe('eth_sendTransaction');
    expect(problem(parse('{"jsonrpc":"2.0","id":1,"Method":"m"}'))).toBe(
      '-32600 Invalid request: the member "method" is missing',
    );
  });

  it('treats __proto__ and constructor as data', () => {
    const item = only(parse('{"__proto__":{"method":"evil"},"constructor":1,"jsonrpc":"2.0","id":1,"method":"m"}'));
    expect(isInvalid(item) ? '' : item.method).toBe('m');
  });

  it.each([
    ['', '-32700 Parse error: the text ends too early (byte 0)'],
    ['{"jsonrpc":"2.0"', '-32700 Parse error: the text ends too early (byte 16)'],
    ['[]', '-32600 Invalid request: the batch is empty'],
    ['1', '-32600 Invalid request: a request must be an object, got a number'],
    ['"x"', '-32600 Invalid request: a request must be an object, got a string'],
    ['null', '-32600 Invalid request: a request must be an object, got null'],
    ['{}', '-32600 Invalid request: the member "jsonrpc" must be "2.0"'],
    ['{"jsonrpc":12.05,"id":1,"method":"m"}', '-32600 Invalid request: the member "jsonrpc" must be "2.0"'],
    ['{"jsonrpc":"1.0","id":1,"method":"m"}', '-32600 Invalid request: the member "jsonrpc" must be "2.0"'],
    ['{"jsonrpc":"2.0","id":1}', '-32600 Invalid request: the member "method" is missing'],
    ['{"jsonrpc":"2.0","id":1,"method":5}', '-32600 Invalid request: the method must be a string, got a number'],
    [
      '{"jsonrpc":"2.0","id":{},"method":"m"}',
      '-32600 Invalid request: the id must be a string, a number or null, got an object',
    ],
    [
      '{"jsonrpc":"2.0","id":true,"method":"m"}',
      '-32600 Invalid request: the id must be a string, a number or null, got true',
    ],
    [
      '{"jsonrpc":"2.0","id":1,"method":"m","params":"x"}',
      '-32600 Invalid request: params must be an array or an object, got a string',
    ],
    ['{"jsonrpc":"2.0","id":1,"method":"a","method":"b"}', '-32600 Invalid request: the member "method" stands twice'],
    [`[${'{},'.repeat(3)}{}]`, '-32600 Invalid request: a batch may hold 3 items, got 4'],
    [
      `{"jsonrpc":"2.0","id":1,"method":"m","params":${'['.repeat(80)}${']'.repeat(80)}}`,
      '-32600 Invalid request: nested deeper than 64 (byte 109)',
    ],
  ])('refuses %j', (text, expected) => {
    expect(problem(parse(text))).toBe(expected);
  });

  it('refuses bytes that are not UTF-8', () => {
    expect(problem(parse(Buffer.from([0x22, 0xc3, 0x28, 0x22])))).toBe('-32700 Parse error: the body is not UTF-8');
  });

  it('answers each bad item of a batch under its own id, and keeps the good ones', () => {
    const message = parse('[1,{"jsonrpc":"2.0","id":"x"},{"jsonrpc":"2.0","id":2,"method":"m"}]');
    if (message.kind !== 'batch') throw new Error(message.kind);
    expect(message.items.map((item) => [item.id?.toString(), isInvalid(item)])).toEqual([
      ['null', true],
      ['"x"', true],
      ['2', false],
    ]);
  });

  it('holds up against a million digits, 200 000 names and a million brackets', () => {
    const request = (params: string): string => `{"jsonrpc":"2.0","id":1,"method":"m","params":${params}}`;
    const names = Array.from({ length: 200_000 }, (_, i) => `"k${i}":0`).join(',');
    expect(isInvalid(only(parse(request(`[${'9'.repeat(1_000_000)}]`))))).toBe(false);
    expect(isInvalid(only(parse(request(`[{${names}}]`))))).toBe(false);
    expect(problem(parse('['.repeat(1_000_000)))).toMatch('nested deeper than 64');
  });
});
