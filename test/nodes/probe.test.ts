import { parseBlock, probe, type ProbeTask } from '../../runtime/nodes/probe';
import { probeTimeoutMs, tickMs } from '../../runtime/nodes/probe-pace';

const HASH = `0x${'Ab'.repeat(32)}`;
const BLOCK = { number: '0x64', hash: HASH, parentHash: HASH, timestamp: '0x6553f100' };

/** A node with these answers; an Error is one it rejects with. */
function task(answers: Record<string, unknown>, whole = true): ProbeTask & { asked: string[] } {
  let at = 0;
  const asked: string[] = [];
  return {
    asked,
    ask: async (method) => {
      asked.push(method);
      const answer = answers[method];
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
    whole,
    expect: () => 1,
    now: () => (at += 5),
  };
}

const missing = Object.assign(new Error('the method does not exist'), { code: -32601 });
const refused = Object.assign(new Error('refused'), { code: 'CONNECT_FAILED' });
const good = { eth_chainId: '0x1', eth_syncing: false, eth_getBlockByNumber: BLOCK };

test('reads what every node has of a block, hashes in lower case', async () => {
  const block = { number: 100, hash: HASH.toLowerCase(), parentHash: HASH.toLowerCase(), timestamp: 1_700_000_000 };
  await expect(probe(task(good))).resolves.toEqual({
    kind: 'block',
    block,
    latencyMs: 5,
    syncing: false,
    finalized: 100,
  });
});

test('is a single request most of the time', async () => {
  const one = task(good, false);
  await expect(probe(one)).resolves.toMatchObject({ kind: 'block', syncing: undefined });
  expect(one.asked).toEqual(['eth_getBlockByNumber']);
});

test.each<[string, Record<string, unknown>, object]>([
  ['a wrong chain', { eth_chainId: '0x5' }, { kind: 'wrong-chain', expected: 1, actual: 5 }],
  ['syncing', { eth_syncing: { currentBlock: '0x1' } }, { kind: 'block', syncing: true }],
  ['no eth_syncing', { eth_syncing: missing }, { kind: 'block', syncing: undefined }],
  ['nonsense for eth_syncing', { eth_syncing: 'yes' }, { kind: 'block', syncing: undefined }],
  ['no eth_chainId', { eth_chainId: missing }, { kind: 'failure', code: '-32601' }],
  ['a chain id that is a number', { eth_chainId: 1 }, { kind: 'failure', code: 'BAD_ANSWER' }],
  ['refused', { eth_getBlockByNumber: refused }, { kind: 'failure', code: 'CONNECT_FAILED' }],
  ['no block', { eth_getBlockByNumber: null }, { kind: 'failure', code: 'BAD_ANSWER' }],
  ['an error without a code', { eth_getBlockByNumber: new Error('?') }, { kind: 'failure', code: 'UNKNOWN' }],
])('a node with %s', async (_, answers, result) => {
  await expect(probe(task({ ...good, ...answers }))).resolves.toMatchObject(result);
});

test.each([
  ['an array', []],
  ['a string', '0x64'],
  ['a number instead of a quantity', { ...BLOCK, number: 100 }],
  ['a quantity without prefix', { ...BLOCK, number: '64' }],
  ['a quantity beyond exact numbers', { ...BLOCK, number: '0xffffffffffffffff' }],
  ['a short hash', { ...BLOCK, hash: '0x12' }],
  ['no parent', { ...BLOCK, parentHash: undefined }],
  ['the timestamp of another standard', { ...BLOCK, timestamp: '2024-01-01T00:00:00Z' }],
])('%s is no block', (_, answer) => {
  expect(() => parseBlock(answer)).toThrow(/^(the block's (number|hash|parentHash|timestamp) is no|eth_getBlock)/);
});

test('a tick is a quarter of the block time within bounds, a probe may take four', () => {
  expect([12_000, 2000, 250].map((blockTime) => tickMs(blockTime))).toEqual([1000, 500, 250]);
  expect(tickMs(12_000, 5000)).toBe(5000);
  expect([250, 400, 1000, 5000].map((tick) => probeTimeoutMs(tick))).toEqual([1000, 1600, 2000, 2000]);
  expect(probeTimeoutMs(250, 70)).toBe(70);
});
