import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { HDNodeWallet, Wallet } from 'ethers';
import { anvilBinary } from '../../bin/dev-chain/anvil-binary';
import { AnvilNode } from '../../bin/dev-chain/anvil-node';
import { ChainConductor } from './chain-conductor';

// The accounts of anvil's default mnemonic.
const MNEMONIC = 'test test test test test test test test test test test junk';
const wallets = Array.from({ length: 10 }, (_, index) =>
  HDNodeWallet.fromPhrase(MNEMONIC, '', `m/44'/60'/0'/0/${index}`),
);

let chain: ChainConductor;
let problems: unknown[];

beforeEach(async () => {
  problems = [];
  chain = await ChainConductor.start({ nodes: 3, onProblem: (_, problem) => problems.push(problem) });
});

afterEach(() => chain.close());

test('blocks with transactions given to different nodes are the same on all', async () => {
  const [a, b, c] = three();
  await chain.mine();
  const sent = [await send(a, 0, 0), await send(b, 1, 0), await send(c, 2, 0), await send(b, 0, 1)];
  const block = await chain.mine();
  expect(hashes(block).sort()).toEqual([...sent].sort());
  await expectSameChain();
});

test('eth_sendTransaction of an unlocked account lands on every node', async () => {
  const [a, b, c] = three();
  const [from, to] = wallets.map(({ address }) => address);
  const hash = await b.rpc('eth_sendTransaction', [{ from, to, value: '0x7' }]);
  await chain.mine();
  for (const node of [a, b, c]) {
    expect(await node.rpc('eth_getTransactionReceipt', [hash])).toMatchObject({ status: '0x1', blockNumber: '0x1' });
  }
});

test('a transaction given to one node is in the pools of the others before the next block', async () => {
  const [a, b] = three();
  const hash = await send(a, 0, 0);
  await until(async () => (await b.rpc('eth_getTransactionByHash', [hash])) !== null);
  expect(await b.rpc('eth_getTransactionCount', [wallets[0]?.address, 'pending'])).toBe('0x1');
  expect(chain.height).toBe(0);
});

test('a transaction waits at a node that has not the one before it', async () => {
  const [a, b] = three();
  const second = await send(a, 0, 1);
  expect(hashes(await chain.mine())).toEqual([]);
  const first = await send(b, 0, 0);
  expect(hashes(await chain.mine())).toEqual([first, second]);
  await expectSameChain();
});

test('a node lags by as many blocks as it is told and catches up', async () => {
  const [a, , c] = three();
  await chain.mine(2);
  await send(a, 0, 0);
  await chain.lag(c, 3);
  expect(await heights()).toEqual([5, 5, 2]);
  await chain.mine(2);
  expect(await heights()).toEqual([7, 7, 4]);
  expect((await chain.head(c)).hash).toBe(chain.block(4).hash);
  await chain.lag(c, 1);
  expect(await heights()).toEqual([7, 7, 6]);
  await chain.release(c);
  await expectSameChain();
});

test('a frozen head answers and does not move', async () => {
  const [, b] = three();
  await chain.mine(2);
  await chain.freezeHead(b);
  const sent = await send(b, 0, 0);
  expect(hashes(await chain.mine(2))).toEqual([]);
  expect(hashes(chain.block(3))).toEqual([sent]);
  expect(await heights()).toEqual([4, 2, 4]);
  await chain.release(b);
  await expectSameChain();
});

test('a stopped process holds up nobody and catches up', async () => {
  const [a, b, c] = three();
  await chain.mine();
  a.freeze();
  await send(b, 0, 0);
  await chain.mine(3);
  expect((await chain.head(c)).number).toBe(4);
  a.thaw();
  expect((await chain.head(a)).number).toBe(1);
  await chain.settle();
  await expectSameChain();
});

test('a process stopped by somebody else is passed by after one time-out', async () => {
  await chain.close();
  chain = await ChainConductor.start({ nodes: 2, rpcTimeoutMs: 300, onProblem: (_, it) => problems.push(it) });
  const [a, b] = chain.nodes as [AnvilNode, AnvilNode];
  await chain.mine();
  process.kill(a.pid, 'SIGSTOP');
  await chain.mine(2);
  expect((await chain.head(b)).number).toBe(3);
  expect(problems).toContainEqual(expect.objectContaining({ code: 'TIMEOUT' }));
  process.kill(a.pid, 'SIGCONT');
  // What it was asked while it was stopped is done first, whatever that makes of it.
  await until(async () => {
    await chain.settle();
    return (await chain.head(a)).hash === chain.block().hash;
  });
});

test('a killed node starts again empty and is given every block', async () => {
  const [a, b, c] = three();
  await send(a, 0, 0);
  await send(b, 1, 0);
  await chain.mine(3);
  await b.kill();
  expect(b.state).toBe('dead');
  await send(c, 0, 1);
  await chain.mine(2);
  expect((await chain.head(a)).number).toBe(5);
  await b.restart();
  expect((await chain.head(b)).number).toBe(0);
  await chain.settle();
  await expectSameChain();
});

test('all nodes started again empty get the chain back and go on', async () => {
  await send(three()[0], 0, 0);
  await chain.mine(3);
  await Promise.all(chain.nodes.map((node) => node.restart()));
  await chain.mine();
  expect(await heights()).toEqual([4, 4, 4]);
  await expectSameChain();
});

test('a fork has the same heights and other hashes, and ends with release', async () => {
  const [a, b, c] = three();
  await chain.mine(5);
  const common = chain.block(3).hash;
  await chain.fork([c], 2);
  expect(await heights()).toEqual([5, 5, 5]);
  expect(await hashAt(c, 3)).toBe(common);
  expect(await hashAt(c, 4)).not.toBe(await hashAt(a, 4));
  const sent = await send(c, 0, 0);
  await chain.mine(2);
  expect(await heights()).toEqual([7, 7, 7]);
  expect(await hashAt(c, 7)).not.toBe(await hashAt(b, 7));
  expect(await blockOf(a, sent)).toBe(6);
  expect(await blockOf(c, sent)).toBe(6);
  await chain.release(c);
  await expectSameChain();
});

test('a reorg replaces blocks on all nodes and ends one higher; its transactions are mined again', async () => {
  const [a, b] = three();
  await chain.mine(2);
  const sent = [await send(a, 0, 0)];
  await chain.mine();
  sent.push(await send(b, 0, 1));
  await chain.mine();
  const replaced = await chain.reorg(2);
  expect(replaced.map(({ number }) => number)).toEqual([3, 4]);
  expect(await heights()).toEqual([5, 5, 5]);
  for (const { number, hash } of replaced) expect(await hashAt(b, number)).not.toBe(hash);
  expect([3, 4, 5].flatMap((number) => hashes(chain.block(number)))).toEqual(sent);
  await expectSameChain();
  await chain.reorg(3);
  await chain.mine();
  await expectSameChain();
});

test('a node with another chain id has a chain of its own until release', async () => {
  const [a, b, c] = three();
  await chain.setChainId(b, 5);
  const sent = await send(a, 0, 0);
  await chain.mine(2);
  expect(await b.rpc('eth_chainId')).toBe('0x5');
  expect(await c.rpc('eth_chainId')).toBe('0x7a69');
  expect(await heights()).toEqual([3, 3, 3]);
  expect(await b.rpc('eth_getTransactionReceipt', [sent])).toBeNull();
  await chain.release(b);
  expect(await b.rpc('eth_chainId')).toBe('0x7a69');
  expect(await blockOf(b, sent)).toBe(2);
  await expectSameChain();
});

test('a transaction only one node can have is dropped and does not stop the chain', async () => {
  const [a] = three();
  const stranger = `0x${'0'.repeat(38)}aa`;
  await a.rpc('eth_sendTransaction', [{ from: wallets[1]?.address, to: stranger, value: '0xde0b6b3a7640000' }]);
  await chain.mine();
  await a.rpc('anvil_impersonateAccount', [stranger]);
  const fake = await a.rpc('eth_sendTransaction', [{ from: stranger, to: stranger }]);
  const sent = await send(a, 0, 0);
  expect(hashes(await chain.mine())).toEqual([sent]);
  await expectSameChain();
  expect(await a.rpc('eth_getTransactionByHash', [fake])).toBeNull();
});

test('of two transactions with one nonce one is mined and the other forgotten', async () => {
  const [a, b, c] = three();
  a.freeze();
  const late = signed(0, 0, '0x99');
  const winner = await send(b, 0, 0);
  await chain.mine();
  a.thaw();
  await a.rpc('eth_sendRawTransaction', [await late]);
  await chain.mine(2);
  await expectSameChain();
  expect(await blockOf(c, winner)).toBe(1);
  expect(problems).toEqual([expect.objectContaining({ code: 'RPC_ERROR' })]);
});

test('transactions racing with production are all mined, once, the same everywhere', async () => {
  chain.startProduction(20);
  const perAccount = 10;
  const senders = wallets.slice(0, 5).map(async (_, account) => {
    const sent: string[] = [];
    for (let nonce = 0; nonce < perAccount; nonce++) {
      const node = three()[(account + nonce) % 3] ?? three()[0];
      sent.push(await send(node, account, nonce));
      const { height } = chain;
      if (nonce % 3 === 2) await until(() => Promise.resolve(chain.height > height));
    }
    return sent;
  });
  const sent = (await Promise.all(senders)).flat();
  await chain.stopProduction();
  await chain.mine(2);
  const mined = blocks().flatMap(hashes);
  expect(mined.sort()).toEqual(sent.sort());
  expect(chain.height).toBeGreaterThan(3);
  await expectSameChain();
});

test('sub-second blocks share timestamps and stay with the clock', async () => {
  await chain.close();
  let now = 1_700_000_000_000;
  chain = await ChainConductor.start({ nodes: 2, blockTimeMs: 250, now: () => now });
  for (let block = 0; block < 8; block++, now += 250) await chain.mine();
  const times = blocks().map(({ timestamp }) => timestamp - 1_700_000_000);
  expect(times).toEqual([-1, 0, 0, 0, 0, 1, 1, 1, 1]);
  await expectSameChain();
});

test('closed chains leave no process behind', async () => {
  const pids = chain.nodes.map(({ pid }) => pid);
  three()[0].freeze();
  await three()[1].kill();
  await chain.close();
  expect(pids.filter(isAlive)).toEqual([]);
});

test('a node does not outlive the process that started it, even if that is killed', async () => {
  const script = join(__dirname, 'chain-orphan.ts');
  const parent = spawn(process.execPath, ['--import', 'tsx', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = Number(line.toString());
  expect(isAlive(pid)).toBe(true);
  parent.kill('SIGKILL');
  await until(() => Promise.resolve(!isAlive(pid)));
});

test('a machine anvil is not published for is told so', () => {
  expect(() => anvilBinary('sunos', 'x64')).toThrow('anvil is not published for sunos-x64');
  expect(anvilBinary()).toMatch(/anvil(\.exe)?$/);
});

test('a port that is taken is a clear error', async () => {
  const { port } = three()[0];
  const second = AnvilNode.start({ chainId: 1, timestamp: 1_700_000_000, port });
  await expect(second).rejects.toThrow(/in use/i);
  await expect(second).rejects.toMatchObject({ code: 'START_FAILED' });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function three(): [AnvilNode, AnvilNode, AnvilNode] {
  return chain.nodes as [AnvilNode, AnvilNode, AnvilNode];
}

function signed(account: number, nonce: number, value = '0x1'): Promise<string> {
  const wallet = wallets[account] ?? Wallet.createRandom();
  const fees = { maxFeePerGas: 10n ** 10n, maxPriorityFeePerGas: 1n };
  return wallet.signTransaction({
    to: wallet.address,
    value,
    nonce,
    chainId: 31337,
    gasLimit: 21_000,
    type: 2,
    ...fees,
  });
}

async function send(node: AnvilNode, account: number, nonce: number): Promise<string> {
  return (await node.rpc('eth_sendRawTransaction', [await signed(account, nonce)])) as string;
}

function blocks() {
  return Array.from({ length: chain.height + 1 }, (_, number) => chain.block(number));
}

function hashes(block: { readonly transactions: readonly { readonly hash: string }[] }): string[] {
  return block.transactions.map(({ hash }) => hash);
}

async function hashAt(node: AnvilNode, number: number): Promise<string> {
  const block = await node.rpc('eth_getBlockByNumber', [`0x${number.toString(16)}`, false]);
  return (block as { hash: string }).hash;
}

async function blockOf(node: AnvilNode, transaction: string): Promise<number> {
  const receipt = await node.rpc('eth_getTransactionReceipt', [transaction]);
  return Number((receipt as { blockNumber: string }).blockNumber);
}

async function heights(): Promise<number[]> {
  return (await Promise.all(chain.nodes.map((node) => chain.head(node)))).map(({ number }) => number);
}

/** Every block of every node, as the node says, is the chain's. */
async function expectSameChain(): Promise<void> {
  const canonical = blocks().map(({ hash }) => hash);
  for (const node of chain.nodes) {
    expect((await chain.head(node)).number).toBe(chain.height);
    const own = await Promise.all(canonical.map((_, number) => hashAt(node, number)));
    expect(own).toEqual(canonical);
  }
}

/** Polls a state that has to come; how fast is not judged. */
async function until(reached: () => Promise<boolean>): Promise<void> {
  while (!(await reached())) await new Promise((resolve) => setTimeout(resolve, 5));
}
