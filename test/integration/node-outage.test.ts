import { setTimeout as sleep } from 'node:timers/promises';
import type { AnvilNode } from '../../bin/dev-chain/anvil-node';
import { ChainConductor } from '../support/chain-conductor';
import { runLoad } from '../support/load-client';
import { readMix } from '../support/load-mix';
import { ProxyProcess } from '../support/proxy-process';

/** What a chain with a block a second gets by itself, from the first moment on. */
const INTERVAL_MS = 250;

let chain: ChainConductor;
let proxy: ProxyProcess;
let nodes: [AnvilNode, AnvilNode];

beforeEach(async () => {
  chain = await ChainConductor.start({ nodes: 2 });
  nodes = chain.nodes as [AnvilNode, AnvilNode];
  await chain.mine(5);
});

afterEach(async () => {
  const { code } = await proxy.stop();
  await chain.close();
  expect(code).toBe(0);
});

async function startProxy(health: object = {}): Promise<void> {
  const members = nodes.map(({ name, url }) => ({ name, url }));
  const config = { chainId: 31337, health: { intervalMs: INTERVAL_MS, ...health }, nodes: members };
  proxy = await ProxyProcess.start({ chains: { dev: config } });
  await proxy.until(({ chains }) => chains.every((one) => one.nodes.every(({ health: is }) => is === 'up')));
}

function attempts({ name }: AnvilNode): Promise<number> {
  return proxy.metric('rpc_balancer_node_attempts_total', { node: name });
}

/** Resolves when the node gets requests again, well beyond a trial or two. */
async function untilUsed({ name }: AnvilNode): Promise<void> {
  const { attempts: before } = await proxy.node(name);
  await proxy.untilNode(name, (node) => node.health === 'up' && node.attempts >= before + 50);
}

describe('a node that is killed', () => {
  it('costs 200 clients no read, gets nothing while it is out, and is used again when it is back', async () => {
    const [a] = nodes;
    chain.startProduction(1000);
    await startProxy();
    const running = runLoad({ url: proxy.url, clients: 200, durationMs: 10_000, mix: readMix });
    await untilUsed(a);

    const killedAt = performance.now();
    await a.kill();
    await proxy.untilNode(a.name, ({ health, ejected }) => health === 'down' || ejected !== undefined);
    const outAfterMs = performance.now() - killedAt;
    // Ejected, it may be given a request now and then to see whether it lives; down, it gets none at all.
    const given = await attempts(a);
    await proxy.untilNode(a.name, ({ health }) => health === 'down');
    const whenDown = await attempts(a);
    await sleep(8 * INTERVAL_MS);
    const { reason } = await proxy.node(a.name);
    const stillDown = await attempts(a);

    await a.restart();
    await untilUsed(a);
    const ledger = await running;
    expect(ledger.failures()).toEqual([]);
    expect(ledger.checkL1()).toEqual([]);
    expect(stillDown).toBe(whenDown);
    expect(whenDown - given).toBeLessThanOrEqual(2);
    // One interval in quiet; a second is what the promise leaves to a machine with more to do.
    expect(outAfterMs).toBeLessThan(1000);
    expect(reason).toMatch(/^failed \d+ times in a row, the last time: CONNECT_FAILED$/);
  }, 40_000);
});

describe('a node that is stopped', () => {
  it('holds up no more reads than the less busy of two can have been given, and is used again', async () => {
    // No new blocks: only its silence takes the node out, not that the others have what it has not.
    const clients = 32;
    const [a] = nodes;
    await startProxy();
    const running = runLoad({ url: proxy.url, clients, durationMs: 4500, mix: readMix });
    await untilUsed(a);

    a.freeze();
    await proxy.untilNode(a.name, ({ health }) => health === 'down');
    const { reason } = await proxy.node(a.name);
    const whenDown = await attempts(a);
    const ledger = await running;
    expect(await attempts(a)).toBe(whenDown);
    expect(reason).toMatch(/^failed \d+ times in a row, the last time: \w+$/);
    expect(ledger.failures()).toEqual([]);
    const slow = ledger.entries.filter(({ outcomes }) => outcomes.some(({ latencyMs }) => latencyMs > 1500));
    expect(slow.length).toBeGreaterThan(0);
    // A node is chosen only while it has no more in flight than the other; two more may have been trials.
    expect(slow.length).toBeLessThanOrEqual(clients / 2 + 2);

    a.thaw();
    await proxy.untilNode(a.name, ({ health }) => health === 'up');
    const after = await runLoad({ url: proxy.url, clients, total: 600, mix: readMix });
    expect(after.failures()).toEqual([]);
    expect(await attempts(a)).toBeGreaterThan(whenDown + 100);
  }, 40_000);
});

describe('all nodes', () => {
  it('killed are a 503 with a JSON-RPC error, and started again they serve', async () => {
    await startProxy();
    await Promise.all(nodes.map((node) => node.kill()));
    const call = { jsonrpc: '2.0', id: 'x', method: 'eth_getBalance', params: [`0x${'1'.repeat(40)}`, 'latest'] };
    // At once, before any probe has found out, and when all are known to be down.
    for (let round = 0; round < 2; round++) {
      const response = await proxy.post(JSON.stringify(call));
      expect(response.status).toBe(503);
      expect(await response.json()).toMatchObject({ id: 'x', error: { code: -32002 } });
      await proxy.until(({ chains }) => chains.every((one) => one.nodes.every(({ health }) => health === 'down')));
    }
    // What is known without a node stays known.
    expect(await proxy.call('eth_blockNumber')).toBe('0x5');

    await Promise.all(nodes.map((node) => node.restart()));
    await chain.settle();
    await proxy.until(({ chains }) => chains.every((one) => one.nodes.every(({ health }) => health === 'up')));
    const ledger = await runLoad({ url: proxy.url, clients: 8, total: 400, mix: readMix });
    expect(ledger.failures()).toEqual([]);
    for (const node of nodes) expect(await attempts(node)).toBeGreaterThan(50);
  }, 40_000);

  it('without new blocks are as well as ever, however old their newest block is', async () => {
    await startProxy({ maxBlockAgeMs: 100 });
    // Genesis is a second old and the timestamps of the five blocks above it run ahead of the clock.
    const { timestamp } = chain.block();
    while (Date.now() < timestamp * 1000 + 1500) await sleep(50);
    const ledger = await runLoad({ url: proxy.url, clients: 8, total: 400, mix: readMix });
    expect(ledger.failures()).toEqual([]);
    const { chains } = await proxy.status();
    expect(chains[0]?.nodes.map(({ health }) => health)).toEqual(['up', 'up']);
    expect(proxy.output).not.toMatch(/"msg":"node (lagging|down|ejected)"/);
  }, 40_000);
});
