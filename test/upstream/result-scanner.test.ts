import fc from 'fast-check';
import { NO_RESULT_YET, ResultScanner } from '../../runtime/upstream/result-scanner';

/** Pushes a text in pieces, the first of which holds the result's beginning, as the attempt does. */
function scan(text: string, first: number, size: number): { passed: string; problem: string | undefined } {
  const bytes = Buffer.from(text);
  const scanner = new ResultScanner(7);
  const passed: Buffer[] = [];
  let at = 0;
  while (at < bytes.length) {
    const end = Math.min(bytes.length, at + (at === 0 ? first : size));
    const part = scanner.push(bytes.subarray(at, end));
    if (typeof part === 'string') return { passed: Buffer.concat(passed).toString(), problem: part };
    passed.push(part);
    at = end;
  }
  return { passed: Buffer.concat(passed).toString(), problem: scanner.finish() };
}

describe('ResultScanner', () => {
  it('passes exactly the result, wherever the bytes are cut and wherever the id stands', () => {
    const texts = fc.record({ result: fc.json({ maxDepth: 4 }), idFirst: fc.boolean(), extra: fc.boolean() });
    fc.assert(
      fc.property(texts, fc.integer({ min: 1, max: 20 }), ({ result, idFirst, extra }, size) => {
        const head = idFirst ? '{"jsonrpc":"2.0","id":7,"result": ' : '{"result": ';
        const tail = `${idFirst ? '' : ',"id":7'}${extra ? ' , "x" : [1,"é"]' : ''} }\n`;
        expect(scan(head + result + tail, head.length + 1, size)).toEqual({ passed: result, problem: undefined });
      }),
    );
  });

  it.each([
    ['another id after the result', '{"result":[1,2,3],"id":8}', 'the answer has another id'],
    ['no id at all', '{"result":[1,2,3]}', 'the answer has no id'],
    [
      'an error beside the result',
      '{"id":7,"result":[1,2,3],"error":{"code":1,"message":"x"}}',
      'the answer has a result and an error',
    ],
    ['an end too early', '{"id":7,"result":[1,2,3]', 'the answer is not JSON: the text ends too early (byte 24)'],
    [
      'a second answer behind',
      '{"id":7,"result":[1]}{"id":7,"result":[2]}',
      'the answer is not JSON: text after the end (byte 21)',
    ],
    ['broken JSON in the result', '{"id":7,"result":[1,,3]}', 'the answer is not JSON: a value was expected (byte 20)'],
  ])('finds %s', (_, text, problem) => {
    expect(scan(text, 20, 1).problem).toBe(problem);
  });

  it('finds bad UTF-8 inside a result, also where a character is cut', () => {
    const good = Buffer.from('{"id":7,"result":"é€😀é"}');
    const bad = Buffer.from(good);
    bad[20] = 0x41;
    const run = (bytes: Buffer): string | undefined => {
      const scanner = new ResultScanner(7);
      let part = scanner.push(bytes.subarray(0, 18));
      for (let i = 18; i < bytes.length && typeof part !== 'string'; i++) part = scanner.push(bytes.subarray(i, i + 1));
      return typeof part === 'string' ? part : scanner.finish();
    };
    expect(run(good)).toBeUndefined();
    expect(run(bad)).toBe('the answer is not UTF-8');
  });

  it('says early whether the id can still be right', () => {
    const first = (text: string): boolean => {
      const scanner = new ResultScanner(7);
      scanner.push(Buffer.from(text));
      return scanner.mayMatch();
    };
    expect(first('{"id":7,"result":[1')).toBe(true);
    expect(first('{"id":7,"result":[1]}')).toBe(true);
    expect(first('{"result":[1],"id')).toBe(true);
    expect(first('{"result":[1')).toBe(true);
    expect(first('{"id":8,"result":[1')).toBe(false);
  });

  it('asks for more where the result has not begun', () => {
    expect(new ResultScanner(7).push(Buffer.from('{"id":7,"error":{'))).toBe(NO_RESULT_YET);
  });
});
