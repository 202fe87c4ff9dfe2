import type { IncomingMessage } from 'node:http';
import { framingProblem } from '../../runtime/front/framing';

function request(headers: readonly (readonly [string, string])[], url = '/', httpVersion = '1.1'): IncomingMessage {
  const first = Object.fromEntries([...headers].reverse().map(([name, value]) => [name.toLowerCase(), value]));
  return { headers: first, rawHeaders: headers.flat(), url, httpVersion } as unknown as IncomingMessage;
}

const HOST = ['Host', 'a.example'] as const;

describe('framingProblem', () => {
  it.each([
    ['a plain request', request([HOST])],
    ['chunks', request([HOST, ['Transfer-Encoding', 'Chunked']])],
    ['HTTP/1.0 without a Host', request([], '/', '1.0')],
    ['absolute form of the same host', request([HOST], 'http://A.example/path')],
  ])('finds none in %s', (_, message) => {
    expect(framingProblem(message)).toBeUndefined();
  });

  it.each([
    ['a second coding', request([HOST, ['Transfer-Encoding', 'gzip, chunked']]), /chunked/],
    ['another coding', request([HOST, ['Transfer-Encoding', 'identity']]), /chunked/],
    ['chunks in HTTP/1.0', request([HOST, ['Transfer-Encoding', 'chunked']], '/', '1.0'), /1\.0/],
    ['no Host', request([]), /one Host/],
    ['two Hosts', request([HOST, ['HOST', 'b.example']]), /one Host/],
    ['two Hosts that agree', request([HOST, HOST], '/', '1.0'), /one Host/],
    ['absolute form of another host', request([HOST], 'http://b.example/'), /different hosts/],
    ['absolute form with userinfo', request([HOST], 'http://a.example@b.example/'), /different hosts/],
  ])('finds %s', (_, message, problem) => {
    expect(framingProblem(message)).toMatch(problem);
  });
});
