import { parseCriteria } from '../../runtime/filters/criteria';

const ADDRESS = `0x${'aB'.repeat(20)}`;
const TOPIC = `0x${'0c'.repeat(32)}`;
const parse = (params: unknown) => parseCriteria(Buffer.from(JSON.stringify(params)));

describe('the criteria of a log filter', () => {
  it.each([
    [{}, {}],
    [{ address: null, topics: null, fromBlock: null, toBlock: null, blockHash: null }, {}],
    [{ fromBlock: 'latest', toBlock: 'latest', unknown: 1 }, {}],
    [
      { fromBlock: 'earliest', toBlock: '0x10' },
      { from: 0, to: 16 },
    ],
    [{ address: ADDRESS }, { address: ADDRESS }],
    [{ address: [ADDRESS, ADDRESS] }, { address: [ADDRESS, ADDRESS] }],
    [{ topics: [] }, { topics: [] }],
    [{ topics: [TOPIC, null, [TOPIC, TOPIC], [TOPIC, null]] }, { topics: [TOPIC, null, [TOPIC, TOPIC], null] }],
  ])('%j are read', (filter, criteria) => {
    expect(parse([filter])).toEqual({ kind: 'criteria', criteria });
  });

  it.each([
    [{}, 'params must be a list of one object, got {}'],
    [[], 'params must be a list of one object, got []'],
    [[{}, {}], 'params must be a list of one object, got [{},{}]'],
    [['x'], 'params[0] must be an object, got "x"'],
    [[[]], 'params[0] must be an object, got []'],
    [[{ Address: ADDRESS }], 'params[0] must be an object with address spelled so, got "Address"'],
    [[{ address: '0x1' }], 'params[0].address must be an address of 20 bytes, got "0x1"'],
    [[{ address: [ADDRESS, 5] }], 'params[0].address[1] must be an address of 20 bytes, got 5'],
    [[{ topics: TOPIC }], `params[0].topics must be a list, got "${TOPIC}"`],
    [[{ topics: ['0x'] }], 'params[0].topics[0] must be a topic of 32 bytes, got "0x"'],
    [[{ topics: [null, [TOPIC, 'y\n']] }], 'params[0].topics[1][1] must be a topic of 32 bytes, got "y\\n"'],
    [[{ topics: [null, null, null, null, null] }], 'params[0].topics must be a list of at most 4 topics, got 5'],
    [[{ fromBlock: 'pending' }], 'params[0].fromBlock must be a block number, "earliest" or "latest", got "pending"'],
    [[{ toBlock: 'safe' }], 'params[0].toBlock must be a block number, "earliest" or "latest", got "safe"'],
    [[{ toBlock: 16 }], 'params[0].toBlock must be a block number, "earliest" or "latest", got 16'],
    [[{ fromBlock: '0x2', toBlock: '0x1' }], 'params[0].toBlock must be at least fromBlock, 2, got 1'],
    [[{ blockHash: '0xab' }], 'params[0].blockHash must be left out, as that block is there already, got "0xab"'],
  ])('%j are refused', (params, problem) => {
    expect(parse(params)).toEqual({ kind: 'wrong', problem });
  });

  it('are bounded as in geth', () => {
    const many = Array.from({ length: 1001 }, () => ADDRESS);
    expect(JSON.stringify(parse([{ address: many }]))).toContain('at most 1000 addresses, got 1001');
    const topics = [Array.from({ length: 1001 }, () => TOPIC)];
    expect(JSON.stringify(parse([{ topics }]))).toContain('at most 1000 choices, got 1001');
  });
});
