import { request, type ClientRequest } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { closeConnections, postText } from '../support/oracle-client';
import { ProxyProcess } from '../support/proxy-process';
import { bigResult, delay, error, result, type Exchange, ScriptedNode } from '../support/scripted-node';

const SAME = 5000;

let node: ScriptedNode;
let proxy: ProxyProcess;

beforeEach(async () => {
  node = await ScriptedNode.start({ name: 'a' });
  // All callers here are one client: it may have as much in flight as it likes.
  proxy = await ProxyProcess.start({
    http: { maxInFlightPerClient: 0, maxConnectionsPerClient: 0 },
    chains: { test: { chainId: 1337, health: { intervalMs: 100 }, nodes: [{ name: 'a', url: node.url }] } },
  });
  await proxy.untilNode('a', ({ health }) => health === 'up');
  // The test of {blockHash} is over too.
  await node.received('eth_getBalance', 2);
});

afterEach(async () => {
  closeConnections();
  const { code } = await proxy.stop();
  await node.close();
  expect(code).toBe(0);
});

function body(data: string, id: number): string {
  return JSON.stringify({ jsonrpc: '2.0', id, method: 'eth_call', params: [{ data }, 'latest'] });
}

function counted(what: string): Promise<number> {
  return proxy.metric('rpc_balancer_cache_requests_total', { result: what });
}

/** As batches of 100, the most a batch may hold: that many at once need no thousands of sockets. */
async function manyAtOnce(data: string, count: number): Promise<{ id: number; result?: unknown; error?: unknown }[]> {
  const batches = Array.from({ length: count / 100 }, (_, batch) => {
    const items = Array.from({ length: 100 }, (_, item) => body(data, batch * 100 + item));
    return postText(proxy.url, `[${items.join(',')}]`);
  });
  return (await Promise.all(batches)).flatMap((text) => JSON.parse(text) as { id: number; result?: unknown }[]);
}

it(`${SAME} identical calls at once are one call, and each gets the answer under its own id`, async () => {
  node.on('eth_call', delay(700));
  const singles = Array.from({ length: 500 }, (_, index) => postText(proxy.url, body('0xabcd', index)));
  const inBatches = await manyAtOnce('0xabcd', SAME - 500);
  const alone = (await Promise.all(singles)).map((text) => JSON.parse(text) as unknown);
  expect(node.callsOf('eth_call')).toHaveLength(1);
  expect(alone).toEqual(alone.map((_, id) => ({ jsonrpc: '2.0', id, result: '0xabcd' })));
  expect(inBatches).toEqual(inBatches.map((_, id) => ({ jsonrpc: '2.0', id, result: '0xabcd' })));
  expect(inBatches).toHaveLength(SAME - 500);
  expect(await counted('miss')).toBe(1);
  expect((await counted('shared')) + (await counted('hit'))).toBe(SAME - 1);
}, 30_000);

it('an error is told to all who waited, and asked again by the next', async () => {
  node.on('eth_call', delay(400, error(-32000, 'out of gas')));
  const first = await Promise.all(Array.from({ length: 50 }, (_, id) => postText(proxy.url, body('0x01', id))));
  for (const [id, text] of first.entries()) {
    expect(JSON.parse(text)).toMatchObject({ id, error: { code: -32000, message: 'out of gas' } });
  }
  expect(node.callsOf('eth_call')).toHaveLength(1);
  node.on('eth_call', result('0x02'));
  expect(JSON.parse(await postText(proxy.url, body('0x01', 7)))).toMatchObject({ result: '0x02' });
  expect(node.callsOf('eth_call')).toHaveLength(2);
  expect(await proxy.metric('rpc_balancer_cache_refused_total')).toBe(1);
});

it('a node that breaks off costs those who share the call one repetition, not one each', async () => {
  const other = await ScriptedNode.start({ name: 'b' });
  await proxy.stop();
  proxy = await ProxyProcess.start({
    chains: {
      test: {
        chainId: 1337,
        health: { intervalMs: 100 },
        nodes: [
          { name: 'a', url: node.url },
          { name: 'b', url: other.url, tier: 1 },
        ],
      },
    },
  });
  await proxy.untilNode('a', ({ health }) => health === 'up');
  await proxy.untilNode('b', ({ health }) => health === 'up');
  node.on('eth_call', async (exchange: Exchange) => {
    await exchange.wait(200);
    exchange.socket.destroy();
  });
  const answers = await Promise.all(Array.from({ length: 50 }, (_, id) => postText(proxy.url, body('0x03', id))));
  for (const [id, text] of answers.entries()) expect(JSON.parse(text)).toMatchObject({ id, result: '0x03' });
  expect([node.callsOf('eth_call').length, other.callsOf('eth_call').length]).toEqual([1, 1]);
  await other.close();
});

it('who leaves first takes nothing from the others; when all have left the node is spared', async () => {
  const gone: boolean[] = [];
  node.on('eth_call', async (exchange: Exchange) => {
    gone.push(!(await exchange.wait(600)));
    if (!gone.at(-1)) await exchange.send(exchange.toBody() === '' ? '' : answerOf(exchange));
  });
  const first = leaving('0x04');
  await node.received('eth_call');
  const others = Array.from({ length: 20 }, (_, id) => postText(proxy.url, body('0x04', id)));
  await until(async () => (await proxy.metric('rpc_balancer_requests_in_flight')) === 21);
  first.destroy();
  for (const text of await Promise.all(others)) expect(JSON.parse(text)).toMatchObject({ result: '0x04' });
  expect(gone).toEqual([false]);
  expect(node.callsOf('eth_call')).toHaveLength(1);

  const all = Array.from({ length: 5 }, () => leaving('0x05'));
  await node.received('eth_call', 2);
  await until(async () => (await proxy.metric('rpc_balancer_requests_in_flight')) === 5);
  for (const one of all) one.destroy();
  await until(() => Promise.resolve(gone.length === 2));
  expect(gone).toEqual([false, true]);
  await until(async () => (await proxy.metric('rpc_balancer_requests_in_flight')) === 0);
  // It is not the node's fault, and the next one who asks begins anew.
  expect(await proxy.metric('rpc_balancer_node_ejections_total')).toBe(0);
  expect(JSON.parse(await postText(proxy.url, body('0x05', 1)))).toMatchObject({ result: '0x05' });
  expect(node.callsOf('eth_call')).toHaveLength(3);
});

it('at each new block every distinct request is one call, however many ask', async () => {
  const kinds = ['0x10', '0x11', '0x12', '0x13', '0x14'];
  const rounds = 6;
  node.on('eth_call', delay(20));
  for (let round = 0; round < rounds; round++) {
    node.mine();
    await proxy.until(({ chains }) => chains[0]?.head?.number === node.head);
    const answers = await Promise.all(kinds.map((data) => manyAtOnce(data, 200)));
    for (const [index, mine] of answers.entries()) {
      expect(new Set(mine.map((answer) => answer.result))).toEqual(new Set([kinds[index]]));
    }
  }
  expect(node.callsOf('eth_call')).toHaveLength(kinds.length * rounds);
  expect(await counted('miss')).toBe(kinds.length * rounds);
  expect((await counted('hit')) + (await counted('shared'))).toBe(kinds.length * rounds * 199);
});

it('answers of up to a megabyte are shared and kept like small ones; a larger one streams to each', async () => {
  node.on('eth_call', delay(200, bigResult(900_000)));
  const asked = Array.from({ length: 40 }, (_, id) => postText(proxy.url, body('0x30', id)));
  for (const [id, text] of (await Promise.all(asked)).entries()) {
    expect(text.length).toBe(`{"jsonrpc":"2.0","id":${id},"result":""}`.length + 900_000);
  }
  expect((await postText(proxy.url, body('0x30', 1))).length).toBeGreaterThan(900_000);
  expect(node.callsOf('eth_call')).toHaveLength(1);
  node.on('eth_call', bigResult(1_200_000));
  for (let id = 0; id < 2; id++)
    expect((await postText(proxy.url, body('0x31', id))).length).toBeGreaterThan(1_200_000);
  expect(node.callsOf('eth_call')).toHaveLength(3);
});

it('who comes at a newer head does not share what was asked before it: a receipt that was null is there', async () => {
  const hash = node.chain.hash(3);
  node.on('eth_getTransactionReceipt', delay(600, result(null)));
  const before = proxy.call('eth_getTransactionReceipt', [hash]);
  await node.received('eth_getTransactionReceipt', 1);
  node.mine();
  await proxy.until(({ chains }) => chains[0]?.head?.number === node.head);
  const receipt = {
    transactionHash: hash,
    blockNumber: `0x${node.head.toString(16)}`,
    blockHash: node.chain.hash(node.head),
  };
  node.on('eth_getTransactionReceipt', result(receipt));
  expect(await proxy.call('eth_getTransactionReceipt', [hash])).toEqual(receipt);
  expect(await before).toBeNull();
});

it('hits, misses, shared calls and those that are never kept are counted', async () => {
  node.on('eth_call', delay(300));
  await Promise.all(Array.from({ length: 10 }, (_, id) => postText(proxy.url, body('0x20', id))));
  for (let id = 0; id < 4; id++) await postText(proxy.url, body('0x20', id));
  await proxy.call('eth_getBlockByHash', [node.chain.hash(90), false]);
  await proxy.call('eth_getBlockByHash', [node.chain.hash(90), false]);
  await proxy.call('eth_getTransactionReceipt', [node.chain.hash(3)]);
  await proxy.call('eth_call', [{ data: '0x21' }, 'pending']);
  await proxy.call('eth_call', [{ data: '0x21' }, 'pending']);
  // Answered without a node, and so without the cache.
  await proxy.call('eth_blockNumber');
  const seen = await Promise.all(['hit', 'miss', 'shared', 'uncached'].map(counted));
  expect(seen).toEqual([4 + 1, 1 + 1 + 1, 9, 2]);
  // The receipt was null.
  expect(await proxy.metric('rpc_balancer_cache_refused_total')).toBe(1);
});

function answerOf(exchange: Exchange): string {
  const text = exchange.toBody();
  return `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${text.length}\r\n\r\n${text}`;
}

function leaving(data: string): ClientRequest {
  const headers = { 'content-type': 'application/json' };
  const outgoing = request(proxy.url, { method: 'POST', headers, agent: false });
  outgoing.on('error', () => undefined);
  outgoing.end(body(data, 0));
  return outgoing;
}

/** Polls a state that has to come. @throws Error when it does not within 4 s, so that a failing test ends. */
async function until(reached: () => Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + 4000;
  while (!(await reached())) {
    if (performance.now() > giveUpAt) throw new Error('it did not come to that');
    await sleep(10);
  }
}
