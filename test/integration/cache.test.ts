import { setTimeout as sleep } from 'node:timers/promises';
import type { AnvilNode } from '../../bin/dev-chain/anvil-node';
import { ChainConductor } from '../support/chain-conductor';
import { ask, closeConnections, type OracleAnswer, postText, resultOf } from '../support/oracle-client';
import { COUNTER_CODE, deployCounter, sign, wallets, word } from '../support/oracle-counter';
import { OracleSpelling } from '../support/oracle-spelling';
import { ProxyProcess } from '../support/proxy-process';
import { error, result, ScriptedNode } from '../support/scripted-node';

let proxy: ProxyProcess;

async function stopProxy(): Promise<void> {
  closeConnections();
  expect((await proxy.stop()).code).toBe(0);
}

function counted(what: string): Promise<number> {
  return proxy.metric('rpc_balancer_cache_requests_total', { result: what });
}

describe('random requests', () => {
  let chain: ChainConductor;
  let nodes: [AnvilNode, AnvilNode, AnvilNode];
  /** A node the proxy does not know; it always has the chain. */
  let reference: AnvilNode;
  let counter: string;
  let nonce = 0;
  const sent: string[] = [];
  const [sender, receiver] = wallets as [(typeof wallets)[number], (typeof wallets)[number]];
  const spelling = new OracleSpelling(20_261_121);
  const { pick } = spelling;

  beforeAll(async () => {
    chain = await ChainConductor.start({ nodes: 4 });
    const [a, b, c, d] = chain.nodes as [AnvilNode, AnvilNode, AnvilNode, AnvilNode];
    nodes = [a, b, c];
    reference = d;
    counter = await deployCounter(a);
    await chain.mine(6);
    const members = nodes.map(({ name, url }) => ({ name, url }));
    proxy = await ProxyProcess.start({
      chains: { dev: { chainId: 31337, health: { intervalMs: 100 }, nodes: members } },
    });
    await proxy.until(({ chains }) => chains.every((one) => one.nodes.every(({ health }) => health === 'up')));
  });

  afterAll(async () => {
    await stopProxy();
    await chain.close();
  });

  /** Two transactions and a block, which the proxy has seen at every node. */
  async function change(): Promise<void> {
    const toCounter = { from: sender, nonce: nonce++, to: counter, data: word(nonce) };
    const toReceiver = { from: sender, nonce: nonce++, to: receiver.address, value: BigInt(nonce) };
    for (const one of [toCounter, toReceiver]) {
      sent.push((await reference.rpc('eth_sendRawTransaction', [await sign(one)])) as string);
    }
    await chain.mine();
    await untilSeen();
  }

  async function untilSeen(): Promise<void> {
    const { hash, number } = chain.block();
    await proxy.until(
      ({ chains: [only] }) => only?.head?.hash === hash && only.nodes.every(({ head }) => head === number),
    );
  }

  it('are answered as a node answers them at the same block, asked once or twice, while the chain grows and reorganises', async () => {
    const wrong: unknown[] = [];
    let asked = 0;
    for (let round = 0; round < 12; round++) {
      if (round % 4 === 3) {
        await chain.reorg(1 + (round % 3));
        await untilSeen();
        // A node may show the new head and still have been asked before: one more round of probes.
        await sleep(250);
      } else await change();
      const requests = Array.from({ length: 60 }, request);
      // In each round the same request in two spellings, and in the next once more.
      const work = [...requests, ...requests, ...requests.slice(0, 10)].map(async ({ method, params }) => {
        const body = spelling.envelope(method, spelling.spell(params));
        const [told, right] = await Promise.all([
          postText(proxy.url, body),
          ask(reference.url, method, stated(method, params)),
        ]);
        asked++;
        const answer = JSON.parse(told) as OracleAnswer;
        if (same(answer) !== same(right)) wrong.push({ round, body, answer, right });
      });
      await Promise.all(work);
    }
    expect(wrong.slice(0, 3)).toEqual([]);
    expect(asked).toBeGreaterThan(1500);
    expect(await counted('hit')).toBeGreaterThan(200);
  }, 60_000);

  it('after a reorg nothing of the abandoned blocks is told under latest or a number', async () => {
    await change();
    await change();
    const { height } = chain;
    const tags = ['latest', ...[0, 1, 2].map((below) => `0x${(height - below).toString(16)}`)];
    const calls = tags.flatMap((tag) => [
      ['eth_getBlockByNumber', [tag, false]],
      ['eth_getBlockByNumber', [tag, true]],
      ['eth_getLogs', [{ address: counter, fromBlock: tag, toBlock: tag }]],
      ['eth_getBlockReceipts', [tag]],
      ['eth_getTransactionByBlockNumberAndIndex', [tag, '0x0']],
    ]) as [string, unknown[]][];
    const looks = [
      ...calls,
      ...sent.slice(-4).map((hash) => ['eth_getTransactionReceipt', [hash]] as [string, unknown[]]),
    ];
    for (let i = 0; i < 2; i++) for (const [method, params] of looks) await ask(proxy.url, method, params);
    const abandoned = (await chain.reorg(2)).map(({ hash }) => hash);
    await untilSeen();
    await sleep(250);
    for (let i = 0; i < 3; i++) {
      for (const [method, params] of looks) {
        const text = JSON.stringify(await ask(proxy.url, method, params));
        for (const hash of abandoned) expect(text).not.toContain(hash);
        expect({ method, params, text }).toEqual({
          method,
          params,
          text: JSON.stringify(await ask(reference.url, method, params)),
        });
      }
    }
  }, 30_000);

  /** Anvil wants the block where the specification lets it be left out. */
  function stated(method: string, params: unknown[]): unknown[] {
    return method === 'eth_getBalance' && params.length === 1 ? [...params, 'latest'] : params;
  }

  /**
   * Messages differ with the form of the block, codes do not. The last base fee is that of the block to come: what
   * anvil says of it depends on when it got its blocks.
   */
  function same({ result: value, error: failure }: OracleAnswer): string {
    if (failure !== undefined) return `error ${failure.code}`;
    if (typeof value !== 'object' || value === null || !('baseFeePerBlobGas' in value)) return JSON.stringify(value);
    const { baseFeePerGas, ...rest } = value as unknown as { baseFeePerGas: unknown[] };
    return JSON.stringify({ ...rest, baseFeePerGas: baseFeePerGas.slice(0, -1) });
  }

  function request(): { method: string; params: unknown[] } {
    const { height } = chain;
    const number = (): string => `0x${pick([0, 1, 1, 2, 3, height - 1]).toString(16)}`;
    const recent = (): string => `0x${(height - pick([0, 0, 1, 2])).toString(16)}`;
    const hash = chain.block(height - pick([0, 0, 1, 2])).hash;
    const block = (): unknown =>
      pick<() => unknown>([
        () => 'latest',
        () => 'latest',
        recent,
        number,
        () => ({ blockHash: hash }),
        () => ({ blockHash: hash, requireCanonical: true }),
        () => ({ blockNumber: recent() }),
        () => 'earliest',
      ])();
    const address = pick([counter, sender.address, receiver.address]);
    const revert = { data: '0x60006000fd' };
    const calls: unknown[] = [
      { to: counter },
      { to: counter, input: '0x' },
      { to: counter, data: '0x', from: sender.address },
      { to: counter, data: word(1), input: word(1) },
      { to: counter, input: word(2), value: '0x0', gas: '0x186a0' },
      { to: receiver.address, value: '0x1', from: sender.address, maxFeePerGas: '0x174876e800' },
      revert,
    ];
    const state = pick([
      { balance: '0x7' },
      { code: COUNTER_CODE, stateDiff: { [word(0)]: word(9) } },
      { state: { [word(0)]: word(5) } },
    ]);
    const at = recent();
    return pick<() => { method: string; params: unknown[] }>([
      () => ({ method: 'eth_call', params: [pick(calls), block()] }),
      () => ({ method: 'eth_call', params: [pick(calls), block()] }),
      () => ({ method: 'eth_call', params: [pick(calls)] }),
      () => ({ method: 'eth_call', params: [{ to: counter }, block(), { [counter]: state }] }),
      () => ({ method: 'eth_estimateGas', params: [{ to: counter, data: word(3) }, recent()] }),
      () => ({ method: 'eth_getBalance', params: [address, block()] }),
      () => ({ method: 'eth_getBalance', params: [address] }),
      () => ({ method: 'eth_getTransactionCount', params: [address, block()] }),
      () => ({ method: 'eth_getCode', params: [address, block()] }),
      () => ({ method: 'eth_getStorageAt', params: [counter, pick(['0x0', '0x1', word(0)]), block()] }),
      () => ({ method: 'eth_getLogs', params: [{ address: counter, fromBlock: number() }] }),
      () => ({
        method: 'eth_getLogs',
        params: [{ fromBlock: at, toBlock: at, topics: pick([[], [word(7)], [[word(7), word(8)]]]) }],
      }),
      () => ({ method: 'eth_getLogs', params: [{ blockHash: hash, address: [counter] }] }),
      () => ({ method: 'eth_getLogs', params: [{}] }),
      () => ({ method: 'eth_getBlockByNumber', params: [pick(['latest', recent(), number()]), pick([true, false])] }),
      () => ({ method: 'eth_getBlockByHash', params: [hash, pick([true, false])] }),
      () => ({ method: 'eth_getBlockReceipts', params: [pick(['latest', recent()])] }),
      () => ({ method: 'eth_getBlockTransactionCountByNumber', params: [recent()] }),
      () => ({ method: 'eth_getTransactionByBlockNumberAndIndex', params: [recent(), '0x0'] }),
      () => ({ method: 'eth_getTransactionReceipt', params: [pick(sent)] }),
      () => ({ method: 'eth_getTransactionByHash', params: [pick(sent)] }),
      () => ({ method: 'eth_feeHistory', params: ['0x2', pick(['latest', recent()]), pick([[], [25, 75]])] }),
      () => ({ method: 'eth_blockNumber', params: [] }),
      () => ({ method: 'eth_chainId', params: [] }),
    ])();
  }
});

describe('with a node that does as it is told', () => {
  let node: ScriptedNode;

  async function start(cache: object = {}): Promise<void> {
    node = await ScriptedNode.start({ name: 'a' });
    proxy = await ProxyProcess.start({
      chains: { test: { chainId: 1337, health: { intervalMs: 100 }, cache, nodes: [{ name: 'a', url: node.url }] } },
    });
    await proxy.untilNode('a', ({ health }) => health === 'up');
    await node.received('eth_getBalance', 2);
  }

  afterEach(async () => {
    await stopProxy();
    await node.close();
  });

  it('null and errors are not kept: a receipt appears, and an error goes away', async () => {
    await start();
    const hash = `0x${'ab'.repeat(32)}`;
    expect(await resultOf(proxy.url, 'eth_getTransactionReceipt', [hash])).toBeNull();
    const receipt = { transactionHash: hash, blockNumber: '0x10', blockHash: node.chain.hash(16), status: '0x1' };
    node.on('eth_getTransactionReceipt', result(receipt));
    // Block 16 is final (the node calls 36 so): from here on it is kept.
    for (let i = 0; i < 3; i++) expect(await resultOf(proxy.url, 'eth_getTransactionReceipt', [hash])).toEqual(receipt);
    expect(node.callsOf('eth_getTransactionReceipt')).toHaveLength(2);

    const unknown = `0x${'cd'.repeat(32)}`;
    expect(await resultOf(proxy.url, 'eth_getBlockByHash', [unknown, false])).toBeNull();
    node.on('eth_getBlockByHash', result({ hash: unknown, number: '0x64' }));
    expect(await resultOf(proxy.url, 'eth_getBlockByHash', [unknown, false])).toMatchObject({ hash: unknown });

    const call = [{ data: '0x77' }, 'latest'];
    node.once('eth_call', error(-32000, 'out of gas'));
    expect((await ask(proxy.url, 'eth_call', call)).error).toMatchObject({ message: 'out of gas' });
    expect(await resultOf(proxy.url, 'eth_call', call)).toBe('0x77');
    expect(node.callsOf('eth_call')).toHaveLength(2);
  });

  it('a revert at a known block is kept, with its data', async () => {
    await start();
    const call = [{ data: '0x78' }, 'latest'];
    node.on('eth_call', error(3, 'execution reverted: no', '0x08c379a0'));
    const first = await ask(proxy.url, 'eth_call', call);
    expect(first.error).toMatchObject({ code: 3, message: 'execution reverted: no', data: '0x08c379a0' });
    expect(await ask(proxy.url, 'eth_call', call)).toEqual(first);
    expect(node.callsOf('eth_call')).toHaveLength(1);
    node.mine();
    node.on('eth_call', result('0x1'));
    await proxy.until(({ chains }) => chains[0]?.head?.number === 101);
    expect(await resultOf(proxy.url, 'eth_call', call)).toBe('0x1');
  });

  it('a receipt that is not final is asked for each time', async () => {
    await start();
    const hash = `0x${'ab'.repeat(32)}`;
    const receipt = { transactionHash: hash, blockNumber: '0x64', blockHash: node.chain.hash(100), status: '0x1' };
    node.on('eth_getTransactionReceipt', result(receipt));
    for (let i = 0; i < 3; i++) expect(await resultOf(proxy.url, 'eth_getTransactionReceipt', [hash])).toEqual(receipt);
    expect(node.callsOf('eth_getTransactionReceipt')).toHaveLength(3);
  });

  it('methods in `except` and a cache of no bytes are never kept', async () => {
    await start({ except: ['eth_call', 'eth_getBlock*'] });
    for (let i = 0; i < 3; i++) {
      await resultOf(proxy.url, 'eth_call', [{ data: '0x79' }]);
      await resultOf(proxy.url, 'eth_getBlockByHash', [node.chain.hash(3), false]);
      await resultOf(proxy.url, 'eth_getBalance', [`0x${'7'.padStart(40, '0')}`]);
    }
    expect(node.callsOf('eth_call')).toHaveLength(3);
    expect(node.callsOf('eth_getBlockByHash')).toHaveLength(3);
    expect(node.callsOf('eth_getBalance')).toHaveLength(2 + 1);
    expect([await counted('uncached'), await counted('miss'), await counted('hit')]).toEqual([6, 1, 2]);
  });

  it('params that differ only in nesting, in a number or in a string are different requests', async () => {
    await start();
    const pairs: [unknown, unknown][] = [
      [[{ data: '0x01', accessList: [['a', 'b']] }], [{ data: '0x02', accessList: [['a'], ['b']] }]],
      [[{ data: '0x03', x: 1 }], [{ data: '0x04', x: '1' }]],
      [[{ data: '0x05', x: null }], [{ data: '0x06' }]],
      [
        [{ data: '0x07' }, 'latest', {}],
        [{ data: '0x08' }, 'latest'],
      ],
    ];
    for (const [one, other] of pairs) {
      const [data, otherData] = [one, other].map((params) => ((params as unknown[])[0] as { data: string }).data);
      expect(await resultOf(proxy.url, 'eth_call', one)).toBe(data);
      expect(await resultOf(proxy.url, 'eth_call', other)).toBe(otherData);
    }
    // The data told them apart; without it the rest has to.
    node.on('eth_call', result('0x'));
    const before = node.callsOf('eth_call').length;
    const alike = [
      [{ x: [['a', 'b']] }],
      [{ x: [['a'], ['b']] }],
      [{ x: 1 }],
      [{ x: '1' }],
      [{ x: null }],
      [{}],
      [{}, 'latest', {}],
      [{ x: '0x01' }],
      [{ x: '0x1' }],
    ];
    for (const params of alike) await resultOf(proxy.url, 'eth_call', params);
    expect(node.callsOf('eth_call').length - before).toBe(alike.length);
    for (const params of alike) await resultOf(proxy.url, 'eth_call', params);
    expect(node.callsOf('eth_call').length - before).toBe(alike.length);
  });
});
