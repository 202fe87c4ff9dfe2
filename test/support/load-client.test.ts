import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { Ledger, type SentRequest } from './ledger';
import { runLoad } from './load-client';
import { echoMix, readMix, sendRawTransaction, sendTransaction, type RequestMaker } from './load-mix';
import { synBlackHole } from './scripted-black-hole';
import { rawChildren, rawMember } from './scripted-json';
import * as kit from './scripted-node';
import { ScriptedNode, type Behaviour } from './scripted-node';

const CALL = maker('eth_call');
const HTTP_JSON = { kind: 'httpJsonError', status: 503, code: -32603, message: 'x', id: 'nobodys' };
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function startNode(name = 'n1'): Promise<ScriptedNode> {
  const node = await ScriptedNode.start({ name });
  closers.push(() => node.close());
  return node;
}

function maker(method: string): RequestMaker {
  const found = echoMix.find((one) => one.method === method);
  if (found === undefined) throw new Error(`no ${method} in the mix`);
  return found;
}

describe('runLoad', () => {
  it('finds nothing wrong with a healthy node, whatever the ids look like', async () => {
    const node = await startNode();
    const mix = [...echoMix, sendTransaction, sendRawTransaction];
    const ledger = await runLoad({ url: node.url, mix, clients: 4, total: 200, ids: 'tricky' });
    expect(ledger.check({ nodes: [node], maxAttempts: 1 })).toEqual([]);
    expect(ledger.failures()).toEqual([]);
    expect(ledger.summary()).toMatchObject({ sent: 200, outcomes: { result: 200 } });
    expect(node.requests).toHaveLength(200);
    expect(new Set(node.requests.map((request) => request.method)).size).toBe(12);
  });

  it('gives each client one connection and no request an id or nonce of another', async () => {
    const node = await startNode();
    const options = { url: `${node.url}/chain?x=1`, mix: [CALL], headers: { 'x-test': 'yes' } };
    const runs = await Promise.all([
      runLoad({ ...options, clients: 3, total: 60 }),
      runLoad({ ...options, clients: 2, total: 40 }),
    ]);
    expect(node.connections.opened).toBe(5);
    expect(node.requests[0]).toMatchObject({ path: '/chain?x=1', headers: { 'x-test': 'yes' } });
    const entries = runs.flatMap((ledger) => ledger.entries);
    expect(new Set(entries.map((entry) => entry.nonce)).size).toBe(100);
    for (const { entries: own } of runs) expect(new Set(own.map(({ id }) => id)).size).toBe(own.length);
    const types = new Set(node.requests.map((request) => typeof request.id));
    expect(types).toEqual(new Set(['number', 'string']));
  });

  it('ends after its time, having awaited what was in flight', async () => {
    const node = await startNode();
    node.on('*', kit.delay(20));
    const ledger = await runLoad({ url: node.url, mix: echoMix, clients: 2, durationMs: 50, pauseMs: 1 });
    expect(ledger.failures()).toEqual([]);
    expect(ledger.entries.length).toBeGreaterThanOrEqual(2);
    expect(ledger.summary().latencyMs.p50).toBeGreaterThanOrEqual(15);
  });

  it('leaves at once when told, and says so', async () => {
    const node = await startNode();
    node.on('eth_call', kit.hang());
    const leave = new AbortController();
    const running = runLoad({ url: node.url, mix: [CALL], clients: 3, total: 100, signal: leave.signal });
    await node.received('eth_call', 3);
    leave.abort();
    expect((await running).summary().outcomes).toEqual({ clientAbort: 3 });
  });

  it('wants to know when to end', async () => {
    await expect(runLoad({ url: 'http://127.0.0.1:1', mix: readMix })).rejects.toThrow('durationMs or total');
  });

  const outcomes: [name: string, behaviour: Behaviour, outcome: object][] = [
    ['an error of the node', kit.error(-32000, 'no'), { kind: 'rpcError', code: -32000, message: 'no', id: 'ours' }],
    ['a wrong result', kit.result('0x1234'), { kind: 'result', right: false, id: 'ours' }],
    ['a wrong id', kit.wrongId(), { kind: 'result', right: true, id: 'anothers' }],
    ['a missing id', kit.missingId(), { kind: 'result', right: true, id: 'nobodys' }],
    [
      'an id re-written',
      kit.altered((all) => all.map((one) => ({ ...one, id: one.id?.replace('l', '\\u006c') }))),
      { id: 'anothers' },
    ],
    ['503 without JSON', kit.status(503), { kind: 'httpBareError', status: 503, text: '503' }],
    ['503 with an error', kit.status(503, {}, '{"id":null,"error":{"code":-32603,"message":"x"}}'), HTTP_JSON],
    ['HTML', kit.html200(), { kind: 'malformed', status: 200 }],
    ['nothing', kit.emptyBody(), { kind: 'malformed' }],
    ['cut JSON', kit.truncatedJson(), { kind: 'malformed' }],
    ['a byte order mark', kit.bom(), { kind: 'malformed' }],
    ['bad UTF-8', kit.badUtf8(), { kind: 'malformed' }],
    ['an array', kit.arrayForSingle(), { kind: 'malformed' }],
    ['result and error', kit.resultAndError(), { kind: 'malformed' }],
    ['a reset', kit.resetBeforeResponse(), { kind: 'networkError', code: 'ECONNRESET' }],
    ['an early end', kit.finBeforeResponse(), { kind: 'networkError', code: 'UND_ERR_SOCKET' }],
    ['half a body', kit.shortBody(), { kind: 'networkError' }],
    ['half a chunked body', kit.chunked('fin'), { kind: 'networkError' }],
    ['silence', kit.hang(), { kind: 'timeout' }],
    ['silence in the body', kit.hangInBody(), { kind: 'timeout' }],
  ];

  it.each(outcomes)('classes %s, and goes on', async (_name, behaviour, outcome) => {
    const node = await startNode();
    node.once('eth_call', behaviour);
    const ledger = await runLoad({ url: node.url, mix: [CALL], clients: 1, total: 2, timeoutMs: 500 });
    const [hit, next] = ledger.entries;
    expect(hit?.outcomes).toMatchObject([{ outcome }]);
    expect(next?.outcomes[0]?.outcome).toMatchObject({ kind: 'result', right: true, id: 'ours' });
    expect(ledger.failures()).toEqual([hit]);
  });

  it('classes connections refused, and connections nobody answers', async () => {
    const free = createServer().listen(0, '127.0.0.1');
    await once(free, 'listening');
    const { port } = free.address() as AddressInfo;
    free.close();
    const hole = await synBlackHole();
    closers.push(() => hole.close());
    const refused = await runLoad({ url: `http://127.0.0.1:${port}`, mix: [CALL], clients: 1, total: 1 });
    const unanswered = await runLoad({ url: hole.url, mix: [CALL], clients: 1, total: 1, timeoutMs: 50 });
    expect(refused.failures()[0]?.outcomes[0]?.outcome).toMatchObject({ kind: 'networkError', code: 'ECONNREFUSED' });
    expect(unanswered.failures()[0]?.outcomes[0]?.outcome).toEqual({ kind: 'timeout' });
  });

  it('lets a client that gives up by itself leave alone', async () => {
    const node = await startNode();
    node.on('eth_call', kit.hang());
    const mix = [{ ...CALL, abortAfterMs: 10 }, maker('eth_getCode')];
    const ledger = await runLoad({ url: node.url, mix, clients: 2, total: 4 });
    expect(ledger.summary().outcomes).toEqual({ clientAbort: 2, result: 2 });
    expect(ledger.checkL1()).toEqual([]);
  });

  it('has a mix that a real node answers', async () => {
    const anvil = spawn(require.resolve(`@foundry-rs/anvil-${platform()}/bin/anvil`), ['--port', '0']);
    closers.push(() => anvil.kill() && once(anvil, 'exit'));
    let output = '';
    while (!output.includes('Listening on')) output += String((await once(anvil.stdout, 'data'))[0]);
    const address = /Listening on (\S+)/.exec(output)?.[1] ?? '';
    const ledger = await runLoad({ url: `http://${address}`, mix: readMix, clients: 2, total: 40 });
    expect(ledger.check({ nodes: [], maxAttempts: 1 })).toEqual([]);
    expect(ledger.failures()).toEqual([]);
  });
});

describe('the ledger', () => {
  it('L1 sees a request without outcome, one with two, and outcomes nobody asked for', () => {
    const ledger = new Ledger();
    ledger.sent(entry('1'));
    ledger.sent(entry('2'));
    ledger.settled('2', { kind: 'clientAbort' }, 1);
    ledger.settled('2', { kind: 'clientAbort' }, 1);
    ledger.settled('"2"', { kind: 'clientAbort' }, 1);
    ledger.sent(entry('2'));
    ledger.settled('2', { kind: 'clientAbort' }, 1);
    expect(ledger.checkL1()).toEqual([
      'L1 id "2" was never sent and ended as clientAbort {}',
      expect.stringMatching(/^L1 eth_call id 2 .*: this id was used before$/),
      expect.stringMatching(/^L1 eth_call id 1 .*: has no outcome$/),
      expect.stringMatching(/^L1 eth_call id 2 .*: has 2 outcomes$/),
    ]);
  });

  it('L1 sees requests lost on the way, unless the test expects such', async () => {
    const node = await startNode();
    node.once('eth_call', kit.resetBeforeResponse(), 2);
    const ledger = await runLoad({ url: node.url, mix: [CALL], clients: 2, total: 20 });
    expect(ledger.checkL1()).toHaveLength(2);
    expect(ledger.checkL1()[0]).toMatch(/: lost as networkError .*ECONNRESET/);
    expect(ledger.checkL1(['networkError'])).toEqual([]);
  });

  it('L2 sees two answers that were swapped', async () => {
    const node = await startNode();
    // Each gets the result the other one asked for, under its own id.
    const asked: string[] = [];
    node.on('eth_getCode', async (exchange) => {
      asked.push(nonceOf(exchange.requests[0]));
      await node.received('eth_getCode', 2);
      const other = nonceOf(node.callsOf('eth_getCode').find((one) => one !== exchange.requests[0]));
      await kit.result(other)(exchange);
    });
    const ledger = await runLoad({ url: node.url, mix: [maker('eth_getCode')], clients: 2, total: 2 });
    expect(ledger.checkL1()).toEqual([]);
    expect(ledger.checkL2()).toHaveLength(2);
    expect(ledger.checkL2().every((problem) => asked.some((nonce) => problem.includes(nonce)))).toBe(true);
    expect(ledger.summary().outcomes).toEqual({ wrongResult: 2 });
  });

  it('L2 sees an id that is not the one sent, to the byte', async () => {
    const node = await startNode();
    node.on(
      'eth_call',
      kit.altered((all) => all.map((one) => ({ ...one, id: JSON.stringify(JSON.parse(`${one.id}`)) }))),
    );
    const ledger = await runLoad({ url: node.url, mix: [CALL], clients: 1, total: 7, ids: 'tricky' });
    // Numbers beyond 2^53, with a fraction's zeros or an exponent, and escapes do not survive a parse.
    expect(ledger.checkL2()).toHaveLength(4);
    expect(ledger.failures()).toHaveLength(4);
  });

  it('L3 sees a transaction executed twice, on one node or on two', async () => {
    const [a, b] = [await startNode('a'), await startNode('b')];
    const ledger = await runLoad({ url: a.url, mix: [sendTransaction, sendRawTransaction], clients: 2, total: 20 });
    expect(ledger.checkL3([a, b])).toEqual([]);
    const [first, second] = a.callsOf('eth_sendTransaction');
    const [repeatable] = a.callsOf('eth_sendRawTransaction');
    for (const [url, body] of [
      [a.url, first?.rawBody],
      [b.url, second?.rawBody],
      [b.url, repeatable?.rawBody],
    ]) {
      await (await fetch(url ?? '', { method: 'POST', body: body ?? '' })).text();
    }
    expect(ledger.checkL3([a, b])).toEqual([
      expect.stringMatching(/^L3 eth_sendTransaction .*: arrived 2 times \(a, a\), at most 1 allowed$/),
      expect.stringMatching(/^L3 eth_sendTransaction .*: arrived 2 times \(a, b\), at most 1 allowed$/),
    ]);
    expect(ledger.check({ nodes: [a, b], maxAttempts: 2 })).toHaveLength(2);
  });

  it('L4 sees more attempts than allowed', async () => {
    const [a, b] = [await startNode('a'), await startNode('b')];
    const ledger = await runLoad({ url: a.url, mix: [CALL], clients: 1, total: 3 });
    const body = a.requests[1]?.rawBody ?? '';
    await (await fetch(b.url, { method: 'POST', body })).text();
    expect(ledger.checkL4([a, b], 2)).toEqual([]);
    expect(ledger.checkL4([a, b], 1)).toEqual([expect.stringMatching(/^L4 eth_call .*\(a, b\), at most 1 allowed$/)]);
  });

  it('sums up by class, with latencies of all that did not leave by themselves', () => {
    const ledger = new Ledger();
    expect(ledger.summary()).toEqual({ sent: 0, outcomes: {}, latencyMs: { p50: 0, p99: 0, max: 0 } });
    for (let number = 1; number <= 200; number++) {
      ledger.sent(entry(String(number)));
      ledger.settled(String(number), { kind: 'result', right: number !== 7, id: 'ours', text: '' }, number);
    }
    ledger.sent(entry('201'));
    ledger.settled('201', { kind: 'clientAbort' }, 9_999);
    expect(ledger.summary()).toEqual({
      sent: 201,
      outcomes: { result: 199, wrongResult: 1, clientAbort: 1 },
      latencyMs: { p50: 100, p99: 198, max: 200 },
    });
    expect(ledger.failures().map(({ id }) => id)).toEqual(['7', '201']);
  });
});

describe('rawMember', () => {
  it.each([
    ['{"id":1}', '1'],
    [' { "a" : {"id":2, "b":["]"]}, "id" : 1.50 , "c":[] } ', '1.50'],
    ['{"x":"\\"id\\":3,}","\\u0069d":"a\\"}"}', '"a\\"}"'],
    ['{"id":1,"id":{"a": [1, 2]}}', '{"a": [1, 2]}'],
    ['{"result":{"id":1}}', undefined],
    ['{}', undefined],
    ['"id"', undefined],
  ])('of %s is %s', (text, raw) => {
    expect(rawMember(text, 'id')).toBe(raw);
  });

  it('has the items of an array as its like', () => {
    expect(rawChildren('[1, {"a": [2,3]}, "x,y"]').map(({ raw }) => raw)).toEqual(['1', '{"a": [2,3]}', '"x,y"']);
  });
});

function entry(id: string): SentRequest {
  const nonce = `0x${id.replace(/\D/g, '').padStart(40, '0')}`;
  return { id, nonce, method: 'eth_call', carriesNonce: true, idempotent: true, client: 0, sentAt: 0 };
}

function nonceOf(request: kit.LoggedRequest | undefined): string {
  return String((request?.params as unknown[] | undefined)?.[0]);
}

function platform(): string {
  return `${process.platform}-${process.arch === 'x64' ? 'amd64' : process.arch}`;
}
