import { ANY_METHOD, methodAmong, methodBeyond, QUICK_METHODS, SLOW_METHODS } from '../../runtime/haproxy/safe-methods';
import { methodRows } from '../../runtime/rpc/methods';

describe('what the pool may repeat', () => {
  const rows = [...methodRows()];

  it('is what the proxy may', () => {
    const safe = rows.filter(([, { repeat }]) => repeat !== 'once').map(([method]) => method);
    expect([...QUICK_METHODS, ...SLOW_METHODS].sort()).toEqual(safe.sort());
  });

  it('is slow where the proxy says so', () => {
    const heavy = rows.filter(([, { repeat, effort }]) => repeat !== 'once' && effort === 'heavy');
    expect([...SLOW_METHODS].sort()).toEqual(heavy.map(([method]) => method).sort());
  });
});

describe('the patterns', () => {
  const safe = ['eth_call', 'eth_getLogs', 'trace_*'];
  const finds = (pattern: string, body: string): boolean => new RegExp(pattern, 'i').test(body);
  const isSafe = (body: string): boolean => finds(ANY_METHOD, body) && !finds(methodBeyond(safe), body);

  it.each([
    '{"jsonrpc":"2.0","id":1,"method":"eth_call","params":[]}',
    '{ "method" :\n\t"eth_call" }',
    '[{"method":"eth_call"},{"method":"eth_getLogs"}]',
    '{"method":"trace_block"}',
    '{"METHOD":"ETH_CALL"}',
    String.raw`{"method":"eth_call","params":[{"data":"\"method\":\"eth_sendTransaction\""}]}`,
  ])('let pass %s', (body) => {
    expect(isSafe(body)).toBe(true);
  });

  it.each([
    '{"method":"eth_sendTransaction"}',
    '{"Method":"eth_sendTransaction"}',
    '{"method":"eth_call","Method":"eth_sendTransaction"}',
    '{"method" :\r\n "eth_sendTransaction"}',
    '[{"method":"eth_call"},{"method":"personal_sendTransaction"}]',
    '{"method":"eth_callMany"}',
    '{"method":"eth_cal"}',
    '{"method":"my_trace_block"}',
    '{"method":"trace_block-now"}',
    '{"method":""}',
    '{"method":1}',
    '{}',
    '',
  ])('let not pass %s', (body) => {
    expect(isSafe(body)).toBe(false);
  });

  it('find what is slow', () => {
    expect(finds(methodAmong(['eth_getLogs', 'trace_*']), '[{"method":"eth_call"},{"method":"trace_block"}]')).toBe(
      true,
    );
    expect(finds(methodAmong(['eth_getLogs', 'trace_*']), '{"method":"eth_call","params":["eth_getLogs"]}')).toBe(
      false,
    );
  });
});
