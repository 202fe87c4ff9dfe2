import { branchOf, namedBlock } from '../../runtime/rpc/named-block';

const hash = (digit: string): string => `0x${digit.repeat(64)}`;
const log = (number: string, digit: string): object => ({
  address: '0x1',
  blockHash: hash(digit),
  blockNumber: number,
});
const bytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

describe('namedBlock', () => {
  it.each([
    [
      'a receipt',
      { blockHash: hash('A'), blockNumber: '0x10', logs: [{ blockNumber: '0x99' }] },
      { number: 16, hash: hash('a') },
    ],
    ['a block', { number: '0x10', hash: hash('b') }, { number: 16, hash: hash('b') }],
    ['logs', [log('0xf', 'a'), log('0x10', 'a')], { number: 16, hash: undefined }],
    ['a pending transaction', { blockNumber: null, blockHash: null, hash: hash('c') }, undefined],
    ['no logs', [], undefined],
    ['a quantity', '0x10', undefined],
  ])('of %s', (_, value, expected) => {
    expect(namedBlock(bytes(value))).toEqual(expected);
  });
});

describe('branchOf', () => {
  const at = { number: 16, hash: hash('a') };
  const ours = new Map([[15, hash('5')]]);
  const judge = (method: string, value: unknown): string =>
    branchOf(method, bytes(value), at, (number) => ours.get(number));

  it.each([
    ['eth_getBlockByNumber', { number: '0x10', hash: hash('a') }, 'ours'],
    ['eth_getBlockByNumber', { number: '0x10', hash: hash('b') }, 'other'],
    ['eth_getLogs', [log('0xf', '5'), log('0x10', 'a')], 'untold'],
    ['eth_getLogs', [log('0xf', '6'), log('0x10', 'a')], 'other'],
    ['eth_getLogs', [log('0x3', 'e'), log('0x10', 'a')], 'untold'],
    ['eth_getLogs', [log('0x10', 'b')], 'other'],
    ['eth_getLogs', [], 'untold'],
    ['eth_getBlockReceipts', [{ ...log('0x10', 'b'), logs: [log('0x10', 'b')] }], 'other'],
    ['eth_getBlockReceipts', [{ ...log('0x10', 'a'), logs: [log('0x10', 'a')] }], 'ours'],
    ['eth_getBalance', '0x1', 'untold'],
  ])('%s answered with %j', (method, value, expected) => {
    expect(judge(method, value)).toBe(expected);
  });
});
