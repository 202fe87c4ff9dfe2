import { setTimeout as sleep } from 'node:timers/promises';
import { runLoad } from '../support/load-client';
import { echoMix } from '../support/load-mix';
import { RawClient } from '../support/load-raw-client';
import {
  type Behaviour,
  delay,
  error,
  hang,
  html200,
  inTurn,
  ordinary,
  resetBeforeResponse,
  ScriptedNode,
  status,
} from '../support/scripted-node';
import { ask, HaproxyBed, post } from './haproxy-bed';

/**
 * HAProxy's pool, with the real program: what callers inside the cluster meet, and what an operator does to it. What
 * stands behind one local port is in haproxy-providers.test.ts.
 */
let nodes: [ScriptedNode, ScriptedNode];
let bed: HaproxyBed;

beforeEach(async () => {
  nodes = [await ScriptedNode.start({ name: 'a' }), await ScriptedNode.start({ name: 'b' })];
});

afterEach(async () => {
  await bed.stop();
  await Promise.all(nodes.map((node) => node.close()));
});

type BedOptions = Parameters<typeof HaproxyBed.start>[1];

async function start(failover: object = {}, options: BedOptions = {}, health: object = QUICK): Promise<void> {
  const members = nodes.map(({ name, url }) => ({ name, url: `${url}/v2/key-of-${name}` }));
  bed = await HaproxyBed.start({ main: { failover, health, nodes: members } }, options);
}

/** So that a check of a node that hangs ends soon. */
const QUICK = { probeTimeoutMs: 300 };

const UPGRADE =
  'upgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n';

/** How often a method arrived at each node. */
function calls(method: string): number[] {
  return nodes.map((node) => node.callsOf(method).length);
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

function onBoth(method: string, behaviour: () => Behaviour): void {
  for (const node of nodes) node.on(method, behaviour());
}

async function askOften(times: number, method = 'eth_getBalance'): Promise<void> {
  for (let i = 0; i < times; i++) expect((await ask(bed.url, method, ['0x1', 'latest'])).status).toBe(200);
}

describe('the pool', () => {
  it('serves from all nodes', async () => {
    await start();
    await askOften(10);
    for (const count of calls('eth_getBalance')) expect(count).toBeGreaterThan(2);
  });

  it('shows its servers over the admin socket, and moves traffic with their weights, as the guide has it', async () => {
    await start();
    const stat = await bed.haproxy.stat();
    expect([...stat.keys()].filter((name) => name.startsWith('rpc-backend/'))).toEqual([
      'rpc-backend/a',
      'rpc-backend/b',
      'rpc-backend/BACKEND',
    ]);
    expect([stat.get('rpc-backend/a')?.['weight'], stat.get('rpc-backend/b')?.['weight']]).toEqual(['100', '100']);
    expect((await bed.haproxy.command('set weight rpc-backend/a 0')).trim()).toBe('');
    await askOften(6);
    expect(calls('eth_getBalance')).toEqual([0, 6]);
    await bed.haproxy.command('set weight rpc-backend/a 100;set weight rpc-backend/b 0');
    await askOften(4);
    expect(calls('eth_getBalance')).toEqual([4, 6]);
  });

  it('lets bodies pass that are larger than its buffer, up to the limit', async () => {
    await start({}, { http: { maxBodyBytes: 1_000_000 } });
    const large = await ask(bed.url, 'eth_call', ['a'.repeat(900_000)]);
    expect([large.status, sum(calls('eth_call'))]).toEqual([200, 1]);
    const larger = await ask(bed.url, 'eth_call', ['a'.repeat(1_000_000)]);
    expect([larger.status, larger.error?.code, sum(calls('eth_call'))]).toEqual([413, -32600, 1]);
  });

  it('gives no caller away to the nodes, and no node to the callers', async () => {
    await start();
    onBoth('eth_call', () =>
      status(200, {
        server: 'node',
        'set-cookie': 'a=1',
        location: '/v2/key-of-a',
        'x-not-sent': 1,
        'x-node': 1,
        'retry-after': 3,
      }),
    );
    const { headers } = await ask(bed.url, 'eth_call', [], {
      authorization: 'Bearer canary',
      cookie: 'canary',
      forwarded: 'for=canary',
      'x-forwarded-for': '192.0.2.7',
      'x-real-ip': '192.0.2.7',
      'x-api-key': 'canary',
      referer: 'http://canary.example',
      'user-agent': 'canary',
    });
    const [request] = nodes.flatMap((node) => node.callsOf('eth_call'));
    expect(Object.keys(request?.headers ?? {}).sort()).toEqual([
      'accept',
      'accept-encoding',
      'content-length',
      'content-type',
      'host',
    ]);
    expect(JSON.stringify(request?.headers)).not.toMatch(/canary|192\.0\.2\.7/);
    expect([...headers.keys()].sort()).toEqual(['content-length', 'content-type', 'retry-after']);
  });
});

describe('several chains in one pool', () => {
  beforeEach(async () => {
    nodes[1].chainId = 10;
    bed = await HaproxyBed.start({
      main: { nodes: [{ name: 'x', url: nodes[0].url }] },
      other: { chainId: 10, nodes: [{ name: 'x', url: `${nodes[1].url}/key` }] },
    });
  });

  it.each([
    ['/', '0x539'],
    ['/?a=b', '0x539'],
    ['/main', '0x539'],
    ['/1337', '0x539'],
    ['/other', '0xa'],
    ['/10', '0xa'],
    ['/other?key=mine', '0xa'],
  ])('%s is the chain %s, and its path is not the node’s', async (path, chainId) => {
    expect((await ask(bed.url + path, 'eth_chainId')).result).toBe(chainId);
    await Promise.all(nodes.map((node) => node.received('eth_chainId')));
    expect(nodes.map(({ requests }) => requests.every((request) => ['/', '/key'].includes(request.path)))).toEqual([
      true,
      true,
    ]);
    expect(nodes.map(({ requests }) => new Set(requests.map((request) => request.path)).size)).toEqual([1, 1]);
  });

  it.each(['/unknown', '/other/', '/other/x', '/1', '/key'])('%s is no chain', async (path) => {
    const { status: code, error: refused } = await ask(bed.url + path, 'eth_chainId');
    expect([code, refused?.code]).toEqual([404, -32600]);
  });
});

describe('checks', () => {
  it('take a node out that was killed, and bring it back', async () => {
    await start();
    await nodes[0].refuse();
    await bed.haproxy.untilServer('rpc-backend/a', 'DOWN');
    const sent = sum(calls('eth_getBalance'));
    await askOften(4);
    expect(sum(calls('eth_getBalance')) - sent).toBe(4);
    await nodes[0].accept();
    await bed.haproxy.untilServer('rpc-backend/a', 'UP');
    await askOften(4);
    expect(nodes[0].callsOf('eth_getBalance').length).toBeGreaterThan(0);
  });

  it.each<[string, (node: ScriptedNode) => void]>([
    ['is of another chain', (node) => (node.chainId = 13370)],
    ['answers checks with an error', (node) => node.on('eth_chainId', error(-32000, 'no'))],
    ['answers checks with a page', (node) => node.on('eth_chainId', html200())],
    ['refuses the key', (node) => node.on('eth_chainId', status(401))],
    ['says nothing', (node) => node.on('eth_chainId', hang())],
  ])('take a node out that %s', async (_, spoil) => {
    await start();
    spoil(nodes[0]);
    await bed.haproxy.untilServer('rpc-backend/a', 'DOWN');
    await askOften(3);
    expect(calls('eth_getBalance')).toEqual([0, 3]);
  });

  it('ask for the chain’s id, and no more often than told', async () => {
    await start({}, { haproxy: { checkIntervalMs: 400 } });
    const before = nodes[0].callsOf('eth_chainId').length;
    await sleep(2000);
    const checks = nodes[0].callsOf('eth_chainId').length - before;
    expect(checks).toBeGreaterThanOrEqual(3);
    expect(checks).toBeLessThanOrEqual(6);
    expect(sum(nodes.map(({ requests }) => requests.filter(({ method }) => method !== 'eth_chainId').length))).toBe(0);
  });

  it('leave a node in whose answers are the callers’ fault, whatever they cause', async () => {
    await start();
    onBoth('eth_call', () => error(-32000, 'execution reverted'));
    onBoth('eth_getCode', () => status(400));
    onBoth('eth_getProof', () => status(429, { 'retry-after': 2 }));
    onBoth('eth_getStorageAt', () => status(500));
    for (let i = 0; i < 12; i++) {
      expect((await ask(bed.url, 'eth_call')).error?.message).toBe('execution reverted');
      expect((await ask(bed.url, 'eth_getCode')).status).toBe(400);
      expect((await ask(bed.url, 'eth_getProof')).headers.get('retry-after')).toBe('2');
      expect((await ask(bed.url, 'eth_getStorageAt')).status).toBe(500);
    }
    await sleep(500);
    const stat = await bed.haproxy.stat();
    expect(['a', 'b'].map((name) => stat.get(`rpc-backend/${name}`)?.['chkdown'])).toEqual(['0', '0']);
  });
});

describe('failures that are safe to repeat', () => {
  it.each<[string, () => Behaviour]>([
    ['a reset before the answer', resetBeforeResponse],
    ['an error of the server', () => status(500)],
    ['a refused key', () => status(401)],
  ])('%s: another node answers', async (_, behaviour) => {
    await start();
    nodes[0].on('eth_getBalance', behaviour());
    await askOften(6);
    expect(nodes[0].callsOf('eth_getBalance').length).toBeGreaterThan(0);
    expect(nodes[1].callsOf('eth_getBalance')).toHaveLength(6);
  });

  it('a node that is gone: another answers before any check sees it', async () => {
    // Checks so slow that they see nothing.
    await start({}, { haproxy: { checkIntervalMs: 60_000 } });
    await nodes[0].refuse();
    await askOften(6);
  });

  it('silence, where an answer is soon expected', async () => {
    await start({ callTimeoutMs: 300 });
    nodes[0].on('eth_getBalance', hang());
    nodes[0].on('eth_getLogs', delay(700));
    nodes[1].on('eth_getLogs', delay(700));
    await askOften(3);
    expect(nodes[0].callsOf('eth_getBalance').length).toBeGreaterThan(0);
    // This one may take its time.
    await askOften(1, 'eth_getLogs');
    expect(sum(calls('eth_getLogs'))).toBe(1);
  });

  it('no more often than there are attempts', async () => {
    await start({ maxAttempts: 2 });
    onBoth('eth_getBalance', () => status(500));
    expect((await ask(bed.url, 'eth_getBalance')).status).toBe(500);
    expect(calls('eth_getBalance')).toEqual([1, 1]);
  });
});

describe('what may run once only is sent once', () => {
  const params = '"params":[{"from":"0x0000000000000000000000000000000000000001","data":"0x"}]';
  const padding = `"pad":"${'a'.repeat(20_000)}"`;
  const BODIES: readonly (readonly [string, string])[] = [
    ['eth_sendTransaction', `{"jsonrpc":"2.0","id":1,"method":"eth_sendTransaction",${params}}`],
    ['personal_sendTransaction', `{"jsonrpc":"2.0","id":1,"method":"personal_sendTransaction",${params}}`],
    ['an unknown method', `{"jsonrpc":"2.0","id":1,"method":"my_method",${params}}`],
    ['a filter, which one node keeps', `{"jsonrpc":"2.0","id":1,"method":"eth_newFilter",${params}}`],
    ['escaped', String.raw`{"jsonrpc":"2.0","id":1,"method":"\u0065th_sendTransaction",${params}}`],
    [
      'under an escaped key',
      String.raw`{"jsonrpc":"2.0","id":1,"method":"eth_call","m\u0065thod":"my_send",${params}}`,
    ],
    ['under a key in other letters', `{"jsonrpc":"2.0","id":1,"Method":"eth_sendTransaction",${params}}`],
    ['in other letters', `{"jsonrpc":"2.0","id":1,"method":"ETH_sendtransaction",${params}}`],
    [
      'behind a read of the same key',
      `{"jsonrpc":"2.0","id":1,"method":"eth_call","method":"eth_sendTransaction",${params}}`,
    ],
    [
      'in a batch with a read',
      `[{"jsonrpc":"2.0","id":1,"method":"eth_call"},{"jsonrpc":"2.0","id":2,"method":"eth_sendTransaction",${params}}]`,
    ],
    ['behind more than a buffer holds', `{"jsonrpc":"2.0","id":1,${padding},"method":"eth_sendTransaction",${params}}`],
    [
      'behind a read and more than a buffer holds',
      `[{"jsonrpc":"2.0","id":1,"method":"eth_call"},{${padding},"id":2,"method":"eth_sendTransaction",${params}}]`,
    ],
    ['no JSON', 'eth_call'],
  ];

  it.each(BODIES)('%s', async (_, body) => {
    await start({ readMethods: ['eth_send*', 'personal_*'] });
    // Items of a batch are logged one by one.
    const arrived = (): number =>
      new Set(
        nodes.flatMap(({ name, requests }) =>
          requests.filter(({ rawBody }) => rawBody === body).map(({ socketId, turn }) => `${name} ${socketId} ${turn}`),
        ),
      ).size;
    let expected = 0;
    for (const behaviour of [resetBeforeResponse(), status(500), status(503)]) {
      onBoth('*', () => (exchange) => (exchange.requests[0]?.rawBody === body ? behaviour : ordinary())(exchange));
      // Twice: the second one on a connection that was used before.
      for (let turn = 0; turn < 2; turn++) {
        const answer = await post(bed.url, body);
        expect(answer.status).toBeGreaterThanOrEqual(500);
        expect(arrived()).toBe(++expected);
      }
      for (const node of nodes) node.off();
    }
  });

  it('while a read of the same kind is repeated', async () => {
    await start({ readMethods: ['trace_*'] });
    const read = (method: string): string => `{"jsonrpc":"2.0","id":1,"method":"${method}",${params}}`;
    for (const method of ['eth_call', 'trace_block', 'eth_sendRawTransaction']) {
      onBoth('*', () => status(500));
      await post(bed.url, read(method));
      for (const node of nodes) node.off();
      expect(sum(calls(method))).toBe(3);
    }
  });
});

describe('HAProxy’s own answers are JSON', () => {
  it('when no node is left', async () => {
    await start();
    await Promise.all(nodes.map((node) => node.refuse()));
    await bed.haproxy.untilServer('rpc-backend/a', 'DOWN');
    await bed.haproxy.untilServer('rpc-backend/b', 'DOWN');
    const { status: code, text, headers } = await ask(bed.url, 'eth_call');
    expect([code, headers.get('content-type')]).toEqual([503, 'application/json']);
    expect(JSON.parse(text)).toEqual({
      jsonrpc: '2.0',
      id: null,
      error: { code: -32002, message: 'Resource unavailable: the node cannot be reached' },
    });
  });

  it('and the pool’s do not tell that nothing was sent: an attempt before may have sent it', async () => {
    await start({}, { haproxy: { checkIntervalMs: 60_000 } });
    await nodes[1].refuse();
    nodes[0].on('eth_call', inTurn(resetBeforeResponse(), ordinary()));
    const replies = await Promise.all(Array.from({ length: 4 }, () => ask(bed.url, 'eth_call')));
    await nodes[0].refuse();
    replies.push(await ask(bed.url, 'eth_call'));
    expect(replies.at(-1)?.status).toBe(503);
    expect(replies.map(({ headers }) => headers.get('x-not-sent'))).toEqual([null, null, null, null, null]);
  });

  it.each([
    ['GET / HTTP/1.1\r\nhost: x\r\n\r\n', 405, -32600],
    ['PUT / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}', 405, -32600],
    [`GET / HTTP/1.1\r\nhost: x\r\n${UPGRADE}\r\n`, 501, -32004],
    ['POST /x HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}', 404, -32600],
    ['POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{', 408, -32600],
  ])('%j is %i', async (request, code, rpcCode) => {
    await start({}, { http: { requestTimeoutMs: 500, headersTimeoutMs: 500 } });
    const client = new RawClient(bed.url);
    client.send(request);
    await client.until((received) => received.endsWith('}}'));
    client.close();
    expect(client.received).toMatch(new RegExp(`^HTTP/1.1 ${code} [^]*content-type: application/json\r\n`));
    const body = client.received.slice(client.received.indexOf('\r\n\r\n') + 4);
    expect(JSON.parse(body)).toMatchObject({ jsonrpc: '2.0', id: null, error: { code: rpcCode } });
    expect(sum(nodes.map(({ requests }) => requests.filter(({ method }) => method !== 'eth_chainId').length))).toBe(0);
  });

  // HAProxy answers these before it knows which part of its configuration is meant, and so in its own words.
  it.each([
    'P OST / HTTP/1.1\r\nhost: x\r\n\r\n',
    'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}',
    'POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip, chunked\r\ncontent-length: 2\r\n\r\n{}',
    'POST / HTTP/1.1\r\nhost: x\r\na b: 1\r\n\r\n',
  ])('but for what is no HTTP, which reaches no node: %j', async (request) => {
    await start();
    const client = new RawClient(bed.url);
    client.send(request);
    await client.until((_, end) => end !== 'open');
    expect(client.received).toMatch(/^HTTP\/1.1 4(00|22) /);
    expect(sum(nodes.map(({ requests }) => requests.filter(({ method }) => method !== 'eth_chainId').length))).toBe(0);
  });
});

it('a node killed under load costs no read', async () => {
  await start({}, { haproxy: { checkIntervalMs: 1000 } });
  const running = runLoad({ url: bed.url, clients: 16, durationMs: 4000, mix: echoMix });
  await sleep(1000);
  await nodes[0].refuse();
  await bed.haproxy.untilServer('rpc-backend/a', 'DOWN');
  await nodes[0].accept();
  await bed.haproxy.untilServer('rpc-backend/a', 'UP');
  const ledger = await running;
  expect(ledger.failures()).toEqual([]);
  expect(ledger.checkL1()).toEqual([]);
  expect(calls('eth_call').every((count) => count > 10)).toBe(true);
}, 30_000);

it('a reload under load loses no request, and keeps what was in flight', async () => {
  // A new worker takes a server out at the first check that fails, so that it is as patient here as by default.
  await start({}, {}, {});
  onBoth('eth_getLogs', () => delay(2500));
  const slow = ask(bed.url, 'eth_getLogs', [{}]);
  const running = runLoad({ url: bed.url, clients: 16, durationMs: 4000, mix: echoMix });
  const direct = runLoad({ url: bed.localUrl('a'), clients: 4, durationMs: 4000, mix: echoMix });
  const workers = new Set([await bed.haproxy.workerPid()]);
  for (let turn = 0; turn < 3; turn++) {
    await sleep(400);
    await bed.haproxy.reload();
    workers.add(await bed.haproxy.workerPid());
  }
  const ledgers = await Promise.all([running, direct]);
  expect(ledgers.map((ledger) => ledger.failures())).toEqual([[], []]);
  expect(ledgers.map((ledger) => ledger.checkL1())).toEqual([[], []]);
  expect((await slow).result).toEqual([]);
  expect(workers.size).toBe(4);
}, 30_000);
