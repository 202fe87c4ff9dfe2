import { setTimeout as sleep } from 'node:timers/promises';
import { ChainConductor } from '../support/chain-conductor';
import { closeConnections, resultOf } from '../support/oracle-client';
import { ProxyProcess } from '../support/proxy-process';
import { type LoggedRequest, ScriptedNode } from '../support/scripted-node';

let proxy: ProxyProcess;

async function startProxy(
  chainId: number,
  nodes: readonly { name: string; url: string }[],
  health = {},
): Promise<void> {
  const members = nodes.map(({ name, url }) => ({ name, url }));
  proxy = await ProxyProcess.start({ chains: { test: { chainId, health, nodes: members } } });
  await proxy.until(({ chains }) => chains.every((one) => one.nodes.every((node) => node.health === 'up')));
}

afterEach(async () => {
  closeConnections();
  expect((await proxy.stop()).code).toBe(0);
});

describe('real nodes', () => {
  let chain: ChainConductor;

  afterEach(() => chain.close());

  it('with a block every 250 ms the head follows, and no node flaps', async () => {
    chain = await ChainConductor.start({ nodes: 3, blockTimeMs: 250 });
    await chain.mine(2);
    await startProxy(31337, chain.nodes);
    chain.startProduction(250);
    const behind: number[] = [];
    const heads: number[] = [];
    const end = performance.now() + 5000;
    while (performance.now() < end) {
      const { height } = chain;
      const head = Number(await resultOf(proxy.url, 'eth_blockNumber'));
      heads.push(head);
      behind.push(height - head);
      const { number } = (await resultOf(proxy.url, 'eth_getBlockByNumber', ['latest', false])) as { number: string };
      expect(Number(number)).toBeGreaterThanOrEqual(head);
      await sleep(25);
    }
    await chain.stopProduction();
    expect(heads).toEqual(heads.toSorted((a, b) => a - b));
    expect((heads.at(-1) ?? 0) - (heads[0] ?? 0)).toBeGreaterThan(8);
    // Two probes' worth, on the median: a loaded machine may hold one up.
    expect(behind.toSorted((a, b) => a - b)[behind.length >> 1]).toBeLessThanOrEqual(2);
    const changes = proxy.output.split('\n').filter((line) => /"msg":"node (up|lagging|down)"/.test(line));
    // Each comes up once; the rest is flapping.
    expect(changes.filter((line) => !line.includes('"msg":"node up"'))).toEqual([]);
    expect(changes).toHaveLength(3);
    expect((await proxy.status()).chains[0]?.blockTimeMs).toBeLessThan(1000);
  }, 30_000);

  it('a chain whose newest block is a day old is served, and its next block is taken at once', async () => {
    const yesterday = Math.floor(Date.now() / 1000) - 86_400;
    chain = await ChainConductor.start({ nodes: 3, genesisTimestamp: yesterday, now: () => yesterday * 1000 + 5000 });
    await chain.mine(3);
    await startProxy(31337, chain.nodes);
    expect(Date.now() / 1000 - chain.block().timestamp).toBeGreaterThan(80_000);
    for (let i = 0; i < 5; i++) {
      expect(await resultOf(proxy.url, 'eth_blockNumber')).toBe('0x3');
      expect(await resultOf(proxy.url, 'eth_getBalance', [`0x${String(i).padStart(40, '0')}`, 'latest'])).toBe('0x0');
      await sleep(200);
    }
    await chain.mine();
    await proxy.until(({ chains }) => chains[0]?.head?.number === 4);
    const { chains } = await proxy.status();
    expect(chains[0]?.nodes.map(({ health, reason }) => ({ health, reason }))).toEqual(
      chain.nodes.map(() => ({ health: 'up', reason: undefined })),
    );
    expect(proxy.output).not.toContain('node lagging');
  }, 30_000);

  it('one node alone is followed at once, also over many blocks and a reorg', async () => {
    chain = await ChainConductor.start({ nodes: 1 });
    await chain.mine(2);
    await startProxy(31337, chain.nodes, { intervalMs: 100 });
    for (const blocks of [1, 5, 300]) {
      await chain.mine(blocks);
      await proxy.until(({ chains }) => chains[0]?.head?.hash === chain.block().hash);
      expect(Number(await resultOf(proxy.url, 'eth_blockNumber'))).toBe(chain.height);
      expect(await resultOf(proxy.url, 'eth_getBalance', [`0x${'1'.padStart(40, '0')}`])).toBe('0x0');
    }
    await chain.reorg(3);
    await proxy.until(({ chains }) => chains[0]?.head?.hash === chain.block().hash);
    const block = await resultOf(proxy.url, 'eth_getBlockByNumber', ['latest', false]);
    expect(block).toMatchObject({ hash: chain.block().hash });
    expect(proxy.output).not.toContain('node lagging');
  }, 30_000);
});

describe('scripted nodes', () => {
  let nodes: ScriptedNode[];

  beforeEach(async () => {
    nodes = await Promise.all(
      ['a', 'b', 'c'].map((name) => ScriptedNode.start({ name, now: () => 1_800_000_000_000 })),
    );
  });

  afterEach(() => Promise.all(nodes.map((node) => node.close())));

  it('a head that jumps by 10 000 on one node is not taken; on two it is', async () => {
    await startProxy(1337, nodes, { intervalMs: 100 });
    const [a, b, c] = nodes as [ScriptedNode, ScriptedNode, ScriptedNode];
    c.setHead(c.head + 10_000);
    await proxy.untilNode('c', ({ health }) => health === 'lagging');
    for (let i = 0; i < 10; i++) {
      expect(await resultOf(proxy.url, 'eth_blockNumber')).toBe('0x64');
      await sleep(30);
    }
    a.mine();
    b.mine();
    await proxy.until(({ chains }) => chains[0]?.head?.number === 101);
    b.setHead(c.head);
    await proxy.until(({ chains }) => chains[0]?.head?.number === 10_100);
    expect(await resultOf(proxy.url, 'eth_blockNumber')).toBe('0x2774');
  });

  // The table in docs/operating.md says what this costs a day.
  it('probing costs one block a tick, and the whole look at the start', async () => {
    await startProxy(1337, nodes, { intervalMs: 200 });
    const [node] = nodes as [ScriptedNode];
    const { requests } = node;
    await node.received('eth_getBalance', 2);
    const from = requests.length;
    const begin = performance.now();
    await sleep(3000);
    const ticks = (performance.now() - begin) / 200;
    const calls = requests.slice(from);
    expect(calls.filter((one) => !isProbe(one))).toEqual([]);
    // Ticks vary by a tenth; a loaded machine makes fewer, never more.
    expect(calls.length).toBeLessThanOrEqual(Math.ceil(ticks / 0.9));
    expect(calls.length).toBeGreaterThan(ticks / 2);
    const whole = requests.slice(0, from).filter((one) => !isProbe(one));
    expect(
      whole.map(({ method, params }) => `${method} ${JSON.stringify((params as unknown[])[0] ?? '')}`).sort(),
    ).toEqual([
      'eth_chainId ""',
      'eth_getBalance "0x0000000000000000000000000000000000000000"',
      'eth_getBalance "0x0000000000000000000000000000000000000000"',
      'eth_getBlockByNumber "finalized"',
      'eth_syncing ""',
    ]);
    expect(await proxy.metric('rpc_balancer_node_probes_total', { node: 'a' })).toBe(requests.length);
    expect(await proxy.metric('rpc_balancer_node_attempts_total')).toBe(0);
  }, 20_000);

  it('without an interval a tick is a quarter of the block time, of 12 s until it is learned: 1 s', async () => {
    await startProxy(1337, nodes);
    const [node] = nodes as [ScriptedNode];
    await node.received('eth_getBalance', 2);
    const from = node.requests.length;
    const begin = performance.now();
    await sleep(3500);
    const seconds = (performance.now() - begin) / 1000;
    const calls = node.requests.length - from;
    expect(calls).toBeLessThanOrEqual(Math.ceil(seconds / 0.9));
    expect(calls).toBeGreaterThanOrEqual(2);
  }, 20_000);
});

function isProbe({ method, params }: LoggedRequest): boolean {
  return method === 'eth_getBlockByNumber' && (params as unknown[])[0] === 'latest';
}
