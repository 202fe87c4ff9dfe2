import { createServer, type Server, type Socket } from 'node:net';
import { EthersProbe } from '../../runtime/weighter/ethers-probe';
import {
  type Behaviour,
  bigResult,
  delay,
  drip,
  error,
  hang,
  html200,
  rawBody,
  ScriptedNode,
  resetBeforeResponse,
  result,
  status,
  truncatedJson,
} from '../support/scripted-node';

const TIMEOUT_MS = 600;

let node: ScriptedNode;
let probes: EthersProbe[];

beforeEach(async () => {
  probes = [];
  node = await ScriptedNode.start({ head: 123, now: () => 1_800_000_000_000 });
});

afterEach(async () => {
  for (const probe of probes) probe.close();
  await node.close();
});

function probe(url = `${node.url}/v2/canarykey?token=canarytoken`): EthersProbe {
  const one = new EthersProbe(url, TIMEOUT_MS);
  probes.push(one);
  return one;
}

const run = (one = probe(), signal = new AbortController().signal) => one.run(signal);

it('learns number, time and latency with one call', async () => {
  node.on('eth_getBlockByNumber', delay(100));
  const { observation, code } = await run();
  expect(code).toBeUndefined();
  expect(observation).toMatchObject({ answered: true, blockNumber: 123, blockTime: 1_800_000_000_000 });
  const latencyMs = observation.answered ? observation.latencyMs : 0;
  expect(latencyMs).toBeGreaterThan(95);
  expect(latencyMs).toBeLessThan(TIMEOUT_MS);
  expect(node.requests.map(({ method, params }) => [method, params])).toEqual([
    ['eth_getBlockByNumber', ['latest', false]],
  ]);
  expect(node.requests[0]?.path).toBe('/v2/canarykey?token=canarytoken');
});

it('asks anew each time, on the connection it has', async () => {
  const one = probe();
  await run(one);
  node.mine();
  const { observation } = await run(one);
  expect(observation).toMatchObject({ blockNumber: 124 });
  expect(node.connections.opened).toBe(1);
});

it('keeps a password to the header', async () => {
  await run(probe(node.url.replace('http://', 'http://me:p%40ss@')));
  expect(node.requests[0]?.headers['authorization']).toBe(`Basic ${Buffer.from('me:p@ss').toString('base64')}`);
});

const elsewhere = 'http://127.0.0.1:1/canarykey';

it.each<[string, string, string, () => Behaviour]>([
  ['says nothing', 'TIMEOUT', 'no answer within 600 ms', () => hang()],
  ['answers too late', 'TIMEOUT', 'no answer within 600 ms', () => delay(900)],
  ['drips for ever', 'TIMEOUT', 'no answer within 600 ms', () => drip({ bytesPerTick: 1, everyMs: 30 })],
  ['resets', 'UNREACHABLE', 'cannot be reached: ECONNRESET', () => resetBeforeResponse()],
  ['is over its limit', 'HTTP_STATUS', 'answered HTTP 429', () => status(429, { 'retry-after': '60' })],
  ['is over its limit, in milliseconds', 'HTTP_STATUS', 'answered HTTP 429', () => status(429, { 'retry-after': '5' })],
  ['fails', 'HTTP_STATUS', 'answered HTTP 503', () => status(503)],
  ['redirects', 'HTTP_STATUS', 'answered HTTP 307', () => status(307, { location: elsewhere })],
  ['answers an error', 'RPC_ERROR', 'answered JSON-RPC error -32005', () => error(-32005, 'canarykey')],
  ['answers a page', 'BAD_ANSWER', 'answered no block', () => html200()],
  ['answers half a JSON', 'BAD_ANSWER', 'answered no block', () => truncatedJson()],
  ['answers null', 'BAD_ANSWER', 'answered no block', () => result(null)],
  ['answers another thing', 'BAD_ANSWER', 'answered no block', () => result({ number: 'canarykey' })],
  ['answers a text', 'BAD_ANSWER', 'answered no block', () => result('canarykey')],
  ['answers for another', 'BAD_ANSWER', 'answered no block', () => rawBody('{"jsonrpc":"2.0","id":77,"result":{}}')],
  ['answers nothing at all', 'BAD_ANSWER', 'answered no block', () => rawBody('null')],
  ['answers too much', 'BAD_ANSWER', 'answered more than a block', () => bigResult(16 * 2 ** 20)],
])('a server that %s: %s', async (_, code, reason, behaviour) => {
  node.on('*', behaviour());
  const began = performance.now();
  const found = await run();
  expect(found).toEqual({ observation: { answered: false, reason }, code });
  expect(performance.now() - began).toBeLessThan(TIMEOUT_MS + 200);
  // Nothing is repeated that would make a failing server look like a slow one, and cost it more calls.
  expect(node.requests).toHaveLength(1);
  node.off();
  expect((await run()).observation.answered).toBe(true);
});

it('a server that is not there', async () => {
  const one = probe();
  await node.refuse();
  expect(await run(one)).toEqual({
    observation: { answered: false, reason: 'cannot be reached: ECONNREFUSED' },
    code: 'UNREACHABLE',
  });
  expect(await run(probe('http://no.such.host.invalid/canarykey'))).toMatchObject({ code: 'UNREACHABLE' });
});

it('ends at once when it is stopped, and so does its connection', async () => {
  node.on('*', hang());
  const stop = new AbortController();
  const running = run(probe(), stop.signal);
  await node.received('eth_getBlockByNumber');
  const began = performance.now();
  stop.abort();
  expect((await running).code).toBe('ABORTED');
  expect(performance.now() - began).toBeLessThan(200);
  while (node.connections.open > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  expect((await run(probe(), stop.signal)).code).toBe('ABORTED');
});

/** Defect: a server that closes idle connections just then would have looked dead for a round. */
it('takes a new connection where the kept one is closed as it is used', async () => {
  const sockets: Socket[] = [];
  let requests = 0;
  const server: Server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk.toString();
      if (!received.includes('"jsonrpc"')) return;
      received = '';
      requests++;
      // The second one on the first connection meets its end.
      if (requests === 2) {
        socket.resetAndDestroy();
        return;
      }
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, result: node.chain.block(100) });
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const one = probe(`http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/`);
  expect((await run(one)).observation.answered).toBe(true);
  expect((await run(one)).observation).toMatchObject({ answered: true, blockNumber: 100 });
  expect([requests, sockets.length]).toEqual([3, 2]);
  for (const socket of sockets) socket.destroy();
  server.close();
});
