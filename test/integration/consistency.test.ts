import { setTimeout as sleep } from 'node:timers/promises';
import type { AnvilNode } from '../../bin/dev-chain/anvil-node';
import { ChainConductor } from '../support/chain-conductor';
import { askAll, closeConnections, resultOf } from '../support/oracle-client';
import { deployCounter, sign, wallets, word } from '../support/oracle-counter';
import { OracleStates, type Query } from '../support/oracle-states';
import { ProxyProcess } from '../support/proxy-process';
import { delay, inTurn, resetBeforeResponse, result, ScriptedNode } from '../support/scripted-node';

let chain: ChainConductor;
let proxy: ProxyProcess;
/** Three behind the proxy, and one of which it knows nothing. */
let nodes: [AnvilNode, AnvilNode, AnvilNode];
let reference: AnvilNode;
let counter: string;

beforeEach(async () => {
  chain = await ChainConductor.start({ nodes: 4 });
  const [a, b, c, d] = chain.nodes as [AnvilNode, AnvilNode, AnvilNode, AnvilNode];
  nodes = [a, b, c];
  reference = d;
  counter = await deployCounter(a);
  await chain.mine(8);
});

async function startProxy(cache: object = {}): Promise<void> {
  const members = nodes.map(({ name, url }) => ({ name, url }));
  proxy = await ProxyProcess.start({
    chains: { dev: { chainId: 31337, health: { intervalMs: 250 }, cache, nodes: members } },
  });
  await proxy.until(({ chains }) => chains.every((one) => one.nodes.every(({ health }) => health === 'up')));
}

afterEach(async () => {
  closeConnections();
  const { code } = await proxy.stop();
  await chain.close();
  expect(code).toBe(0);
});

const [sender, receiver] = wallets as [(typeof wallets)[number], (typeof wallets)[number]];

/** The first of them read state. */
const STATE_QUERIES = 6;

function queries(): Query[] {
  return [
    { method: 'eth_getBalance', params: (block) => [receiver.address, block] },
    { method: 'eth_getTransactionCount', params: (block) => [sender.address, block] },
    { method: 'eth_getStorageAt', params: (block) => [counter, '0x0', block] },
    { method: 'eth_call', params: (block) => [{ to: counter }, block] },
    { method: 'eth_call', params: (block) => [{ to: counter, input: '0x' }, block] },
    { method: 'eth_getCode', params: (block) => [counter, block] },
    { method: 'eth_getLogs', params: (block) => [{ address: counter, fromBlock: '0x0', toBlock: block }] },
    { method: 'eth_getLogs', params: (block) => [{ fromBlock: block, toBlock: block }] },
  ];
}

interface Read {
  readonly from: number;
  readonly until: number;
  /** Of the block that `eth_getBlockByNumber` showed. */
  readonly hash: string;
  readonly head: number;
  readonly answers: readonly string[];
}

/** Between these times (performance.now()) blocks of two branches may be seen. */
interface Unsettled {
  readonly kind: 'fork' | 'reorg';
  readonly from: number;
  until: number;
}

/**
 * State is read at a hash, so it is right whatever a node does meanwhile; of blocks and logs, which are read by number, the
 * node has to show afterwards that it still has the block. When all nodes reorganise, the block is nowhere any more.
 */
it.each([
  ['kept', {}],
  ['not kept', { maxBytes: 0 }],
])(
  'every answer is that of one block while nodes lag, fork and reorganise by turns, answers %s',
  async (_, cache) => {
    await startProxy(cache);
    const states = new OracleStates(chain, queries());
    const stop = new AbortController();
    const clients = Array.from({ length: 6 }, () => readUntil(stop.signal));
    const unsettled = await takeTurns(states);
    stop.abort();
    const perClient = await Promise.all(clients);
    const reads = perClient.flat();
    const during = ({ from, until }: Read): Unsettled | undefined =>
      unsettled.find((window) => from <= window.until && until >= window.from);

    const isOneBlock = ({ head, answers }: Read, count: number): boolean =>
      states.ofNumber(head).some((block) => block.slice(0, count).join() === answers.slice(0, count).join());
    // Logs of a block that is gone before they were read are those of a later head; never of another branch's block.
    const isOneBlockOrLater = ({ head, answers }: Read): boolean => {
      const isSame = (block: readonly string[]): boolean =>
        block.slice(0, STATE_QUERIES).join() === answers.slice(0, STATE_QUERIES).join();
      const same = states.ofNumber(head).filter(isSame);
      const later = [1, 2, 3, 4, 5, 6, 7, 8].flatMap((step) => states.ofNumber(head + step));
      return (
        same.length > 0 && answers.every((answer, index) => [...same, ...later].some((one) => one[index] === answer))
      );
    };
    const wrong = reads.filter((read) => {
      if (states.at(read.hash)?.join() === read.answers.join() && isOneBlock(read, read.answers.length)) return false;
      switch (during(read)?.kind) {
        case undefined:
          return true;
        case 'fork':
          return !isOneBlockOrLater(read);
        case 'reorg': {
          const near = [-1, 0, 1].flatMap((step) => states.ofNumber(read.head + step));
          return read.answers
            .slice(0, STATE_QUERIES)
            .some((answer, index) => !near.some((one) => one[index] === answer));
        }
      }
    });
    // Anvil looks a hash up and reads the state in two steps, and may make a block between them: then it is the next
    // block's state. (One anvil alone, asked in a loop while it mines, does so in 3 of 1 000 reads.) What is kept of
    // that is seen many times, so it is the cases that count.
    const isRace = ({ head, answers }: Read): boolean => {
      const near = [0, 1].flatMap((step) => states.ofNumber(head + step));
      return answers.every((answer, index) => near.some((one) => one[index] === answer));
    };
    expect(wrong.filter((read) => !isRace(read))).toEqual([]);
    expect(new Set(wrong.map(({ head, answers }) => `${head} ${answers.join()}`)).size).toBeLessThan(4);

    const steps = perClient.flatMap((mine) => mine.slice(1).map((read, index) => [mine[index] ?? read, read] as const));
    expect(steps.filter(([before, read]) => read.head < before.head && !during(before) && !during(read))).toEqual([]);
    expect(new Set(reads.map(({ head }) => head)).size).toBeGreaterThan(15);
    expect(reads.filter((read) => during(read) === undefined).length).toBeGreaterThan(100);
    const hits = await proxy.metric('rpc_balancer_cache_requests_total', { result: 'hit' });
    expect(hits > 0).toBe(!('maxBytes' in cache));
  },
  60_000,
);

/** By turns a node lags, another is on a fork, and all reorganise, while transactions change the state. */
async function takeTurns(states: OracleStates): Promise<Unsettled[]> {
  const unsettled: Unsettled[] = [];
  let nonce = 0;
  const change = async (): Promise<void> => {
    const toCounter = { from: sender, nonce: nonce++, to: counter, data: word(nonce) };
    const toReceiver = { from: sender, nonce: nonce++, to: receiver.address, value: BigInt(nonce) };
    for (const one of [toCounter, toReceiver]) await reference.rpc('eth_sendRawTransaction', [await sign(one)]);
    await chain.mine();
    await states.learn(reference);
  };
  for (let turn = 0; turn < 6; turn++) {
    const node = nodes[turn % 3] ?? reference;
    const window: Unsettled = { kind: turn % 3 === 2 ? 'reorg' : 'fork', from: performance.now(), until: Infinity };
    const lags = turn % 3 !== 2 && turn % 2 === 0;
    if (!lags) unsettled.push(window);
    if (lags) await chain.lag(node, 1 + (turn % 5));
    else if (window.kind === 'reorg') await chain.reorg(1 + (turn % 2));
    else await chain.fork([node], 1 + (turn % 2));
    await states.learn(reference);
    await states.learn(node);
    if (window.kind === 'reorg') await untilSettled(window);
    for (let i = 0; i < 3; i++) {
      await change();
      if (!lags) await states.learn(node);
      await sleep(120);
    }
    await chain.release(node);
    if (window.kind === 'fork') await untilSettled(window);
  }
  return unsettled;
}

/** Until the proxy has seen where every node is now. */
async function untilSettled(window: Unsettled): Promise<void> {
  const probes = await Promise.all(nodes.map(({ name }) => probesOf(name)));
  await proxy.until(({ chains }) => chains[0]?.head?.hash === chain.block().hash);
  for (const [index, { name }] of nodes.entries()) {
    for (let polls = 0; (await probesOf(name)) < (probes[index] ?? 0) + 2; polls++) {
      if (polls > 500) throw new Error(`${name} is not probed`);
      await sleep(20);
    }
  }
  window.until = performance.now();
}

function probesOf(node: string): Promise<number> {
  return proxy.metric('rpc_balancer_node_probes_total', { node });
}

/** One client: a batch, and another, until it is told to stop. */
async function readUntil(signal: AbortSignal): Promise<Read[]> {
  const reads: Read[] = [];
  const calls = [
    { method: 'eth_getBlockByNumber', params: ['latest', false] },
    { method: 'eth_blockNumber', params: [] },
    ...queries().map(({ method, params }) => ({ method, params: params('latest') })),
  ];
  while (!signal.aborted) {
    const from = performance.now();
    const [block, head, ...answers] = await askAll(proxy.url, calls);
    const until = performance.now();
    reads.push({
      from,
      until,
      hash: (block?.result as { hash: string } | null)?.hash ?? '',
      head: Number(head?.result),
      answers: answers.map(({ result, error }) => JSON.stringify(error ?? result)),
    });
    await sleep(5 * Math.random());
  }
  return reads;
}

it('who saw a receipt reads no older state, whichever node is behind', async () => {
  await startProxy();
  const stop = new AbortController();
  const clients = [1, 2, 3, 4].map((account) => spendUntil(account, stop.signal));
  for (let turn = 0; turn < 7; turn++) {
    const node = nodes[turn % 3] ?? reference;
    await chain.lag(node, 1 + (turn % 3));
    for (let i = 0; i < 4; i++) {
      await sleep(60);
      await chain.mine();
    }
    await chain.release(node);
  }
  stop.abort();
  // What is still waited for needs a block.
  const last = setInterval(() => void chain.mine(), 200);
  const seen = await Promise.all(clients).finally(() => clearInterval(last));
  expect(seen.flatMap(({ wrong }) => wrong)).toEqual([]);
  expect(seen.reduce((sum, { receipts }) => sum + receipts, 0)).toBeGreaterThan(20);
}, 60_000);

describe('an answer that names a block above the head raises it first:', () => {
  let node: ScriptedNode;

  beforeEach(async () => {
    node = await ScriptedNode.start({ name: 'a' });
    // No probe comes in between.
    const health = { intervalMs: 60_000, probeTimeoutMs: 1000 };
    proxy = await ProxyProcess.start({
      chains: { test: { chainId: 1337, health, nodes: [{ name: node.name, url: node.url }] } },
    });
    expect(await proxy.call('eth_blockNumber')).toBe('0x64');
  });

  afterEach(() => node.close());

  it.each([
    ['eth_getBlockByHash', 'block', [false]],
    ['eth_getHeaderByHash', 'block', []],
    ['eth_getTransactionByBlockHashAndIndex', 'item', ['0x0']],
    ['eth_getBlockReceipts', 'items', []],
    ['eth_getLogs', 'items', []],
    ['eth_getLogs', 'megabytes', []],
    ['eth_getTransactionByHash', 'item', []],
    ['eth_getTransactionReceipt', 'item', []],
  ])('%s with %s', async (method, shape, more) => {
    node.mine();
    const hash = node.chain.hash(101);
    const item = { blockNumber: '0x65', blockHash: hash };
    const answers = {
      block: { number: '0x65', hash, parentHash: node.chain.hash(100) },
      item,
      items: [item],
      megabytes: [{ ...item, data: 'a'.repeat(1_200_000) }],
    };
    const answer = answers[shape as keyof typeof answers];
    node.on(method, result(answer));
    const first = method === 'eth_getLogs' ? { blockHash: hash } : hash;
    expect(await resultOf(proxy.url, method, [first, ...more])).toEqual(answer);
    expect(await proxy.call('eth_blockNumber')).toBe('0x65');
  });
});

// No logs are no sign of the branch they are missing on: an indexer that was told so would never ask again.
it('what names no block is not taken from a node that changed its branch since its last probe', async () => {
  const start = (name: string): Promise<ScriptedNode> => ScriptedNode.start({ name, now: () => 1.8e12 });
  const [a, b] = [await start('a'), await start('b')];
  const log = { blockNumber: '0x64', blockHash: a.chain.hash(100), data: '0x01' };
  a.on('eth_getLogs', result([log]));
  b.on('eth_getLogs', result([]));
  a.on('eth_feeHistory', result({ oldestBlock: '0x64', gasUsedRatio: [0.5] }));
  b.on('eth_feeHistory', result({ oldestBlock: '0x64', gasUsedRatio: [0.9] }));
  a.on('eth_getBlockTransactionCountByNumber', result('0x1'));
  b.on('eth_getBlockTransactionCountByNumber', result('0x2'));
  const members = [a, b].map(({ name, url }) => ({ name, url }));
  const health = { intervalMs: 60_000, probeTimeoutMs: 1000 };
  proxy = await ProxyProcess.start({
    chains: { test: { chainId: 1337, health, cache: { maxBytes: 0 }, nodes: members } },
  });
  await proxy.until(({ chains }) => chains.every((one) => one.nodes.every(({ health }) => health === 'up')));
  b.branchAt(99, 'fork');
  for (let turn = 0; turn < 20; turn++) {
    expect(await resultOf(proxy.url, 'eth_getLogs', [{ fromBlock: '0x0' }])).toEqual([log]);
    expect(await resultOf(proxy.url, 'eth_feeHistory', ['0x1', 'latest', []])).toMatchObject({ gasUsedRatio: [0.5] });
    expect(await resultOf(proxy.url, 'eth_getBlockTransactionCountByNumber', ['latest'])).toBe('0x1');
  }
  expect(b.callsOf('eth_getLogs').length).toBeGreaterThan(0);
  await Promise.all([a, b].map((node) => node.close()));
});

// Such an answer was given when no other node could, and was kept as if it had been confirmed.
it('what a node of another branch said is not kept; that it cannot be asked says nothing', async () => {
  const start = (name: string): Promise<ScriptedNode> => ScriptedNode.start({ name, now: () => 1.8e12 });
  const [a, b] = [await start('a'), await start('b')];
  const log = { blockNumber: '0x64', blockHash: a.chain.hash(100), data: '0x01' };
  a.on('eth_getLogs', inTurn(resetBeforeResponse(), resetBeforeResponse(), result([log])));
  b.on('eth_getLogs', result([]));
  const members = [a, b].map(({ name, url }) => ({ name, url }));
  const health = { intervalMs: 60_000, probeTimeoutMs: 1000, fall: 50 };
  proxy = await ProxyProcess.start({ chains: { test: { chainId: 1337, health, nodes: members } } });
  await proxy.until(({ chains }) => chains.every((one) => one.nodes.every(({ health: is }) => is === 'up')));
  b.branchAt(99, 'fork');
  const ask = (): Promise<unknown> => resultOf(proxy.url, 'eth_getLogs', [{ fromBlock: '0x0' }]);
  for (let turn = 0; turn < 4; turn++) await ask().catch(() => undefined);
  for (let turn = 0; turn < 5; turn++) expect(await ask()).toEqual([log]);

  // A question that hangs holds nobody up for longer than half a second, and nobody is passed over for it.
  for (const node of [a, b]) node.on('eth_getBlockByNumber', delay(5000));
  a.on('eth_getBlockTransactionCountByNumber', result('0x7'));
  b.on('eth_getBlockTransactionCountByNumber', result('0x7'));
  const startedAt = performance.now();
  expect(await resultOf(proxy.url, 'eth_getBlockTransactionCountByNumber', ['latest'])).toBe('0x7');
  expect(performance.now() - startedAt).toBeLessThan(1500);
  await Promise.all([a, b].map((node) => node.close()));
});

// A node on a fork has the transaction in a block that is not the chain's: who was shown that receipt found the state
// without it.
it('a receipt from a block of another branch is not shown', async () => {
  const start = (name: string): Promise<ScriptedNode> => ScriptedNode.start({ name, now: () => 1.8e12 });
  const [a, b, fork] = [await start('a'), await start('b'), await start('c')];
  const scripted = [a, b, fork];
  fork.branchAt(99, 'fork');
  const receiptIn = (node: ScriptedNode): void =>
    node.on(
      'eth_getTransactionReceipt',
      result({ blockNumber: '0x63', blockHash: node.chain.hash(99), status: '0x1' }),
    );
  receiptIn(fork);
  const members = scripted.map(({ name, url }) => ({ name, url }));
  proxy = await ProxyProcess.start({
    chains: { test: { chainId: 1337, health: { intervalMs: 100 }, nodes: members } },
  });
  await proxy.until(({ chains }) => chains.every((one) => one.nodes.every(({ health }) => health === 'up')));
  // 99 is known once blocks above it were seen.
  for (const node of scripted) node.mine();
  await proxy.until(({ chains }) => chains[0]?.head?.hash === a.chain.hash(101));
  const shown = async (): Promise<unknown[]> => {
    const asked = Array.from({ length: 30 }, (_, i) => `0x${i.toString(16).padStart(64, '0')}`);
    return Promise.all(asked.map((hash) => resultOf(proxy.url, 'eth_getTransactionReceipt', [hash])));
  };
  expect(new Set(await shown())).toEqual(new Set([null]));
  expect(fork.callsOf('eth_getTransactionReceipt').length).toBeGreaterThan(0);
  for (const node of scripted) receiptIn(node);
  for (const receipt of await shown()) expect(receipt).toMatchObject({ blockHash: a.chain.hash(99) });
  await Promise.all(scripted.map((node) => node.close()));
});

// A reorg hidden by many blocks at once leaves hashes of the old branch in what is remembered.
it('a receipt from below blocks that nobody showed is believed', async () => {
  const node = await ScriptedNode.start({ name: 'a' });
  const members = [{ name: node.name, url: node.url }];
  proxy = await ProxyProcess.start({
    chains: { test: { chainId: 1337, health: { intervalMs: 100 }, nodes: members } },
  });
  await proxy.until(({ chains }) => chains[0]?.head?.number === 100);
  node.branchAt(98, 'other');
  node.mine(10);
  await proxy.until(({ chains }) => chains[0]?.head?.number === 110);
  const receipt = { blockNumber: '0x63', blockHash: node.chain.hash(99), status: '0x1' };
  node.on('eth_getTransactionReceipt', result(receipt));
  expect(await resultOf(proxy.url, 'eth_getTransactionReceipt', [node.chain.hash(1)])).toEqual(receipt);
  await node.close();
});

interface Receipt {
  readonly blockNumber: string;
  readonly blockHash: string;
}

async function spendUntil(account: number, signal: AbortSignal): Promise<{ wrong: unknown[]; receipts: number }> {
  const from = wallets[account] ?? sender;
  const wrong: unknown[] = [];
  let nonce = 0;
  for (; !signal.aborted; nonce++) {
    const to = `0x${(account * 1000 + nonce + 0x10000).toString(16).padStart(40, '0')}`;
    const raw = await sign({ from, nonce, to, value: 7n });
    const hash = await resultOf(proxy.url, 'eth_sendRawTransaction', [raw]);
    let receipt: Receipt | null = null;
    for (let polls = 0; receipt === null; polls++) {
      if (polls > 2000) {
        // A node that is held back may lose what was sent to it; what the chain has, the proxy must show.
        const mined = await reference.rpc('eth_getTransactionReceipt', [hash]);
        if (mined === null) return { wrong, receipts: nonce };
        throw new Error(`the chain has a receipt for ${String(hash)} and the proxy shows none`);
      }
      await sleep(5);
      receipt = (await resultOf(proxy.url, 'eth_getTransactionReceipt', [hash])) as Receipt | null;
    }
    const [count, balance, head] = await Promise.all([
      resultOf(proxy.url, 'eth_getTransactionCount', [from.address, 'latest']),
      resultOf(proxy.url, 'eth_getBalance', [to]),
      resultOf(proxy.url, 'eth_blockNumber'),
    ]);
    const right = Number(count) === nonce + 1 && balance === '0x7' && Number(head) >= Number(receipt.blockNumber);
    // A block that a client's transaction slipped into is taken back by the conductor, and with it the receipt: that is a
    // reorg, after which any node shows an older state.
    const stayed = chain.block(Number(receipt.blockNumber)).hash === receipt.blockHash;
    if (!right && stayed) wrong.push({ nonce, count, balance, head, in: receipt.blockNumber });
  }
  return { wrong, receipts: nonce };
}
