import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { JsonRpcProvider, keccak256 } from 'ethers';
import { RawClient, type ConnectionEnd } from './load-raw-client';
import { synBlackHole } from './scripted-black-hole';
import * as kit from './scripted-node';
import { ScriptedNode, type Behaviour, type ScriptedNodeOptions } from './scripted-node';

const ADDRESS = '0x10ad00000000000000000000000000000000beef';
const CHAIN_ID = '{"jsonrpc":"2.0","id":7,"method":"eth_chainId"}';
const ANSWER = '{"jsonrpc":"2.0","id":7,"result":"0x539"}';

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function startNode(options?: ScriptedNodeOptions): Promise<ScriptedNode> {
  const node = await ScriptedNode.start(options);
  closers.push(() => node.close());
  return node;
}

function connectTo(node: ScriptedNode): RawClient {
  const client = new RawClient(node.url);
  closers.push(() => client.close());
  return client;
}

async function ask(node: ScriptedNode, method: string, ...params: readonly unknown[]): Promise<unknown> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
  const response = await fetch(node.url, { method: 'POST', body });
  const { result, error } = (await response.json()) as { result?: unknown; error?: unknown };
  return error ?? result;
}

async function blockAt(node: ScriptedNode, ref: string): Promise<Record<string, string>> {
  return (await ask(node, 'eth_getBlockByNumber', ref, false)) as Record<string, string>;
}

function http(body: string, type = 'application/json', status = '200 OK'): string {
  return `HTTP/1.1 ${status}\r\ncontent-type: ${type}\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}

function envelope(members: string): string {
  return http(`{"jsonrpc":"2.0",${members}}`);
}

const HEAD = http(ANSWER).slice(0, -ANSWER.length);
const HALF = http(ANSWER).slice(0, HEAD.length + Math.floor(ANSWER.length / 2));
const CHUNKED_HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n';
const CHUNKS = 'a\r\n{"jsonrpc"\r\na\r\n:"2.0","id\r\na\r\n":7,"resul\r\na\r\nt":"0x539"\r\n';

describe('behaviours, byte for byte', () => {
  const rows: [name: string, behaviour: Behaviour, received: string | RegExp, end: ConnectionEnd][] = [
    ['ordinary', kit.ordinary(), http(ANSWER), 'open'],
    ['result', kit.result({ a: [1] }), envelope('"id":7,"result":{"a":[1]}'), 'open'],
    ['resultOf', kit.resultOf((request) => request.method), envelope('"id":7,"result":"eth_chainId"'), 'open'],
    ['error', kit.error(3, 'no', '0x'), envelope('"id":7,"error":{"code":3,"message":"no","data":"0x"}'), 'open'],
    ['wrongId', kit.wrongId(), envelope('"id":987654321,"result":"0x539"'), 'open'],
    ['missingId', kit.missingId(), envelope('"result":"0x539"'), 'open'],
    ['stringId', kit.stringId(), envelope('"id":"7","result":"0x539"'), 'open'],
    ['resultAndError', kit.resultAndError(), /"result":"0x1","error":\{"code":-32000,"message":"both"\}\}$/, 'open'],
    ['duplicateKeys', kit.duplicateKeys(), /"id":7,"result":"0x539","id":987654321,"result":"0x2"\}$/, 'open'],
    ['arrayForSingle', kit.arrayForSingle(), http(`[${ANSWER}]`), 'open'],
    ['truncatedJson', kit.truncatedJson(), http(ANSWER.slice(0, -3)), 'open'],
    ['bom', kit.bom(), http(`\xef\xbb\xbf${ANSWER}`), 'open'],
    ['badUtf8', kit.badUtf8(), http(`${ANSWER.slice(0, -1)},"note":"\xc3("}`), 'open'],
    ['emptyBody', kit.emptyBody(), http(''), 'open'],
    ['rawBody', kit.rawBody('hello'), http('hello'), 'open'],
    ['rawBytes', kit.rawBytes('HTTP/1.1 200'), 'HTTP/1.1 200', 'open'],
    ['html200', kit.html200(), /^HTTP\/1\.1 200 OK\r\ncontent-type: text\/html\r\n[^]*<h1>It works<\/h1>$/, 'open'],
    ['noContent204', kit.noContent204(), 'HTTP/1.1 204 No Content\r\n\r\n', 'open'],
    ['status 503', kit.status(503), http('503', 'text/plain', '503 Service Unavailable'), 'open'],
    ['status 429', kit.status(429, { 'retry-after': 2 }), /^HTTP\/1\.1 429 [^]*retry-after: 2\r\n\r\n429$/, 'open'],
    [
      'status 301',
      kit.status(301, { location: 'http://x/' }),
      /^HTTP\/1\.1 301 [^]*location: http:\/\/x\/\r\n/,
      'open',
    ],
    ['twoResponses', kit.twoResponses(), http(ANSWER) + http(ANSWER), 'open'],
    ['headerBomb', kit.headerBomb(50_000), new RegExp(`x-49: a{990}\r\n\r\n${ANSWER}$`), 'open'],
    ['resetBeforeResponse', kit.resetBeforeResponse(), '', 'reset'],
    ['finBeforeResponse', kit.finBeforeResponse(), '', 'fin'],
    ['finAfterResponse', kit.finAfterResponse(), http(ANSWER), 'fin'],
    ['resetInHeaders', kit.resetInHeaders(), HEAD.slice(0, Math.floor(HEAD.length / 2)), 'reset'],
    ['resetAfterHeaders', kit.resetAfterHeaders(), HEAD, 'reset'],
    ['resetAfterHalfBody', kit.resetAfterHalfBody(), HALF, 'reset'],
    ['shortBody', kit.shortBody(), HALF, 'fin'],
    ['hang', kit.hang(), '', 'open'],
    ['hangInBody', kit.hangInBody(), HALF, 'open'],
    ['drip of the body', kit.drip({ bytesPerTick: 10, everyMs: 2 }), http(ANSWER), 'open'],
    ['drip of the head', kit.drip({ bytesPerTick: 20, everyMs: 2, part: 'head' }), http(ANSWER), 'open'],
    ['delay', kit.delay(5, kit.status(503)), http('503', 'text/plain', '503 Service Unavailable'), 'open'],
    ['delay of the ordinary', kit.delay(5), http(ANSWER), 'open'],
    ['bigResult', kit.bigResult(100_000), new RegExp(`^${HEAD.slice(0, 60)}[^]*"id":7,"result":"a{100000}"}$`), 'open'],
    ['bigResult, id last', kit.bigResult(9, { idLast: true }), envelope(`"result":"${'a'.repeat(9)}","id":7`), 'open'],
    ['chunked', kit.chunked(), `${CHUNKED_HEAD}${CHUNKS}1\r\n}\r\n0\r\n\r\n`, 'open'],
    [
      'chunked, trailers',
      kit.chunked('trailers'),
      `${CHUNKED_HEAD}${CHUNKS}1\r\n}\r\n0\r\nx-checked: yes\r\n\r\n`,
      'open',
    ],
    ['chunked, badSize', kit.chunked('badSize'), `${CHUNKED_HEAD}${CHUNKS}zz\r\n1\r\n}\r\n0\r\n\r\n`, 'open'],
    ['chunked, fin', kit.chunked('fin'), `${CHUNKED_HEAD}${CHUNKS}`, 'fin'],
    ['chunked, reset', kit.chunked('reset'), `${CHUNKED_HEAD}${CHUNKS}`, 'reset'],
    ['chunked, hang', kit.chunked('hang'), `${CHUNKED_HEAD}${CHUNKS}1\r\n`, 'open'],
  ];

  it.each(rows)('%s', async (_name, behaviour, expected, end) => {
    const node = await startNode();
    const client = connectTo(node);
    node.on('eth_chainId', behaviour);
    client.post(CHAIN_ID);
    await node.received('eth_chainId');
    const arrived = (text: string): boolean =>
      typeof expected === 'string' ? text.length >= expected.length : expected.test(text);
    await client.until((text, ended) => arrived(text) && ended === end);
    // Nothing may follow what was promised.
    await sleep(10);
    if (typeof expected === 'string') expect(client.received).toBe(expected);
    else expect(client.received).toMatch(expected);
    expect(client.end).toBe(end);
  });
});

describe('behaviours over time', () => {
  it('resets the connection when a further request comes on it', async () => {
    const node = await startNode();
    const client = connectTo(node);
    node.once('eth_chainId', kit.nextSocketReset());
    client.post(CHAIN_ID);
    await client.until((text) => text === http(ANSWER));
    expect(client.end).toBe('open');
    client.post(CHAIN_ID);
    await client.until((_, end) => end === 'reset');
    expect(client.received).toBe(http(ANSWER));
    expect(node.callsOf('eth_chainId')).toHaveLength(1);
  });

  it('takes behaviours in turn, the last for ever', async () => {
    const node = await startNode();
    node.on('eth_call', kit.inTurn(kit.result('a'), kit.result('b')));
    expect(await Promise.all([1, 2, 3].map(() => ask(node, 'eth_call')))).toEqual(
      expect.arrayContaining(['a', 'b', 'b']),
    );
  });

  it('executes a transaction whose answer it loses, and only then', async () => {
    const node = await startNode();
    node.once('eth_sendRawTransaction', kit.resetBeforeResponse());
    await expect(ask(node, 'eth_sendRawTransaction', '0x01')).rejects.toThrow();
    expect(await ask(node, 'eth_getTransactionByHash', keccak256('0x01'))).toBeNull();
    node.once('eth_sendRawTransaction', kit.executed(kit.resetBeforeResponse()));
    await expect(ask(node, 'eth_sendRawTransaction', '0x01')).rejects.toThrow();
    expect(await ask(node, 'eth_getTransactionByHash', keccak256('0x01'))).toMatchObject({ input: '0x01' });
  });

  it('makes a big result only as fast as it is read, with the right length', async () => {
    const node = await startNode();
    const bytes = 64 * 1024 * 1024;
    node.on('eth_call', kit.bigResult(bytes));
    const slow = connectTo(node);
    slow.post('{"jsonrpc":"2.0","id":1,"method":"eth_call"}');
    await slow.until((text) => text.length > 0);
    slow.pause();
    await sleep(50);
    // What fits into two kernels' buffers has gone out, the rest is not made.
    expect(slow.received.length).toBeLessThan(bytes / 2);
    expect(process.memoryUsage().arrayBuffers).toBeLessThan(bytes / 2);
    slow.close();
    const response = await fetch(node.url, { method: 'POST', body: '{"id":1,"method":"eth_call"}' });
    let length = 0;
    for await (const piece of response.body ?? []) length += (piece as Uint8Array).length;
    expect(length).toBe(Number(response.headers.get('content-length')));
    expect(length).toBeGreaterThan(bytes);
  });
});

describe('scripts', () => {
  it('hit only the method they name, until taken off', async () => {
    const node = await startNode();
    node.on('eth_call', kit.result('scripted'));
    expect(await ask(node, 'eth_call')).toBe('scripted');
    expect(await ask(node, 'eth_chainId')).toBe('0x539');
    node.off('eth_call');
    expect(await ask(node, 'eth_call', { data: ADDRESS })).toBe(ADDRESS);
  });

  it('win by how particular they are: a number of times, choosers, the method, then all', async () => {
    const node = await startNode();
    node.on('*', kit.result('all'));
    node.on('eth_call', kit.result('method'));
    node.on(({ params }) => (Array.isArray(params) && params[0] === 'pick' ? kit.result('chooser') : undefined));
    node.once('*', kit.result('next two'), 2);
    expect(await ask(node, 'eth_call', 'pick')).toBe('next two');
    expect(await ask(node, 'eth_chainId')).toBe('next two');
    expect(await ask(node, 'eth_call', 'pick')).toBe('chooser');
    expect(await ask(node, 'eth_call')).toBe('method');
    expect(await ask(node, 'eth_chainId')).toBe('all');
    node.off();
    expect(await ask(node, 'eth_chainId')).toBe('0x539');
  });

  it('fail the close when they throw, and cut the connection', async () => {
    const node = await ScriptedNode.start({ name: 'n1' });
    node.on('*', () => {
      throw new Error('a bug in a test');
    });
    await expect(ask(node, 'eth_chainId')).rejects.toThrow();
    await expect(node.close()).rejects.toThrow('a script of n1 threw');
  });
});

describe('the wire', () => {
  it('logs what arrives as it was written, with its connection and turn', async () => {
    const node = await startNode();
    const [first, second] = [connectTo(node), connectTo(node)];
    const body = '{ "jsonrpc":"2.0", "id": 1e3, "method":"eth_call", "params":[{"data":"0xé"}] }';
    first.post(body);
    await node.received('eth_call');
    first.post(body);
    await node.received('eth_call', 2);
    second.post(body);
    await node.received('eth_call', 3);
    expect(node.requests.map(({ turn }) => turn)).toEqual([1, 2, 1]);
    expect(new Set(node.requests.map(({ socketId }) => socketId)).size).toBe(2);
    expect(node.requests[0]).toMatchObject({ rawBody: body, rawId: '1e3', id: 1000, verb: 'POST', path: '/' });
    expect(node.requests[0]).toMatchObject({ params: [{ data: '0xé' }], headers: { host: 'test' } });
    expect(node.connections).toEqual({ opened: 2, open: 2 });
    await first.until((text) => text.split('"id":1e3').length === 3);
  });

  it('reads requests in any pieces and answers pipelined ones in order', async () => {
    const node = await startNode();
    const client = connectTo(node);
    node.once('eth_chainId', kit.delay(20));
    const two = [1, 2].map((id) => `{"jsonrpc":"2.0","id":${id},"method":"eth_chainId"}`);
    const bytes = two.map((body) => `POST / HTTP/1.1\r\ncontent-length: ${body.length}\r\n\r\n${body}`).join('');
    for (const piece of bytes.match(/[^]{1,25}/g) ?? []) {
      client.send(piece);
      await sleep(1);
    }
    await client.until((text) => text.split('HTTP/1.1 200').length === 3);
    expect(client.received.match(/"id":\d/g)).toEqual(['"id":1', '"id":2']);
  });

  it('answers each item of a batch and no notification', async () => {
    const node = await startNode();
    const client = connectTo(node);
    client.post('[{"id":"a","method":"eth_chainId"}, {"method":"eth_chainId"}, {"id":2,"method":"net_version"}]');
    const expected = '[{"jsonrpc":"2.0","id":"a","result":"0x539"},{"jsonrpc":"2.0","id":2,"result":"1337"}]';
    await client.until((text) => text === http(expected));
    node.on(
      'net_version',
      kit.altered((answers) => answers.toReversed().slice(0, 1)),
    );
    client.post('[{"id":1,"method":"eth_chainId"}, {"id":2,"method":"net_version"}]');
    const changed = http('[{"jsonrpc":"2.0","id":2,"result":"1337"}]');
    await client.until((text) => text === http(expected) + changed);
    expect(node.callsOf('eth_chainId')).toHaveLength(3);
  });

  it('refuses what is no request', async () => {
    const client = connectTo(await startNode());
    client.post('nonsense');
    await client.until((text) => text.includes('"id":null,"error":{"code":-32600'));
    expect(client.end).toBe('open');
  });

  it('refuses connections when told, resets the open ones, and comes back on the same port', async () => {
    const node = await startNode();
    const { url } = node;
    const client = connectTo(node);
    client.post(CHAIN_ID);
    await client.until((text) => text === http(ANSWER));
    await node.refuse();
    await client.until((_, end) => end === 'reset');
    const refused = connectTo(node);
    await refused.until((_, end) => end === 'refused');
    await node.accept();
    expect(node.url).toBe(url);
    expect(await ask(node, 'eth_chainId')).toBe('0x539');
  });
});

describe('the chain', () => {
  it('is one that ethers can read', async () => {
    const node = await startNode({ chainId: 5 });
    const provider = new JsonRpcProvider(node.url);
    closers.push(() => provider.destroy());
    expect((await provider.getNetwork()).chainId).toBe(5n);
    const block = await provider.getBlock('latest');
    const parent = await provider.getBlock(block?.parentHash ?? '');
    expect([block?.number, parent?.number]).toEqual([100, 99]);
    expect(await provider.getBalance(ADDRESS)).toBe(BigInt(ADDRESS));
  });

  it('is the same on every node, apart from forks and from where they begin', async () => {
    const [a, b] = [await startNode(), await startNode()];
    a.branchAt(99, 'fork');
    const hashes = async (node: ScriptedNode): Promise<(string | undefined)[]> =>
      Promise.all(['0x61', '0x62', '0x63', '0x64'].map(async (ref) => (await blockAt(node, ref))['hash']));
    const [ofA, ofB] = [await hashes(a), await hashes(b)];
    expect(ofA.slice(0, 2)).toEqual(ofB.slice(0, 2));
    expect(new Set([...ofA, ...ofB]).size).toBe(6);
    expect((await blockAt(a, '0x63'))['parentHash']).toBe(ofB[1]);
    expect(await ask(a, 'eth_getBlockByHash', ofB[3], false)).toBeNull();
    a.branchAt(99, 'main');
    expect(await hashes(a)).toEqual(ofB);
    b.branchAt(98, 'fork');
    a.branchAt(99, 'fork');
    expect((await blockAt(b, '0x64'))['hash']).not.toBe((await blockAt(a, '0x64'))['hash']);
  });

  it('moves to any head at once, and has no block above it', async () => {
    const node = await startNode();
    node.mine(2);
    expect(await ask(node, 'eth_blockNumber')).toBe('0x66');
    node.setHead(node.head + 10_000);
    expect((await blockAt(node, 'latest'))['number']).toBe('0x2776');
    node.setHead(95);
    expect(await ask(node, 'eth_getBlockByNumber', '0x60', false)).toBeNull();
    expect((await blockAt(node, 'finalized'))['number']).toBe('0x1f');
    expect(await ask(node, 'eth_getBalance', ADDRESS, '0x60')).toEqual({ code: -32000, message: 'header not found' });
    const { hash } = await blockAt(node, 'latest');
    expect(await ask(node, 'eth_call', { data: ADDRESS }, { blockHash: hash })).toBe(ADDRESS);
    node.branchAt(95, 'fork');
    expect(await ask(node, 'eth_call', { data: ADDRESS }, { blockHash: hash })).toMatchObject({ code: -32000 });
  });

  it('gives a block its time when it arrives: 12 s apart below a new head, growing old above', async () => {
    let now = 1_700_000_000_000;
    const node = await startNode({ now: () => now });
    const times = async (): Promise<number[]> =>
      Promise.all(['0x62', '0x63', '0x64'].map(async (ref) => Number((await blockAt(node, ref))['timestamp'])));
    const before = [1_699_999_976, 1_699_999_988, 1_700_000_000];
    expect(await times()).toEqual(before);
    now += 30_000;
    expect(await times()).toEqual(before);
    node.mine(2);
    expect(await times()).toEqual(before);
    expect(Number((await blockAt(node, '0x65'))['timestamp'])).toBe(1_700_000_018);
    expect(Number((await blockAt(node, 'latest'))['timestamp'])).toBe(1_700_000_030);
    node.setHead(100);
    expect(await times()).toEqual(before);
    node.chain.setTimestamp(100, 5);
    expect((await times())[2]).toBe(5);
  });

  it('grows by itself when asked to, and freezes', async () => {
    const node = await startNode({ blockTimeMs: 5 });
    while (node.head < 103) await sleep(2);
    node.freeze();
    const { head } = node;
    await sleep(30);
    expect(node.head).toBe(head);
    node.freeze(false);
    while (node.head === head) await sleep(2);
  });
});

describe('methods', () => {
  it.each([
    ['eth_getBalance', [ADDRESS, 'latest'], ADDRESS],
    ['eth_getTransactionCount', [ADDRESS], ADDRESS],
    ['eth_getCode', [ADDRESS, 'latest'], ADDRESS],
    ['eth_getStorageAt', [ADDRESS, '0x0', 'latest'], `0x${'0'.repeat(24)}${ADDRESS.slice(2)}`],
    ['eth_call', [{ to: ADDRESS, input: '0x1234' }, 'latest'], '0x1234'],
    ['eth_syncing', [], false],
    ['web3_clientVersion', [], 'ScriptedNode/1'],
    ['eth_getBalance', ['nobody'], { code: -32602, message: 'invalid argument 0: Error: not an address' }],
    ['eth_unheardOf', [], { code: -32601, message: 'the method eth_unheardOf does not exist/is not available' }],
    ['toString', [], { code: -32601, message: 'the method toString does not exist/is not available' }],
  ])('%s %j', async (method, params, expected) => {
    expect(await ask(await startNode(), method, ...params)).toEqual(expected);
  });

  it('know a raw transaction from its second arrival on, on every node of one pool', async () => {
    const pool: NonNullable<ScriptedNodeOptions['pool']> = new Map();
    const [a, b] = [await startNode({ pool }), await startNode({ pool })];
    const hash = keccak256('0xabcd');
    expect(await ask(b, 'eth_getTransactionByHash', hash)).toBeNull();
    expect(await ask(a, 'eth_sendRawTransaction', '0xabcd')).toBe(hash);
    expect(await ask(b, 'eth_sendRawTransaction', '0xabcd')).toEqual({ code: -32000, message: 'already known' });
    expect(await ask(b, 'eth_getTransactionByHash', hash)).toMatchObject({ hash, blockNumber: null });
  });

  it('take eth_sendTransaction as often as it comes', async () => {
    const node = await startNode();
    const first = await ask(node, 'eth_sendTransaction', { data: '0x01' });
    expect(await ask(node, 'eth_sendTransaction', { data: '0x01' })).toBe(first);
    expect(await ask(node, 'eth_sendTransaction', { data: '0x02' })).not.toBe(first);
    expect(node.callsOf('eth_sendTransaction')).toHaveLength(3);
  });
});

describe('synBlackHole', () => {
  it('neither takes nor refuses a connection, and is gone when closed', async () => {
    const hole = await synBlackHole();
    const events: string[] = [];
    const socket = connect(hole.port, '127.0.0.1', () => events.push('connected'));
    socket.on('error', () => events.push('refused'));
    await sleep(150);
    expect(events).toEqual([]);
    socket.destroy();
    await hole.close();
    const after = new RawClient(hole.url);
    await after.until((_, end) => end === 'refused');
  });
});
