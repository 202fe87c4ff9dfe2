import { echoMix, sendRawTransaction, sendTransaction } from '../support/load-mix';
import type { Status } from '../../runtime/admin/status';
import { runLoad } from '../support/load-client';
import { ProxyProcess } from '../support/proxy-process';
import { synBlackHole } from '../support/scripted-black-hole';
import {
  arrayForSingle,
  badUtf8,
  type Behaviour,
  bom,
  delay,
  drip,
  duplicateKeys,
  emptyBody,
  error,
  executed,
  finBeforeResponse,
  hang,
  hangInBody,
  headerBomb,
  html200,
  missingId,
  nextSocketReset,
  noContent204,
  resetAfterHalfBody,
  resetAfterHeaders,
  resetBeforeResponse,
  resetInHeaders,
  result,
  resultAndError,
  ScriptedNode,
  shortBody,
  status,
  stringId,
  truncatedJson,
  wrongId,
} from '../support/scripted-node';

const reads = echoMix.filter(({ method }) => method !== 'eth_blockNumber');

type Trio = readonly [ScriptedNode, ScriptedNode, ScriptedNode];

/** Three nodes with one chain. */
async function startTrio(chainId: number): Promise<Trio> {
  const start = (name: string): Promise<ScriptedNode> =>
    ScriptedNode.start({ name, chainId, now: () => 1_800_000_000_000 });
  return Promise.all([start('a'), start('b'), start('c')]);
}

function toConfig(nodes: Trio, chainId: number, settings: object = {}): object {
  return { chainId, ...settings, nodes: nodes.map(({ name, url }) => ({ name, url })) };
}

function allUp({ chains }: Status): boolean {
  return chains.every(({ nodes }) => nodes.every(({ health }) => health === 'up'));
}

describe('a node with a fault', () => {
  const faults: Record<string, { behaviour: Behaviour; seen: string | undefined }> = {
    '503': { behaviour: status(503), seen: 'SERVER_ERROR' },
    '401': { behaviour: status(401), seen: 'UNAUTHORIZED' },
    '403 with JSON': { behaviour: status(403, {}, '{"error":"key"}'), seen: 'UNAUTHORIZED' },
    'a redirect': { behaviour: status(301, { location: 'http://169.254.169.254/' }), seen: 'REDIRECT' },
    '400 with a success': {
      behaviour: status(400, {}, '{"jsonrpc":"2.0","id":1,"result":"0x1"}'),
      seen: 'NOT_TAKEN',
    },
    '413 with a success': {
      behaviour: status(413, {}, '{"jsonrpc":"2.0","id":1,"result":"0x1"}'),
      seen: 'NOT_TAKEN',
    },
    'HTML with 200': { behaviour: html200(), seen: 'BAD_RESPONSE' },
    '204': { behaviour: noContent204(), seen: 'BAD_RESPONSE' },
    'an empty body': { behaviour: emptyBody(), seen: 'BAD_RESPONSE' },
    'truncated JSON': { behaviour: truncatedJson(), seen: 'BAD_RESPONSE' },
    'a byte order mark': { behaviour: bom(), seen: 'BAD_RESPONSE' },
    'bad UTF-8': { behaviour: badUtf8(), seen: 'BAD_RESPONSE' },
    'the wrong id': { behaviour: wrongId(), seen: 'BAD_RESPONSE' },
    'no id': { behaviour: missingId(), seen: 'BAD_RESPONSE' },
    'its id as a string': { behaviour: stringId(), seen: 'BAD_RESPONSE' },
    'a result and an error': { behaviour: resultAndError(), seen: 'BAD_RESPONSE' },
    'duplicate members': { behaviour: duplicateKeys(), seen: 'BAD_RESPONSE' },
    'an array for a single': { behaviour: arrayForSingle(), seen: 'BAD_RESPONSE' },
    'a bomb of headers': { behaviour: headerBomb(100_000), seen: 'BAD_RESPONSE' },
    'a reset before the answer': { behaviour: resetBeforeResponse(), seen: 'RESET' },
    'an end before the answer': { behaviour: finBeforeResponse(), seen: 'RESET' },
    'a reset in the head': { behaviour: resetInHeaders(), seen: 'RESET' },
    'a reset after the head': { behaviour: resetAfterHeaders(), seen: 'RESET' },
    'a reset after half a body': { behaviour: resetAfterHalfBody(), seen: 'RESET' },
    'a short body': { behaviour: shortBody(), seen: 'RESET' },
    'a reset on a reused connection': { behaviour: nextSocketReset(), seen: 'RESET' },
    'no answer': { behaviour: hang(), seen: 'TIMEOUT' },
    'half a body and no more': { behaviour: hangInBody(), seen: 'TIMEOUT' },
    'a byte every 30 ms': { behaviour: drip({ bytesPerTick: 1, everyMs: 30 }), seen: 'TIMEOUT' },
    'an answer 20 s late': { behaviour: delay(20_000), seen: 'TIMEOUT' },
    'a header not found': { behaviour: error(-32000, 'header not found'), seen: undefined },
    'a missing trie node': { behaviour: error(-32000, 'missing trie node abc (path )'), seen: undefined },
    'an internal error': { behaviour: error(-32603, 'internal error'), seen: undefined },
    'no such method': { behaviour: error(-32601, 'the method does not exist'), seen: undefined },
  };

  // Each fault has a chain of its own: what one leaves behind, such as a growing back-off, is not the next one's.
  const names = Object.keys(faults);
  const failover = { lightTimeoutMs: 400, callTimeoutMs: 600, deadlineMs: 4000 };
  let trios: Trio[];
  let proxy: ProxyProcess;

  beforeAll(async () => {
    trios = await Promise.all(names.map((_, index) => startTrio(index + 1)));
    const chains = trios.map((nodes, index) => [`fault-${index}`, toConfig(nodes, index + 1, { failover })]);
    proxy = await ProxyProcess.start({ chains: Object.fromEntries(chains) as object });
    await proxy.until(allUp);
  }, 30_000);

  afterAll(async () => {
    const { code } = await proxy.stop();
    await Promise.all(trios.flat().map((node) => node.close()));
    expect(code).toBe(0);
  });

  it.each(names.map((name, index) => [name, index] as const))('that is %s loses no read', async (name, index) => {
    const nodes = trios[index];
    const fault = faults[name];
    if (nodes === undefined || fault === undefined) throw new Error(name);
    for (const { method } of reads) nodes[0].on(method, fault.behaviour);
    const url = `${proxy.url}/fault-${index}`;
    const ledger = await runLoad({ url, clients: 6, total: 120, mix: reads, ids: 'tricky', timeoutMs: 8000 });
    expect(ledger.failures()).toEqual([]);
    expect(ledger.check({ nodes, maxAttempts: 3 })).toEqual([]);
    if (fault.seen === undefined) return;
    const { chains } = await proxy.status();
    expect(chains[index]?.nodes[0]?.errors).toHaveProperty(fault.seen);
    const labels = { chain: `fault-${index}`, node: 'a', code: fault.seen };
    expect(await proxy.metric('rpc_balancer_node_errors_total', labels)).toBeGreaterThan(0);
  });
});

describe('failover', () => {
  let nodes: Trio;
  let proxy: ProxyProcess;

  beforeEach(async () => {
    nodes = await startTrio(1337);
    const failover = { lightTimeoutMs: 400, callTimeoutMs: 500, deadlineMs: 2000 };
    const methods = { allow: ['eth_sendTransaction'] };
    proxy = await ProxyProcess.start({ methods, chains: { test: toConfig(nodes, 1337, { failover }) } });
    await proxy.until(allUp);
  });

  afterEach(async () => {
    const { code } = await proxy.stop();
    await Promise.all(nodes.map((node) => node.close()));
    expect(code).toBe(0);
  });

  it("passes the caller's own fault through byte for byte, after one attempt", async () => {
    for (const node of nodes) node.on('eth_call', error(3, 'execution reverted: no', '0x08c379a0'));
    const response = await proxy.post(
      '{"jsonrpc":"2.0","id":1.50,"method":"eth_call","params":[{"to":"0x04"},"latest"]}',
    );
    expect(response.status).toBe(200);
    expect(await response.text()).toBe(
      '{"jsonrpc":"2.0","id":1.50,"error":{"code":3,"message":"execution reverted: no","data":"0x08c379a0"}}',
    );
    expect(nodes.flatMap((node) => node.callsOf('eth_call'))).toHaveLength(1);
    expect((await proxy.status()).chains[0]?.nodes.map(({ health }) => health)).toEqual(['up', 'up', 'up']);
  });

  it('gives a node that answers 429 the rest it asks for', async () => {
    const [a] = nodes;
    a.on('eth_call', status(429, { 'retry-after': 2 }));
    const ledger = await runLoad({ url: proxy.url, clients: 4, durationMs: 1000, mix: reads });
    expect(ledger.failures()).toEqual([]);
    const refused = a.callsOf('eth_call').length;
    expect(refused).toBeGreaterThan(0);
    expect(refused).toBeLessThanOrEqual(4);
    const { restingForMs, reason } = await proxy.node('a');
    expect(restingForMs).toBeGreaterThan(0);
    expect(reason).toMatch(/pause/);
    a.off();
    await proxy.untilNode('a', (node) => node.restingForMs === 0);
  });

  it('answers 503 with Retry-After when all nodes rest', async () => {
    for (const node of nodes) node.on('eth_call', status(429, { 'retry-after': 7 }));
    const first = await proxy.post('{"jsonrpc":"2.0","id":"x","method":"eth_call","params":[{},"latest"]}');
    expect(first.status).toBe(503);
    const response = await proxy.post('{"jsonrpc":"2.0","id":"x","method":"eth_call","params":[{},"latest"]}');
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toMatch(/^0[67]$/);
    expect(await response.json()).toMatchObject({ id: 'x', error: { code: -32002 } });
    expect(nodes.flatMap((node) => node.callsOf('eth_call'))).toHaveLength(3);
  });

  it('takes a refusal for its size to one more node, and passes the last one on without a rest', async () => {
    for (const node of nodes) node.on('eth_getLogs', error(-32005, 'query returned more than 10000 results'));
    await expect(proxy.call('eth_getLogs', [{ fromBlock: '0x1' }])).rejects.toThrow(/more than 10000/);
    expect(nodes.flatMap((node) => node.callsOf('eth_getLogs'))).toHaveLength(2);
    expect((await proxy.status()).chains[0]?.nodes.map(({ restingForMs }) => restingForMs)).toEqual([0, 0, 0]);
  });

  it('executes a raw transaction once and returns its hash when the answer of the first node is lost', async () => {
    // One pool: what reached a node is known to all of them, as on a network.
    for (const node of nodes)
      for (const other of nodes) if (other !== node) node.on('eth_sendRawTransaction', share(nodes));
    const ledger = await runLoad({ url: proxy.url, clients: 1, total: 10, mix: [sendRawTransaction] });
    expect(ledger.failures()).toEqual([]);
    expect(nodes.flatMap((node) => node.callsOf('eth_sendRawTransaction')).length).toBeGreaterThan(10);
  });

  it.each([
    ['resets after executing', executed(resetBeforeResponse())],
    ['hangs', hang()],
    ['answers nonsense', html200()],
    ['answers 503', status(503)],
  ])('never executes eth_sendTransaction twice when the node %s', async (_, behaviour) => {
    for (const node of nodes) node.on('eth_sendTransaction', behaviour);
    const ledger = await runLoad({
      url: proxy.url,
      clients: 3,
      total: 3,
      mix: [{ ...sendTransaction, abortAfterMs: 3000 }],
    });
    expect(ledger.checkL3(nodes)).toEqual([]);
    expect(nodes.flatMap((node) => node.callsOf('eth_sendTransaction'))).toHaveLength(3);
  });

  it('repeats eth_sendTransaction where nothing was sent', async () => {
    const [a] = nodes;
    await a.refuse();
    const ledger = await runLoad({ url: proxy.url, clients: 4, total: 40, mix: [sendTransaction] });
    expect(ledger.failures()).toEqual([]);
    expect(ledger.checkL3(nodes)).toEqual([]);
  });

  it('runs an unknown method once', async () => {
    for (const node of nodes) node.on('custom_act', resetBeforeResponse());
    await expect(proxy.call('custom_act')).rejects.toThrow(/503.*may have been executed/);
    expect(nodes.flatMap((node) => node.callsOf('custom_act'))).toHaveLength(1);
  });

  it('ends a request that timed out on two nodes', async () => {
    for (const node of nodes) node.on('eth_call', hang());
    await expect(proxy.call('eth_call', [{}, 'latest'])).rejects.toThrow(/504.*timed out on two nodes/);
    expect(nodes.flatMap((node) => node.callsOf('eth_call'))).toHaveLength(2);
  });

  it('asks one more node for a receipt that the first does not have', async () => {
    const [, , c] = nodes;
    c.on('eth_getTransactionReceipt', result({ status: '0x1' }));
    let found = 0;
    for (let i = 0; i < 20; i++)
      found += (await proxy.call('eth_getTransactionReceipt', [`0x${'1'.repeat(64)}`])) === null ? 0 : 1;
    expect(found).toBeGreaterThan(0);
    expect(nodes.flatMap((node) => node.callsOf('eth_getTransactionReceipt')).length).toBeGreaterThan(20);
  });

  it('waits no longer than 500 ms for a handshake', async () => {
    const hole = await synBlackHole();
    const withHole = await ProxyProcess.start({
      chains: {
        test: {
          chainId: 1337,
          nodes: [
            { name: 'hole', url: hole.url },
            { name: 'b', url: nodes[1].url },
          ],
        },
      },
    });
    try {
      const ledger = await runLoad({ url: withHole.url, clients: 4, total: 200, mix: reads });
      expect(ledger.failures()).toEqual([]);
      expect((await withHole.node('hole')).errors).not.toHaveProperty('TIMEOUT');
      await withHole.untilNode(
        'hole',
        ({ health, reason = '' }) => health === 'down' && reason.includes('CONNECT_TIMEOUT'),
      );
    } finally {
      await withHole.stop();
      await hole.close();
    }
  });
});

/** The first node to get a transaction takes it and loses the answer; the others say that they know it. */
function share(nodes: readonly ScriptedNode[]): Behaviour {
  return async (exchange) => {
    const raw = JSON.stringify(exchange.requests[0]?.params);
    const arrivals = nodes
      .flatMap((node) => node.callsOf('eth_sendRawTransaction'))
      .filter(({ params }) => JSON.stringify(params) === raw);
    if (arrivals.length === 1) {
      exchange.answers();
      for (const node of nodes)
        for (const [hash, transaction] of node.pool) for (const other of nodes) other.pool.set(hash, transaction);
      await resetBeforeResponse()(exchange);
      return;
    }
    await error(-32000, 'already known')(exchange);
  };
}
