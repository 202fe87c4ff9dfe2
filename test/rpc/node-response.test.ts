import { parseNodeResponse } from '../../runtime/rpc/node-response';

function judge(text: string | Buffer): string {
  const response = parseNodeResponse(Buffer.from(text), 7);
  switch (response.kind) {
    case 'result':
      return `result ${response.result.toString()}${response.isNull ? ' (null)' : ''}`;
    case 'error':
      return `error ${response.code} ${response.message}: ${response.error.toString()}`;
    case 'fault':
      return `fault: ${response.problem}`;
  }
}

describe('parseNodeResponse', () => {
  it.each([
    ['{"jsonrpc":"2.0","id":7,"result":"0x1"}', 'result "0x1"'],
    ['{"result": {"a" : 12345678901234567890 } ,"id":7}\n', 'result {"a" : 12345678901234567890 }'],
    ['{"id":7,"result":null}', 'result null (null)'],
    ['{"id":7,"result":"x","error":null}', 'result "x"'],
    ['{"id":7,"result":null,"error":{"code":3,"message":"no"}}', 'error 3 no: {"code":3,"message":"no"}'],
    ['{"id":7,"error":{"message":"odd"}}', 'error 0 odd: {"message":"odd"}'],
    ['{"id":8,"result":1}', 'fault: the answer has another id'],
    ['{"id":"7","result":1}', 'fault: the answer has another id'],
    ['{"result":1}', 'fault: the answer has no id'],
    ['{"id":null,"error":{"code":-32700,"message":"bad"}}', 'fault: the answer has another id'],
    ['{"id":7}', 'fault: the answer has neither a result nor an error'],
    ['{"id":7,"result":1,"error":{"code":1,"message":"x"}}', 'fault: the answer has a result and an error'],
    ['{"id":7,"error":"text"}', 'fault: the error is no object'],
    ['{"id":7,"id":7,"result":1}', 'fault: the answer has two members "id"'],
    ['{"id":7,"result":1,"result":2}', 'fault: the answer has two members "result"'],
    ['[{"id":7,"result":1}]', 'fault: the answer is no object but array'],
    ['', 'fault: the answer is empty'],
    ['<html>', 'fault: the answer is not JSON: a value was expected (byte 0)'],
    ['{"id":7,"result":"0x', 'fault: the answer is not JSON: the text ends too early (byte 20)'],
    ['\ufeff{"id":7,"result":1}', 'fault: the answer is not JSON: a value was expected (byte 0)'],
    [Buffer.from([0x22, 0xff, 0x22]), 'fault: the answer is not UTF-8'],
  ])('reads %j', (text, expected) => {
    expect(judge(text)).toBe(expected);
  });

  it('is not misled by members of the same name further inside', () => {
    expect(judge('{"id":7,"result":{"id":8,"error":{"code":1}}}')).toBe('result {"id":8,"error":{"code":1}}');
  });
});
