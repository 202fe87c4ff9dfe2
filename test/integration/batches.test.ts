import { askRaw, rawPost } from '../front/raw-http';
import { ProxyProcess } from '../support/proxy-process';
import { bigResult, delay, error, hang, resetAfterHalfBody, ScriptedNode, status } from '../support/scripted-node';

/**
 * A defect found here, and repaired: every item that streamed was held up to the bound of the whole answer, so that
 * sixteen items of one batch took sixteen times the memory it may take.
 */
const MIB = 2 ** 20;

interface Item {
  readonly jsonrpc: '2.0';
  readonly id: unknown;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: { retryAfterMs?: number } };
}

let asked = 0;
/** An address no other request names, as the call's data. */
function nonce(): string {
  return `0x${(++asked).toString(16).padStart(40, '0')}`;
}

function request(id: unknown, method = 'eth_call', params: unknown = [{ data: nonce() }, 'latest']): object {
  return { jsonrpc: '2.0', id, method, params };
}

describe('a batch', () => {
  let node: ScriptedNode;
  let proxy: ProxyProcess;

  beforeAll(async () => {
    node = await ScriptedNode.start();
    proxy = await ProxyProcess.start({
      http: { maxBatchResponseBytes: 8 * MIB },
      chains: {
        test: { chainId: 1337, failover: { deadlineMs: 2000 }, nodes: [{ name: 'a', url: node.url }] },
      },
    });
    await proxy.untilNode('a', ({ health }) => health === 'up');
  });

  afterEach(() => node.off());

  afterAll(async () => {
    const { code } = await proxy.stop();
    await node.close();
    expect(code).toBe(0);
  });

  const send = async (items: unknown): Promise<{ status: number; items: Item[] }> => {
    const response = await proxy.post(JSON.stringify(items));
    return { status: response.status, items: (await response.json()) as Item[] };
  };

  it('answers in the order of the requests, each under its own id, byte for byte', async () => {
    const ids = ['7', '"7"', '7.0', '12345678901234567890', '"\\u0037"', 'null', '-0'];
    const data = ids.map(() => nonce());
    // Later items are answered earlier.
    node.on(({ params }) => {
      const at = data.indexOf((params as [{ data?: string }] | undefined)?.[0]?.data ?? '');
      return at < 0 ? undefined : delay((ids.length - at) * 15);
    });
    const items = ids.map(
      (id, i) => `{"jsonrpc":"2.0","id":${id},"method":"eth_call","params":[{"data":"${data[i] ?? ''}"},"latest"]}`,
    );
    const answer = await askRaw(proxy.url, rawPost(`[${items.join(' , ')}]`));
    const expected = ids.map((id, i) => `{"jsonrpc":"2.0","id":${id},"result":"${data[i] ?? ''}"}`);
    expect(answer.body).toBe(`[${expected.join(',')}]`);
    expect(answer.headers['content-type']).toMatch(/^application\/json\b/);
  });

  it('answers good, bad and denied items side by side, and notifications not at all', async () => {
    const { status: code, items } = await send([
      request(1, 'eth_chainId', []),
      1,
      { jsonrpc: '2.0', method: 'eth_chainId' },
      [],
      { jsonrpc: '2.0', id: 'x', method: 7 },
      request(2, 'debug_traceCall'),
      { id: 3, method: 'eth_chainId' },
      request(4, 'eth_subscribe', ['newHeads']),
      {},
      request(1, 'eth_chainId', []),
    ]);
    expect(code).toBe(200);
    expect(items.map(({ id, result, error: object }) => [id, result ?? object?.code])).toEqual([
      [1, '0x539'],
      [null, -32600],
      [null, -32600],
      ['x', -32600],
      [2, -32601],
      [3, -32600],
      [4, -32004],
      [null, -32600],
      [1, '0x539'],
    ]);
  });

  it('of one item is answered as a list, and of notifications only with 204', async () => {
    expect((await send([request(1, 'eth_chainId', [])])).items).toEqual([{ jsonrpc: '2.0', id: 1, result: '0x539' }]);
    const note = { jsonrpc: '2.0', method: 'eth_call', params: [{ data: nonce() }, 'latest'] };
    const before = node.callsOf('eth_call').length;
    const response = await proxy.post(JSON.stringify([note, { ...note, method: 'debug_x' }]));
    expect([response.status, await response.text()]).toEqual([204, '']);
    await node.received('eth_call', before + 1);
  });

  it.each([
    ['empty', '[]', /empty/],
    ['of 101 items', `[${Array.from({ length: 101 }, () => '1').join(',')}]`, /100 items, got 101/],
    ['of a million items', `[${'1,'.repeat(999_999)}1]`, /got 1000000/],
  ])('that is %s gets one error', async (_, body, words) => {
    const response = await proxy.post(body);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      id: null,
      error: { code: -32600, message: expect.stringMatching(words) as string },
    });
  });

  it('of 100 items is answered whole', async () => {
    const { items } = await send(Array.from({ length: 100 }, (_, id) => request(id)));
    expect(items.map(({ id }) => id)).toEqual(Array.from({ length: 100 }, (_, id) => id));
    expect(new Set(items.map(({ result }) => result)).size).toBe(100);
  });

  it('works on sixteen items at once, and a slow one holds none of the others up', async () => {
    node.on('eth_call', hang());
    const before = node.callsOf('eth_call').length;
    const quick = Array.from({ length: 84 }, (_, id) => request(id, 'eth_getBalance', [nonce(), 'latest']));
    const seen = node.callsOf('eth_getBalance').length;
    const answering = send([...Array.from({ length: 15 }, () => request('slow')), ...quick]);
    // One of sixteen is left for the quick ones, and gets through all of them while fifteen hang.
    await node.received('eth_getBalance', seen + 84);
    expect(node.callsOf('eth_call')).toHaveLength(before + 15);
    const { status: code, items } = await answering;
    expect(code).toBe(200);
    expect(items.slice(15).every(({ result }) => typeof result === 'string')).toBe(true);
    expect(items.slice(0, 15).every(({ error: object }) => object?.code === -32002)).toBe(true);

    node.on('eth_call', hang());
    const late = node.callsOf('eth_call').length;
    const stuck = send(Array.from({ length: 40 }, (_, id) => request(id)));
    await node.received('eth_call', late + 16);
    expect(node.callsOf('eth_call')).toHaveLength(late + 16);
    node.off();
    expect((await stuck).items).toHaveLength(40);
  });

  it('reads everything at one head, though the chain moves on meanwhile', async () => {
    node.on('eth_getBalance', delay(40));
    const mining = setInterval(() => node.mine(), 50);
    const seen = node.callsOf('eth_getBalance').length;
    const { items } = await send([
      request('before', 'eth_blockNumber', []),
      ...Array.from({ length: 40 }, (_, id) => request(id, 'eth_getBalance', [nonce(), 'latest'])),
      request('after', 'eth_blockNumber', []),
    ]);
    clearInterval(mining);
    const blocks = node
      .callsOf('eth_getBalance')
      .slice(seen)
      .map(({ params }) => JSON.stringify((params as unknown[])[1]));
    expect(blocks).toHaveLength(40);
    expect(new Set(blocks).size).toBe(1);
    expect(items.at(0)?.result).toBe(items.at(-1)?.result);
    expect(items.every(({ error: object }) => object === undefined)).toBe(true);
  });

  it('is as large as it may be, and says which items did not fit', async () => {
    const before = proxy.memory;
    let most = before;
    const sampler = setInterval(() => (most = Math.max(most, proxy.memory)), 5);
    const sizes = [3600, 10, 3600, 3600, 3600, 10].map((kib) => kib * 1024);
    let turn = 0;
    node.on(({ method }) => (method === 'eth_getLogs' ? bigResult(sizes[turn++] ?? 0) : undefined));
    const log = (id: number): object => request(id, 'eth_getLogs', [{ fromBlock: '0x1', address: nonce() }]);
    const { status: code, items } = await send([...sizes.map((_, id) => log(id)), request('small', 'eth_chainId', [])]);
    expect(code).toBe(200);
    const fitted = items.filter(({ result }) => result !== undefined);
    const total = fitted.reduce((sum, { result }) => sum + (result as string).length, 0);
    expect(total).toBeLessThan(8 * MIB);
    // Two large ones fit; those that do not give their room back to the others.
    expect(fitted.filter(({ result }) => (result as string).length === 3600 * 1024)).toHaveLength(2);
    expect(items.find(({ id }) => id === 'small')?.result).toBe('0x539');
    const refused = items.filter(({ error: object }) => object !== undefined);
    expect(refused.map(({ error: object }) => object?.code)).toEqual(refused.map(() => -32603));
    expect(refused[0]?.error?.message).toMatch(/too large/i);

    node.off();
    node.on('eth_getLogs', bigResult(20 * MIB));
    const bombs = await send(Array.from({ length: 16 }, (_, id) => log(id)));
    clearInterval(sampler);
    expect(bombs.items.map(({ error: object }) => object?.code)).toEqual(Array.from({ length: 16 }, () => -32603));
    // Each of the 16 is held up to 1 MiB before it streams, twice for a moment; all of them whole would be 320.
    expect((most - before) / MIB).toBeLessThan(100);
  });

  it('holds streams whole: one that breaks off is an error of its own', async () => {
    node.on('eth_getLogs', bigResult(200_000));
    node.on('eth_getCode', async (exchange) => {
      await exchange.send(
        `HTTP/1.1 200 OK\r\ncontent-length: 300000\r\n\r\n{"id":${exchange.requests[0]?.rawId ?? ''},"result":"`,
      );
      await exchange.send('a'.repeat(200_000));
      exchange.socket.resetAndDestroy();
    });
    node.on('eth_getBalance', resetAfterHalfBody());
    const { status: code, items } = await send([
      request(1, 'eth_getLogs', [{ fromBlock: '0x1', address: nonce() }]),
      request(2, 'eth_getCode', [nonce(), 'latest']),
      request(3, 'eth_chainId', []),
      request(4, 'eth_getBalance', [nonce(), 'latest']),
    ]);
    expect(code).toBe(200);
    expect((items[0]?.result as string).length).toBe(200_000);
    expect(items[1]?.error?.code).toBe(-32002);
    expect(items[2]?.result).toBe('0x539');
    expect(items[3]?.error?.code).toBe(-32002);
  });

  it('passes errors of nodes through in their places', async () => {
    node.on('eth_call', error(3, 'execution reverted', '0x01'));
    const { items } = await send([request(1, 'eth_chainId', []), request('r')]);
    expect(items[1]).toEqual({
      jsonrpc: '2.0',
      id: 'r',
      error: { code: 3, message: 'execution reverted', data: '0x01' },
    });
  });

  it('has the status 503 only when no item could be answered', async () => {
    await proxy.untilNode('a', ({ health, ejected }) => health === 'up' && ejected === undefined);
    node.on('eth_call', status(503));
    const mixed = await send([request(1), request(2, 'eth_chainId', [])]);
    expect(mixed.status).toBe(200);
    expect(mixed.items.map(({ error: object }) => object?.code)).toEqual([-32002, undefined]);
    const alike = await send([request(1), request(2)]);
    expect(alike.status).toBe(503);
    expect(alike.items.map(({ id, error: object }) => [id, object?.code])).toEqual([
      [1, -32002],
      [2, -32002],
    ]);
  });
});
