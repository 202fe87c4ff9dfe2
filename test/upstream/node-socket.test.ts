import type { LookupFunction } from 'node:net';
import { createServer, type AddressInfo } from 'node:net';
import tls from 'node:tls';
import { NodeError } from '../../runtime/upstream/errors';
import { NodeSocket, type NodeSocketOptions } from '../../runtime/upstream/node-socket';
import type { SocketConnection } from '../../runtime/upstream/socket-connection';
import { synBlackHole } from '../support/scripted-black-hole';
import { answer, refused, ScriptedSocket, told } from '../support/scripted-socket';
import { selfSigned } from './certificate';

/** The node, and how our socket to it fares. */
class Bed {
  readonly connections: SocketConnection[] = [];
  readonly losses: NodeError[] = [];
  private wake: () => void = () => undefined;
  readonly socket: NodeSocket;

  constructor(options: Partial<NodeSocketOptions> = {}) {
    this.socket = new NodeSocket({
      node: 'n',
      url: server.url,
      connectTimeoutMs: 200,
      random: () => 0,
      onOpen: (connection) => {
        this.connections.push(connection);
        this.wake();
      },
      onLost: (error) => {
        this.losses.push(error);
        this.wake();
      },
      ...options,
      timing: { retryMs: 20, openTimeoutMs: 500, ...options.timing },
    });
    this.socket.start();
    beds.push(this);
  }

  /** The connection made as the `count`-th. */
  async opened(count = 1): Promise<SocketConnection> {
    return this.nth(this.connections, count);
  }

  async lost(count = 1): Promise<NodeError> {
    return this.nth(this.losses, count);
  }

  private async nth<T>(list: readonly T[], count: number): Promise<T> {
    for (;;) {
      const found = list[count - 1];
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }
}

const beds: Bed[] = [];
let server: ScriptedSocket;

beforeEach(async () => {
  server = await ScriptedSocket.start();
});

afterEach(async () => {
  await Promise.all(beds.splice(0).map(({ socket }) => socket.close()));
  await server.close();
});

const fast = 1000;

describe('asking', () => {
  it('numbers its requests, and gives each its answer in whatever order', async () => {
    const waiting: string[] = [];
    server.script = ({ id, method, params }) => {
      waiting.unshift(answer(id, [method, params]));
      if (waiting.length === 3) for (const text of waiting) server.say(text);
      return null;
    };
    const connection = await new Bed().opened();
    const answers = ['a', 'b', 'c'].map((method, index) => connection.request(method, [index], fast));
    expect(await Promise.all(answers)).toEqual([
      ['a', [0]],
      ['b', [1]],
      ['c', [2]],
    ]);
    expect(server.requests.map(({ id }) => id)).toEqual([1, 2, 3]);
  });

  it('tells a refusal, and stays open', async () => {
    const connection = await new Bed().opened();
    await expect(connection.request('eth_nothing', [], fast)).rejects.toMatchObject({
      name: 'SocketRefusal',
      code: -32601,
      message: 'n refused eth_nothing with code -32601',
    });
    expect(await connection.request('eth_chainId', [], fast)).toBe('0x539');
  });

  it('waits no longer than told; an answer that is late harms nobody', async () => {
    let late = '';
    server.script = ({ id, method }) => (method === 'slow' ? ((late = answer(id, 1)), null) : undefined);
    const connection = await new Bed().opened();
    await expect(connection.request('slow', [], 20)).rejects.toMatchObject({ code: 'TIMEOUT' });
    server.say(late);
    expect(await connection.request('eth_chainId', [], fast)).toBe('0x539');
  });

  it('fails what is on the way when the connection ends, and what comes after', async () => {
    server.script = () => null;
    const connection = await new Bed().opened();
    const asked = connection.request('eth_chainId', [], fast);
    server.drop(1011);
    await expect(asked).rejects.toMatchObject({ code: 'RESET', message: 'n closed its WebSocket with code 1011' });
    await expect(connection.request('eth_chainId', [], fast)).rejects.toBeInstanceOf(NodeError);
  });
});

describe('a subscription', () => {
  it('is told everything from the first on, in order, even what comes with the agreement', async () => {
    server.script = ({ id }) => {
      server.say(answer(id, '0xa'));
      for (const number of [1, 2, 3]) server.say(told('0xa', number));
      return null;
    };
    const seen: unknown[] = [];
    const connection = await new Bed().opened();
    await connection.subscribe(['logs', {}], (message) => seen.push(message), fast);
    server.script = () => undefined;
    await connection.request('eth_chainId', [], fast);
    expect(seen).toEqual([1, 2, 3]);
  });

  it('is told nothing of another', async () => {
    const seen: unknown[] = [];
    const connection = await new Bed().opened();
    await connection.subscribe(['newHeads'], (message) => seen.push(message), fast);
    server.say(told('0xother', 1));
    server.tell(2);
    await connection.request('eth_chainId', [], fast);
    expect(seen).toEqual([2]);
  });

  it('may be refused', async () => {
    server.script = ({ id }) => refused(id, -32000);
    const connection = await new Bed().opened();
    await expect(connection.subscribe(['newHeads'], () => undefined, fast)).rejects.toMatchObject({ code: -32000 });
  });

  it.each([
    ['a number', 7],
    ['null', null],
    ['the empty one', ''],
    ['one too long', 'x'.repeat(257)],
  ])('given %s for an id ends the connection', async (_, id) => {
    server.script = (request) => answer(request.id, id);
    const bed = new Bed();
    const connection = await bed.opened();
    const refusal = { code: 'BAD_RESPONSE', message: 'n gave a subscription no id of its own' };
    await expect(connection.subscribe(['newHeads'], () => undefined, fast)).rejects.toMatchObject(refusal);
    expect(await bed.lost()).toMatchObject(refusal);
  });

  it('with the id of another ends the connection', async () => {
    server.script = ({ id }) => answer(id, '0xa');
    const bed = new Bed();
    const connection = await bed.opened();
    await connection.subscribe(['newHeads'], () => undefined, fast);
    await expect(connection.subscribe(['logs'], () => undefined, fast)).rejects.toMatchObject({ code: 'BAD_RESPONSE' });
  });
});

describe('what is no message', () => {
  const NOT_ASKED = 'n answered what it was not asked';
  it.each<[string, string | Uint8Array, string]>([
    ['no JSON', '{"jsonrpc":', 'n: a message is no JSON object'],
    ['nothing', '', 'n: a message is no JSON object'],
    ['a number', '1', 'n: a message is no JSON object'],
    ['null', 'null', 'n: a message is no JSON object'],
    ['a batch', `[${told('0x1', 1)}]`, 'n: a message is no JSON object'],
    ['deeply nested', '['.repeat(100_000), 'n: a message is no JSON object'],
    ['of no version', '{"id":1,"result":1}', 'n: a message is not of JSON-RPC 2.0'],
    ['a request', '{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}', 'n: it asks instead of answering'],
    ['a telling with an id', '{"jsonrpc":"2.0","id":1,"method":"eth_subscription"}', 'n: it asks instead of answering'],
    ['a telling of nothing', '{"jsonrpc":"2.0","method":"eth_subscription"}', 'n: a subscription told nothing'],
    ['a telling of no subscription', told({}, 1), 'n: a subscription has no id'],
    ['an answer to nobody', '{"jsonrpc":"2.0","result":1}', 'n: an answer has no id of ours'],
    ['an answer to a text', '{"jsonrpc":"2.0","id":"1","result":1}', 'n: an answer has no id of ours'],
    ['an answer to a fraction', '{"jsonrpc":"2.0","id":1.5,"result":1}', 'n: an answer has no id of ours'],
    ['an answer to what is to come', answer(99, 1), NOT_ASKED],
    ['an answer to what cannot be', answer(0, 1), NOT_ASKED],
    ['an empty answer', '{"jsonrpc":"2.0","id":1}', 'n: an answer says nothing, or both'],
    ['both', '{"jsonrpc":"2.0","id":1,"result":1,"error":{"code":1}}', 'n: an answer says nothing, or both'],
    ['an error without a code', '{"jsonrpc":"2.0","id":1,"error":"no"}', 'n: an error has no code'],
    ['an error that is a list', '{"jsonrpc":"2.0","id":1,"error":[]}', 'n: an error has no code'],
    ['binary', Buffer.from(answer(1, 1)), 'n: a message is binary'],
  ])('ends the connection: %s', async (_, message, problem) => {
    const bed = new Bed();
    await bed.opened();
    server.say(message);
    expect(await bed.lost()).toMatchObject({ code: 'BAD_RESPONSE', message: problem });
    await bed.opened(2);
  });

  it.each<[string, Uint8Array, string, string]>([
    ['no frame', Buffer.from('HTTP/1.1 200 OK\r\n\r\n'), 'BAD_RESPONSE', 'n broke the rules of WebSockets (WS_ERR_'],
    [
      'bad UTF-8',
      Buffer.of(0x81, 2, 0xc3, 0x28),
      'BAD_RESPONSE',
      'n broke the rules of WebSockets (WS_ERR_INVALID_UTF8',
    ],
    ['a masked frame', Buffer.of(0x81, 0x80, 0, 0, 0, 0), 'BAD_RESPONSE', 'n broke the rules of WebSockets (WS_ERR_'],
    // 2 MiB are announced; none of them is waited for.
    [
      'one too large',
      Buffer.of(0x81, 127, 0, 0, 0, 0, 0, 0x20, 0, 0),
      'TOO_LARGE',
      'n sent a message that is too large',
    ],
  ])('ends the connection: %s', async (_, bytes, code, problem) => {
    const bed = new Bed();
    await bed.opened();
    server.write(bytes);
    const error = await bed.lost();
    expect(error).toMatchObject({ code, message: expect.stringContaining(problem) as string });
    await bed.opened(2);
  });

  it('ends the connection: one too large in fragments', async () => {
    const bed = new Bed();
    await bed.opened();
    const fragment = (first: boolean): Buffer =>
      Buffer.concat([Buffer.of(first ? 0x01 : 0x00, 126, 0xff, 0xff), Buffer.alloc(0xffff, 0x20)]);
    for (let i = 0; i < 20; i++) server.write(fragment(i === 0));
    expect(await bed.lost()).toMatchObject({ code: 'TOO_LARGE' });
  });
});

describe('a connection that is lost', () => {
  it('is made again, whatever the close code', async () => {
    const bed = new Bed();
    for (const [index, code] of [1000, 1001, 1008, 1011, 1013, 3000, 4999].entries()) {
      await bed.opened(index + 1);
      server.drop(code);
      expect(await bed.lost(index + 1)).toMatchObject({
        code: 'RESET',
        message: `n closed its WebSocket with code ${code}`,
      });
    }
    await bed.opened(8);
    server.drop();
    expect(await bed.lost(8)).toMatchObject({ code: 'RESET', message: 'n closed its WebSocket with no word' });
  });

  it('is made again with longer and longer pauses until one has lasted', async () => {
    const bed = new Bed({ random: () => 1, timing: { retryMs: 20, maxRetryMs: 80, stableMs: 150 } });
    const pauses: number[] = [];
    for (let count = 1; count <= 4; count++) {
      await bed.opened(count);
      server.drop(1000);
      await bed.lost(count);
      const lostAt = performance.now();
      await bed.opened(count + 1);
      pauses.push(performance.now() - lostAt);
    }
    const [first = 0, second = 0, third = 0, fourth = 0] = pauses;
    expect(first).toBeGreaterThanOrEqual(19);
    expect(second).toBeGreaterThanOrEqual(39);
    expect(third).toBeGreaterThanOrEqual(79);
    expect(fourth).toBeGreaterThanOrEqual(79);
    await new Promise((resolve) => setTimeout(resolve, 170));
    server.drop(1000);
    await bed.lost(5);
    const lostAt = performance.now();
    await bed.opened(6);
    expect(performance.now() - lostAt).toBeLessThan(79);
  });

  it('is noticed when the node falls silent, by the second ping; one that answers pings lives', async () => {
    const bed = new Bed({ timing: { pingMs: 40 } });
    await bed.opened();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(bed.losses).toEqual([]);
    server.silent = true;
    const silentAt = performance.now();
    expect(await bed.lost()).toMatchObject({
      code: 'TIMEOUT',
      message: 'n said nothing on its WebSocket for 40 ms, not even to a ping',
    });
    expect(performance.now() - silentAt).toBeLessThan(200);
  });

  it('is noticed also when a message is begun and never ended', async () => {
    const bed = new Bed({ timing: { pingMs: 40 } });
    await bed.opened();
    server.write(Buffer.of(0x81, 126, 0x10, 0x00, 0x7b));
    expect(await bed.lost()).toMatchObject({ code: 'TIMEOUT' });
  });
});

describe('dialling', () => {
  it('sends userinfo as Authorization, the path with its query, and nothing else of ours', async () => {
    const { port } = server;
    await new Bed({ url: `ws://us%40er:p%3Aw@127.0.0.1:${port}/v2/key?a=b#c` }).opened();
    const [{ path, headers } = { path: '', headers: {} }] = server.upgrades;
    expect(path).toBe('/v2/key?a=b');
    expect(headers.authorization).toBe(`Basic ${Buffer.from('us@er:p:w').toString('base64')}`);
    expect(Object.keys(headers).toSorted()).toEqual([
      'authorization',
      'connection',
      'host',
      'sec-websocket-key',
      'sec-websocket-version',
      'upgrade',
    ]);
  });

  it.each([
    [301, 'REDIRECT'],
    [307, 'REDIRECT'],
    [401, 'UNAUTHORIZED'],
    [403, 'UNAUTHORIZED'],
    [404, 'BAD_RESPONSE'],
    [429, 'RATE_LIMITED'],
    [503, 'SERVER_ERROR'],
    [200, 'BAD_RESPONSE'],
  ])('takes %i for a refusal, %s, and tries again', async (status, code) => {
    const other = await ScriptedSocket.start();
    server.upgrade = { status, headers: { location: other.url } };
    const bed = new Bed();
    expect(await bed.lost()).toMatchObject({ code, status, message: `n answered ${status} and no WebSocket` });
    server.upgrade = undefined;
    await bed.opened();
    expect(other.upgrades).toEqual([]);
    await other.close();
  });

  it('stays away as long as it is asked to', async () => {
    server.upgrade = { status: 429, headers: { 'retry-after': '0.3' } };
    const bed = new Bed();
    await bed.lost();
    server.upgrade = undefined;
    const lostAt = performance.now();
    await bed.opened();
    expect(performance.now() - lostAt).toBeGreaterThanOrEqual(295);
  });

  it('tells a node that is away, and one that comes back', async () => {
    await server.refuse();
    const bed = new Bed();
    expect(await bed.lost()).toMatchObject({ code: 'CONNECT_FAILED', sent: false });
    await server.accept();
    await bed.opened();
  });

  it('waits no longer than told for a connection, for the upgrade, and for one that drips', async () => {
    const hole = await synBlackHole();
    const bed = new Bed({ url: hole.url.replace('http', 'ws') });
    expect(await bed.lost()).toMatchObject({
      code: 'CONNECT_TIMEOUT',
      message: 'n completed no connection within 200 ms',
    });
    await bed.socket.close();
    await hole.close();
    const timers: NodeJS.Timeout[] = [];
    const dripping = createServer((socket) => {
      socket
        .on('error', () => undefined)
        .resume()
        .write('HTTP/1.1 101 Switching');
      timers.push(setInterval(() => socket.write('a'), 20));
    });
    await new Promise<void>((resolve) => dripping.listen(0, '127.0.0.1', resolve));
    const { port } = dripping.address() as AddressInfo;
    const dripped = new Bed({ url: `ws://127.0.0.1:${port}`, timing: { openTimeoutMs: 150 } });
    expect(await dripped.lost()).toMatchObject({
      code: 'CONNECT_TIMEOUT',
      message: 'n opened no WebSocket within 150 ms',
    });
    await dripped.socket.close();
    timers.forEach(clearInterval);
    await new Promise((resolve) => dripping.close(resolve));
  });

  it.each([
    ['no HTTP', 'SSH-2.0-OpenSSH\r\n'],
    ['half a head, then nothing', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: webs'],
    [
      'a key that is not its own',
      'HTTP/1.1 101 x\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: x\r\n\r\n',
    ],
    [
      'an extension nobody asked for',
      'HTTP/1.1 101 x\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-extensions: permessage-deflate\r\n\r\n',
    ],
    ['a head without end', `HTTP/1.1 101 x\r\nx: ${'a'.repeat(100_000)}`],
  ])('survives an upgrade answered with %s', async (_, text) => {
    const odd = createServer((socket) =>
      socket
        .on('error', () => undefined)
        .resume()
        .end(text),
    );
    await new Promise<void>((resolve) => odd.listen(0, '127.0.0.1', resolve));
    const bed = new Bed({ url: `ws://127.0.0.1:${(odd.address() as AddressInfo).port}/secret` });
    const error = await bed.lost(2);
    expect(['BAD_RESPONSE', 'RESET']).toContain(error.code);
    expect(error.message).not.toMatch(/secret|127/);
    expect(bed.connections).toEqual([]);
    await bed.socket.close();
    await new Promise((resolve) => odd.close(resolve));
  });

  it.each(['ws://169.254.169.254', 'wss://[fe80::1]', 'ws://metadata.example', 'wss://metadata.example'])(
    'never dials %s',
    async (url) => {
      const lookup: LookupFunction = (_, options, callback) => {
        if (options.all === true) callback(null, [{ address: '169.254.169.254', family: 4 }]);
        else callback(null, '169.254.169.254', 4);
      };
      const error = await new Bed({ url: `${url}/key`, lookup }).lost();
      expect(error).toMatchObject({ code: 'FORBIDDEN_ADDRESS' });
      expect(error.message).not.toMatch(/169|fe80|key/);
    },
  );

  it('believes no certificate a node signed itself', async () => {
    const server = tls.createServer(selfSigned('IP:127.0.0.1'), (socket) => socket.on('error', () => undefined));
    let bytes = 0;
    server.on('secureConnection', (socket) => socket.on('data', () => bytes++));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const bed = new Bed({ url: `wss://127.0.0.1:${(server.address() as AddressInfo).port}/key` });
    expect(await bed.lost()).toMatchObject({
      code: 'TLS_FAILED',
      message: 'n failed the TLS handshake (DEPTH_ZERO_SELF_SIGNED_CERT)',
    });
    expect(bytes).toBe(0);
    await bed.socket.close();
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('closing', () => {
  /** Timers that were set since and have neither run nor been cleared; those of the other side go within a moment. */
  function watchTimers(): () => Promise<number> {
    const spies = [jest.spyOn(globalThis, 'setTimeout'), jest.spyOn(globalThis, 'setInterval')];
    return async () => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      const set = spies.flatMap(({ mock }) => mock.results.map(({ value }) => value as { _destroyed: boolean }));
      for (const spy of spies) spy.mockRestore();
      expect(set.length).toBeGreaterThan(1);
      return set.filter(({ _destroyed }) => !_destroyed).length;
    };
  }

  it.each<[string, (bed: Bed) => Promise<unknown>]>([
    ['open', (bed) => bed.opened()],
    ['waiting to dial again', async (bed) => (await bed.opened(), server.drop(), bed.lost())],
    ['about to connect', () => Promise.resolve()],
  ])('leaves no connection and no timer of one that is %s', async (_, reach) => {
    const left = watchTimers();
    const bed = new Bed({ timing: { retryMs: 10_000 } });
    await reach(bed);
    await bed.socket.close();
    expect(await left()).toBe(0);
    while (server.counts.open > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(bed.losses.length).toBeLessThan(2);
  });

  it('does so while the upgrade is waited for, and while nothing answers at all', async () => {
    const left = watchTimers();
    const hole = await synBlackHole();
    const mute = createServer((socket) => socket.on('error', () => undefined).resume());
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    for (const port of [hole.port, (mute.address() as AddressInfo).port]) {
      const bed = new Bed({ url: `ws://127.0.0.1:${port}`, connectTimeoutMs: 10_000 });
      await new Promise((resolve) => setTimeout(resolve, 50));
      await bed.socket.close();
      expect(bed.losses).toEqual([]);
    }
    expect(await left()).toBe(0);
    await hole.close();
    await new Promise((resolve) => mute.close(resolve));
  });

  it('says goodbye', async () => {
    const bed = new Bed();
    const connection = await bed.opened();
    const asked = connection.request('eth_chainId', [], fast).catch((error: unknown) => error);
    await bed.socket.close();
    expect(await asked).toMatchObject({ code: 'CALLER_LEFT' });
    expect(await connection.ended).toMatchObject({ code: 'CALLER_LEFT' });
  });
});
