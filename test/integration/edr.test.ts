import { AnvilNode } from '../../bin/dev-chain/anvil-node';
import { EdrPair } from '../support/edr-pair';
import { LogEmitter } from '../support/log-emitter';
import { ask, closeConnections, postText, resultOf } from '../support/oracle-client';
import { sign, wallets } from '../support/oracle-counter';
import { ProxyProcess } from '../support/proxy-process';

const READS = 20;
const PAID = '0x00000000000000000000000000000000000000aa';

/**
 * A second kind of real node, with other words for errors and other habits with envelopes than anvil's.
 *
 * A defect found here, and repaired: of logs by a block's hash, a node without the block says `blockHash cannot be found`
 * under −32602, which was taken for the caller's fault and told to the caller, although another node has them.
 */
describe('in front of nodes of EDR', () => {
  let pair: EdrPair;
  let emitter: LogEmitter;
  /** Of both; of one that is not asked for its head; of b and an anvil with the same chain id. */
  let proxies: readonly [proxy: ProxyProcess, fed: ProxyProcess, mixed: ProxyProcess];
  let anvil: AnvilNode;
  let tip: string;

  const hashIn = async (url: string, block: string): Promise<string> =>
    ((await resultOf(url, 'eth_getBlockByNumber', [block, false])) as { hash: string }).hash;
  const pay = async (nonce: number): Promise<unknown> =>
    pair.rpc('eth_sendRawTransaction', [await sign({ from: wallets[1] as never, nonce, to: PAID, value: 1n })]);
  /** What is answered to so many of the same. */
  const answersTo = async (method: string, params: readonly unknown[], { url } = proxies[0]): Promise<unknown[]> => {
    const answers: unknown[] = [];
    for (let read = 0; read < READS; read++) answers.push(await ask(url, method, params));
    return answers;
  };

  const startProxy = async (intervalMs: number, nodes: unknown[]): Promise<ProxyProcess> => {
    const proxy = await ProxyProcess.start({ chains: { dev: { chainId: 31337, health: { intervalMs }, nodes } } });
    await proxy.until(({ chains }) => chains[0]?.nodes.every((node) => node.health === 'up') === true);
    return proxy;
  };

  beforeAll(async () => {
    pair = await EdrPair.start();
    emitter = await LogEmitter.deploy(pair, pair);
    anvil = await AnvilNode.start({ chainId: 31337, timestamp: 1_700_000_000 });
    const [a, b] = [pair.a, pair.b].map(({ name, url, wsUrl }) => ({ name, url, wsUrl }));
    proxies = await Promise.all([
      startProxy(100, [a, b]),
      startProxy(60_000, [a]),
      startProxy(100, [b, { name: 'anvil', url: anvil.url }]),
    ]);
  }, 40_000);

  afterAll(async () => {
    await Promise.all(proxies.map((proxy) => proxy.stop()));
    closeConnections();
    await Promise.all([pair.stop(), anvil.close()]);
  }, 20_000);

  it('errors pass as the node words them', async () => {
    const [proxy] = proxies;
    const from = wallets[0]?.address;
    for (const [method, params, code] of [
      ['eth_foo', [], -32004],
      ['eth_sendRawTransaction', ['0x00'], -32602],
      ['eth_call', [{ from, data: '0x60006000fd' }, 'latest'], -32000],
      ['eth_getBalance', [from, '0x999'], -32000],
      ['eth_getLogs', [{ blockHash: `0x${'1'.repeat(64)}` }], -32602],
    ] as const) {
      const direct = await ask(pair.b.url, method, params);
      expect(direct.error).toMatchObject({ code });
      expect(await ask(proxy.url, method, params)).toEqual(direct);
    }
  });

  it('the protocol is ours: what is no request gets our errors, and a notification no answer', async () => {
    const [proxy] = proxies;
    const notification = '{"jsonrpc":"2.0","method":"eth_blockNumber"}';
    expect(JSON.parse(await postText(pair.a.url, '[]'))).toEqual([]);
    expect(JSON.parse(await postText(proxy.url, '[]'))).toMatchObject({ id: null, error: { code: -32600 } });
    expect(JSON.parse(await postText(pair.a.url, notification))).toMatchObject({ id: null, result: '0x1' });
    expect(await postText(proxy.url, notification)).toBe('');
    for (const url of [pair.a.url, proxy.url]) {
      expect(JSON.parse(await postText(url, '{'))).toMatchObject({ id: null, error: { code: -32700 } });
    }
  });

  it('the head moves by what they notify of', async () => {
    await emitter.emit(2);
    tip = await pair.mine();
    await proxies[1].until(({ chains }) => chains[0]?.head?.hash === tip);
  });

  it('what only one of them has yet is told by that one, by tag, number and hash', async () => {
    await pay(0);
    await emitter.emit(3);
    await pair.mineAt(pair.a);
    tip = await hashIn(pair.a.url, 'latest');
    await proxies[0].until(({ chains }) => chains[0]?.head?.hash === tip);
    const number = `0x${pair.height.toString(16)}`;
    for (const [method, params] of [
      ['eth_getBalance', [PAID, 'latest']],
      ['eth_getBalance', [PAID, number]],
      ['eth_getBalance', [PAID, { blockHash: tip }]],
      ['eth_getBlockByHash', [tip, false]],
      ['eth_getBlockByNumber', [number, false]],
      ['eth_getLogs', [{ fromBlock: number, toBlock: number }]],
      ['eth_getLogs', [{ blockHash: tip }]],
    ] as const) {
      const direct = await ask(pair.a.url, method, params);
      expect(direct).not.toMatchObject({ result: '0x0' });
      for (const answer of await answersTo(method, params)) expect(answer).toEqual(direct);
    }
    await pair.catchUp(pair.b);
  });

  // Nothing tells the two chains apart but their blocks; so it is as with a fork.
  it('beside a node of another chain with the same id, what is told of the head is of one chain', async () => {
    await anvil.rpc('anvil_mine', [`0x${pair.height.toString(16)}`]);
    const [, , mixed] = proxies;
    const { url } = mixed;
    await mixed.until(({ chains }) => chains[0]?.nodes.every(({ head }) => head === pair.height) === true);
    const head = await hashIn(url, 'latest');
    const [own, other] =
      head === (await hashIn(anvil.url, 'latest')) ? [anvil.url, pair.b.url] : [pair.b.url, anvil.url];
    expect(head).toBe(await hashIn(own, 'latest'));
    const read = [PAID, 'latest'];
    expect(await resultOf(own, 'eth_getBalance', read)).not.toBe(await resultOf(other, 'eth_getBalance', read));
    for (const [method, params] of [
      ['eth_getBlockByNumber', ['latest', false]],
      ['eth_getBalance', read],
      ['eth_getBalance', [PAID, { blockHash: head }]],
      ['eth_getTransactionCount', [wallets[1]?.address, 'latest']],
      ['eth_getLogs', [{ fromBlock: '0x1', toBlock: 'latest' }]],
    ] as const) {
      const direct = await ask(own, method, params);
      for (const answer of await answersTo(method, params, mixed)) expect(answer).toEqual(direct);
    }
  });
});
