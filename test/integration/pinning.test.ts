import { setTimeout as sleep } from 'node:timers/promises';
import { closeConnections, resultOf } from '../support/oracle-client';
import { ProxyProcess } from '../support/proxy-process';
import { error, type LoggedRequest, ordinary, resultOf as answers, ScriptedNode } from '../support/scripted-node';

const ADDRESS = `0x${'0'.repeat(37)}abc`;

let nodes: ScriptedNode[] = [];
let proxy: ProxyProcess;

afterEach(async () => {
  closeConnections();
  const { code } = await proxy.stop();
  await Promise.all(nodes.map((node) => node.close()));
  nodes = [];
  expect(code).toBe(0);
});

async function startNode(name: string): Promise<ScriptedNode> {
  const node = await ScriptedNode.start({ name, now: () => 1_800_000_000_000 });
  nodes.push(node);
  return node;
}

async function startProxy(cache: object = {}): Promise<void> {
  const members = nodes.map(({ name, url }) => ({ name, url }));
  proxy = await ProxyProcess.start({
    chains: { test: { chainId: 1337, health: { intervalMs: 100 }, cache, nodes: members } },
  });
  await proxy.until(({ chains }) => chains.every((one) => one.nodes.every(({ health }) => health === 'up')));
}

/** The block argument of a read, wherever it stands. */
function blockOf({ method, params }: LoggedRequest): unknown {
  const list = params as unknown[];
  return list[method === 'eth_getStorageAt' || method === 'eth_getProof' ? 2 : 1];
}

function namesHash(request: LoggedRequest): boolean {
  const block = blockOf(request);
  return typeof block === 'object' && block !== null && 'blockHash' in block;
}

const STATE = ['eth_getBalance', 'eth_getCode', 'eth_getTransactionCount', 'eth_getStorageAt', 'eth_call'];

/** Reads that the tests make, those of the proxy's own test of {blockHash} left out. */
function reads(node: ScriptedNode): LoggedRequest[] {
  return node.requests.filter(
    ({ method, params }) => STATE.includes(method) && !JSON.stringify(params).includes(`"0x${'0'.repeat(40)}"`),
  );
}

function forms(node: ScriptedNode): { byHash: number; byNumber: number; other: number } {
  const all = reads(node);
  const byHash = all.filter(namesHash).length;
  const byNumber = all.filter((one) => /^0x[0-9a-f]+$/.test(String(blockOf(one)))).length;
  return { byHash, byNumber, other: all.length - byHash - byNumber };
}

async function readAll(from: number): Promise<void> {
  for (let i = 0; i < 10; i++) {
    const address = `0x${(from + i).toString(16).padStart(40, '0')}`;
    expect(await resultOf(proxy.url, 'eth_getBalance', [address, 'latest'])).toBe(`0x${(from + i).toString(16)}`);
    expect(await resultOf(proxy.url, 'eth_getCode', [address])).toBe(address);
    expect(await resultOf(proxy.url, 'eth_getTransactionCount', [address, null])).toBe(`0x${(from + i).toString(16)}`);
    expect(await resultOf(proxy.url, 'eth_getStorageAt', [address, '0x0', 'latest'])).toMatch(/^0x0{24}/);
    expect(await resultOf(proxy.url, 'eth_call', [{ to: address, data: address }, 'latest'])).toBe(address);
  }
}

/** As a node that does not know EIP-1898: geth before 1.9, many a provider. */
function refusesObjects(node: ScriptedNode): void {
  node.on((request) =>
    STATE.includes(request.method) && typeof blockOf(request) === 'object' && blockOf(request) !== null
      ? error(-32602, 'invalid argument 1: json: cannot unmarshal object into Go value of type string')
      : undefined,
  );
}

/** As a node that takes the object and reads latest. */
function ignoresObjects(node: ScriptedNode): void {
  node.on((request) => {
    if (!STATE.includes(request.method) || !namesHash(request)) return undefined;
    return request.method === 'eth_getBalance' ? answers(() => `0x${'0'.repeat(4)}`) : ordinary();
  });
}

/** The proxy has put the node to the test: with the head's hash, and where that worked with one that no block has. */
async function tested(node: ScriptedNode, times: number): Promise<void> {
  await until(() => node.requests.filter((one) => one.method === 'eth_getBalance' && namesHash(one)).length >= times);
  await sleep(100);
}

it('reads go by {blockHash} to nodes that know it, by number to those that refuse or ignore it', async () => {
  const [knows, refuses, ignores] = [await startNode('knows'), await startNode('refuses'), await startNode('ignores')];
  refusesObjects(refuses);
  ignoresObjects(ignores);
  await startProxy();
  await Promise.all([tested(knows, 2), tested(refuses, 1), tested(ignores, 2)]);
  for (let round = 0; round < 4; round++) {
    await readAll(0x1000 * (round + 1));
    for (const node of nodes) node.mine();
    await proxy.until(({ chains }) => chains[0]?.head?.number === knows.head);
  }
  expect(forms(knows)).toMatchObject({ byNumber: 0, other: 0 });
  expect(forms(refuses)).toMatchObject({ byHash: 0, other: 0 });
  expect(forms(ignores)).toMatchObject({ byHash: 0, other: 0 });
  const shares = [forms(knows).byHash, forms(refuses).byNumber, forms(ignores).byNumber];
  expect(Math.min(...shares)).toBeGreaterThan(20);
  expect(shares.reduce((sum, one) => sum + one)).toBe(4 * 50);
  // Every number and every hash named is the head's.
  for (const one of reads(knows)) {
    const { blockHash } = blockOf(one) as { blockHash: string };
    expect([100, 101, 102, 103].map((number) => knows.chain.hash(number))).toContain(blockHash);
  }
  for (const one of [...reads(refuses), ...reads(ignores)]) {
    expect(['0x64', '0x65', '0x66', '0x67']).toContain(blockOf(one));
  }
  // The test costs two questions, once, and one where the form is refused.
  const questions = nodes.map(
    (node) =>
      node.callsOf('eth_getBalance').length - reads(node).filter(({ method }) => method === 'eth_getBalance').length,
  );
  expect(questions).toEqual([2, 1, 2]);
}, 30_000);

it('what was read by number is kept only if the node still shows the block afterwards', async () => {
  const node = await startNode('a');
  refusesObjects(node);
  await startProxy();
  await tested(node, 1);
  const before = node.callsOf('eth_getBlockByNumber').length;
  expect(await resultOf(proxy.url, 'eth_getBalance', [ADDRESS])).toBe('0xabc');
  await until(() =>
    node
      .callsOf('eth_getBlockByNumber')
      .slice(before)
      .some(({ params }) => (params as unknown[])[0] === '0x64'),
  );
  await sleep(50);
  expect(await resultOf(proxy.url, 'eth_getBalance', [ADDRESS])).toBe('0xabc');
  expect(reads(node)).toHaveLength(1);

  // From here on block 100 is another one each time it is looked at, so nothing can be kept.
  let turn = 0;
  node.on(({ method, params }) =>
    method === 'eth_getBlockByNumber' && (params as unknown[])[0] === '0x64'
      ? answers(() => ({ ...node.chain.block(100), hash: `0x${(++turn).toString(16).padStart(64, 'f')}` }))
      : undefined,
  );
  const other = `0x${'0'.repeat(37)}abd`;
  for (let i = 1; i <= 4; i++) {
    expect(await resultOf(proxy.url, 'eth_getBalance', [other])).toBe('0xabd');
    await until(() => turn >= i);
    await sleep(20);
  }
  expect(reads(node).filter(({ params }) => JSON.stringify(params).includes(other))).toHaveLength(4);
  expect(await proxy.metric('rpc_balancer_cache_refused_total')).toBe(4);
});

it('an answer by {blockHash} is kept without another question', async () => {
  const node = await startNode('a');
  await startProxy();
  await tested(node, 2);
  for (let i = 0; i < 5; i++) expect(await resultOf(proxy.url, 'eth_getBalance', [ADDRESS])).toBe('0xabc');
  expect(reads(node)).toHaveLength(1);
  expect(node.callsOf('eth_getBlockByNumber').filter(({ params }) => (params as unknown[])[0] === '0x64')).toHaveLength(
    0,
  );
});

it('a node that comes back is put to the test again', async () => {
  const node = await startNode('a');
  await startProxy({ maxBytes: 0 });
  await tested(node, 2);
  await resultOf(proxy.url, 'eth_getBalance', [ADDRESS]);
  expect(forms(node)).toEqual({ byHash: 1, byNumber: 0, other: 0 });
  await node.refuse();
  await proxy.untilNode('a', ({ health }) => health === 'down');
  // Behind the same address something older answers now.
  refusesObjects(node);
  await node.accept();
  await proxy.untilNode('a', ({ health }) => health === 'up');
  await tested(node, 3);
  for (let i = 0; i < 5; i++) expect(await resultOf(proxy.url, 'eth_getBalance', [ADDRESS])).toBe('0xabc');
  expect(forms(node)).toEqual({ byHash: 1, byNumber: 5, other: 0 });
});

it('what a client pins itself, pending and overrides reach the node as they were sent', async () => {
  const node = await startNode('a');
  await startProxy({ maxBytes: 0 });
  await tested(node, 2);
  const call = { to: ADDRESS, data: '0x01' };
  const hash = node.chain.hash(97);
  const sent: unknown[][] = [
    [call, 'pending'],
    [call, { blockHash: hash, requireCanonical: true }],
    [call, 'finalized'],
    [call, { blockNumber: '0x61' }, { [ADDRESS]: { balance: '0x1' } }],
  ];
  for (const params of sent) await resultOf(proxy.url, 'eth_call', params);
  const arrived = node.callsOf('eth_call').map(({ params }) => params as unknown[]);
  expect(arrived.slice(0, 3)).toEqual(sent.slice(0, 3));
  expect(arrived[3]?.[0]).toEqual(call);
  expect(arrived[3]?.[2]).toEqual({ [ADDRESS]: { balance: '0x1' } });
  // Left out, and latest with overrides: only the block argument changes.
  await resultOf(proxy.url, 'eth_call', [call]);
  await resultOf(proxy.url, 'eth_call', [call, 'latest', { [ADDRESS]: { nonce: '0x2' } }]);
  const pinned = node
    .callsOf('eth_call')
    .slice(4)
    .map(({ params }) => params);
  const head = { blockHash: node.chain.hash(100) };
  expect(pinned).toEqual([
    [call, head],
    [call, head, { [ADDRESS]: { nonce: '0x2' } }],
  ]);
});

/** Polls a state that has to come. @throws Error when it does not within 4 s, so that a failing test ends. */
async function until(reached: () => boolean): Promise<void> {
  for (let polls = 0; !reached(); polls++) {
    if (polls > 400) throw new Error('it did not come to that');
    await sleep(10);
  }
}
