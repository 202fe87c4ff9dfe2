import { setTimeout as sleep } from 'node:timers/promises';
import type { AnvilNode } from '../../bin/dev-chain/anvil-node';
import { ChainConductor } from '../support/chain-conductor';
import { runLoad } from '../support/load-client';
import { readMix } from '../support/load-mix';
import { ProxyProcess } from '../support/proxy-process';

const atHead = readMix.filter(({ method }) => method !== 'eth_blockNumber');

/** Code that returns the number of the block it runs in: NUMBER, MSTORE at 0, RETURN of 32 bytes. */
const NUMBER = '0x4360005260206000f3';

let chain: ChainConductor;
let proxy: ProxyProcess;
let nodes: [AnvilNode, AnvilNode, AnvilNode];

beforeEach(async () => {
  chain = await ChainConductor.start({ nodes: 3 });
  nodes = chain.nodes as [AnvilNode, AnvilNode, AnvilNode];
  await chain.mine(5);
});

afterEach(async () => {
  const { code } = await proxy.stop();
  await chain.close();
  expect(code).toBe(0);
});

/** @param tiers of the three nodes. */
async function startProxy(tiers: readonly number[] = [0, 0, 0]): Promise<void> {
  const members = nodes.map(({ name, url }, index) => ({ name, url, tier: tiers[index] }));
  proxy = await ProxyProcess.start({
    chains: { dev: { chainId: 31337, health: { intervalMs: 250 }, nodes: members } },
  });
  await proxy.until(({ chains }) => chains.every((one) => one.nodes.every(({ health }) => health === 'up')));
}

async function attempts({ name }: AnvilNode): Promise<number> {
  return (await proxy.node(name)).attempts;
}

async function blockNumber(): Promise<number> {
  return Number(await proxy.call('eth_blockNumber'));
}

async function blockAt(tag: string): Promise<{ number: number; hash: string }> {
  const block = (await proxy.call('eth_getBlockByNumber', [tag, false])) as { number: string; hash: string };
  return { number: Number(block.number), hash: block.hash };
}

/** Resolves when the proxy has seen the newest block of the chain at some node. */
async function untilHead(): Promise<void> {
  await proxy.until(({ chains }) => chains[0]?.head?.hash === chain.block().hash);
}

// Found here, on a busy machine: after several blocks at once every node may count as lagging for a while. The nodes that
// had caught up then shared what needs no block, such as eth_gasPrice, with the one that was 10 behind.
describe('a node that is 10 blocks behind', () => {
  it('gets no reads of the head and serves history; behind it alone, the head still holds', async () => {
    const [a, b, c] = nodes;
    // Of the lowest tier: whatever it may serve goes to it.
    await startProxy([1, 1, 0]);
    await chain.lag(c, 10);
    await proxy.untilNode(c.name, ({ health, lag }) => health === 'lagging' && lag === 10);
    const { reason, lag, head, attempts: before } = await proxy.node(c.name);
    expect({ reason, lag, head }).toEqual({ reason: '10 blocks behind', lag: 10, head: 5 });

    const ledger = await runLoad({ url: proxy.url, clients: 8, total: 400, mix: atHead });
    expect(ledger.failures()).toEqual([]);
    expect(await attempts(c)).toBe(before);
    // Each of them new, so that nobody knows the answer already.
    const others = await Promise.all([attempts(a), attempts(b)]);
    for (let i = 1; i <= 20; i++) {
      const address = `0x${String(i).padStart(40, '0')}`;
      expect(await proxy.call('eth_getBalance', [address, '0x3'])).toBe('0x0');
    }
    expect(await attempts(c)).toBe(before + 20);
    expect(await Promise.all([attempts(a), attempts(b)])).toEqual(others);

    await Promise.all([a.kill(), b.kill()]);
    await proxy.until(({ chains }) => chains[0]?.nodes.filter(({ health }) => health === 'down').length === 2);
    expect(await blockAt('0x3')).toEqual({ number: 3, hash: chain.block(3).hash });
    // The head does not go back for that; a read of it is answered from the best block there is.
    expect(await blockNumber()).toBe(15);
    expect(await proxy.call('eth_call', [{ data: NUMBER }, 'latest'])).toBe(`0x${'5'.padStart(64, '0')}`);

    await Promise.all([a.restart(), b.restart()]);
    await chain.release(c);
    await chain.settle();
    await proxy.until(({ chains }) => chains.every((one) => one.nodes.every(({ health }) => health === 'up')));
    const whenUp = await Promise.all(nodes.map(attempts));
    const after = await runLoad({ url: proxy.url, clients: 4, total: 200, mix: atHead });
    expect(after.failures()).toEqual([]);
    const [toA, toB, toC] = (await Promise.all(nodes.map(attempts))).map(
      (count, index) => count - (whenUp[index] ?? 0),
    );
    expect([toA, toB]).toEqual([0, 0]);
    expect(toC).toBeGreaterThan(50);
  }, 40_000);
});

describe('the head', () => {
  it('never goes back for a client while nodes lag by turns, and steps over in a real reorg', async () => {
    await startProxy();
    const stop = new AbortController();
    const readers = [blockNumber, async () => (await blockAt('latest')).number];
    const watches = Array.from({ length: 10 }, (_, index) => watch(readers[index % 2] ?? blockNumber, stop.signal));
    const turns = [3, 1, 6, 2, 4, 1, 8, 3, 5, 2, 1, 7];
    for (const [turn, lag] of turns.entries()) {
      const node = nodes[turn % 3];
      if (node === undefined) continue;
      await chain.lag(node, lag);
      await sleep(300);
      await chain.release(node);
    }
    await untilHead();
    stop.abort();
    const seen = await Promise.all(watches);
    for (const numbers of seen) expect(numbers).toEqual(numbers.toSorted((x, y) => x - y));
    expect(new Set(seen.flat()).size).toBeGreaterThan(turns.length / 2);

    const { height } = chain;
    const replaced = await chain.reorg(3);
    await untilHead();
    expect(await blockNumber()).toBe(height + 1);
    for (const { number, hash } of replaced) {
      for (let i = 0; i < 12; i++) {
        const block = await blockAt(`0x${number.toString(16)}`);
        expect(block).toEqual({ number, hash: chain.block(number).hash });
        expect(block.hash).not.toBe(hash);
      }
    }
    expect(await proxy.metric('rpc_balancer_chain_reorgs_total')).toBeGreaterThan(0);
    const ledger = await runLoad({ url: proxy.url, clients: 8, total: 400, mix: readMix });
    expect(ledger.failures()).toEqual([]);
  }, 40_000);
});

/** What one client reads, one read after the other, until it is told to stop. */
async function watch(read: () => Promise<number>, signal: AbortSignal): Promise<number[]> {
  const numbers: number[] = [];
  while (!signal.aborted) {
    numbers.push(await read());
    await sleep(5);
  }
  return numbers;
}
