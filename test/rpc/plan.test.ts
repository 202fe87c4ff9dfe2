import type { HeadView } from '../../runtime/rpc/head-view';
import { isInvalid, parseMessage, type RpcRequest } from '../../runtime/rpc/message';
import { createMethodPolicy, matcher } from '../../runtime/rpc/method-policy';
import { plan, type Plan } from '../../runtime/rpc/plan';

const HEAD = 0x100;
const view: HeadView = { number: HEAD, hash: `0x${'cd'.repeat(32)}`, hashAt: () => undefined, finalized: undefined };
const HASH = `0x${'ab'.repeat(32)}`;
const rules = { policy: createMethodPolicy([], []), isExtraRead: matcher(['trace_*']) };

function request(method: string, params: string): RpcRequest {
  const body = Buffer.from(`{"jsonrpc":"2.0","id":1,"method":${JSON.stringify(method)},"params":${params}}`);
  const message = parseMessage(body, { maxDepth: 64, maxBatchItems: 100 });
  if (message.kind !== 'single' || isInvalid(message.item)) throw new Error('not a request');
  return message.item;
}

function planned(method: string, params: string, head: HeadView | undefined = view): Plan {
  return plan(request(method, params), rules, head);
}

function routed(method: string, params: string): { params: string; need: unknown } {
  const made = planned(method, params);
  if (made.kind !== 'route') throw new Error(`expected a route, got ${made.kind}`);
  return { params: made.request.params.toString(), need: made.request.need };
}

describe('plan', () => {
  const head = { kind: 'head', number: HEAD };
  const none = { kind: 'none' };

  it.each([
    // [method, params sent by the caller, params sent to the node, need]
    ['eth_getBalance', '["0xa","latest"]', '["0xa","0x100"]', head],
    ['eth_getBalance', '[ "0xa" , "latest" ]', '[ "0xa" , "0x100" ]', head],
    ['eth_getBalance', '["0xa"]', '["0xa","0x100"]', head],
    ['eth_getBalance', '["0xa",null]', '["0xa","0x100"]', head],
    ['eth_getBalance', '["0xa","l\\u0061test"]', '["0xa","l\\u0061test"]', none],
    ['eth_getBalance', '[]', '[]', none],
    ['eth_getBalance', '["0xa","0x100"]', '["0xa","0x100"]', head],
    ['eth_getBalance', '["0xa","0x10"]', '["0xa","0x10"]', { kind: 'state', number: 16 }],
    ['eth_getBalance', '["0xa","pending"]', '["0xa","pending"]', none],
    ['eth_getBalance', '["0xa","finalized"]', '["0xa","finalized"]', none],
    ['eth_getBalance', `["0xa","${HASH}"]`, `["0xa","${HASH}"]`, none],
    ['eth_getBalance', `["0xa",{"blockHash":"${HASH}"}]`, `["0xa",{"blockHash":"${HASH}"}]`, none],
    [
      'eth_getBalance',
      '["0xa",{"blockNumber":"0x10"}]',
      '["0xa",{"blockNumber":"0x10"}]',
      { kind: 'state', number: 16 },
    ],
    ['eth_getBalance', '["0xa",{"blockNumber":"latest"}]', '["0xa","0x100"]', head],
    ['eth_getBalance', '["0xa",5]', '["0xa",5]', none],
    ['eth_getBalance', '{"address":"0xa"}', '{"address":"0xa"}', none],
    // Nodes in Go read these names, others do not: neither is pinned.
    ['eth_getBalance', '["0xa",{"BlockNumber":"latest"}]', '["0xa",{"BlockNumber":"latest"}]', none],
    ['eth_getLogs', '[{"ToBlock":"0x10"}]', '[{"ToBlock":"0x10"}]', none],
    ['eth_getLogs', '[{"toBlock":"latest","TOBLOCK":"0x10"}]', '[{"toBlock":"latest","TOBLOCK":"0x10"}]', none],
    ['eth_getStorageAt', '["0xa","0x0"]', '["0xa","0x0","0x100"]', head],
    ['eth_call', '[{"to":"0xa"}]', '[{"to":"0xa"},"0x100"]', head],
    [
      'eth_call',
      '[{"to":"latest"},"latest",{"0xa":{"balance":"latest"}}]',
      '[{"to":"latest"},"0x100",{"0xa":{"balance":"latest"}}]',
      head,
    ],
    ['eth_estimateGas', '[{"to":"0xa"}]', '[{"to":"0xa"}]', none],
    ['eth_estimateGas', '[{"to":"0xa"},null]', '[{"to":"0xa"},null]', none],
    ['eth_estimateGas', '[{"to":"0xa"},"latest"]', '[{"to":"0xa"},"0x100"]', head],
    ['eth_feeHistory', '["0x4","latest",[10.5]]', '["0x4","0x100",[10.5]]', head],
    ['eth_getBlockByNumber', '["latest",true]', '["0x100",true]', head],
    ['eth_getBlockByNumber', '["0x10",false]', '["0x10",false]', { kind: 'block', number: 16 }],
    ['eth_getBlockByNumber', '["0x101",false]', '["0x101",false]', { kind: 'block', number: 0x101 }],
    ['eth_getLogs', '[{}]', '[{"toBlock":"0x100","fromBlock":"0x100"}]', head],
    ['eth_getLogs', '[{"address":"0xa"}]', '[{"toBlock":"0x100","fromBlock":"0x100","address":"0xa"}]', head],
    [
      'eth_getLogs',
      '[{"fromBlock":"0x1","toBlock":"latest","topics":["latest"]}]',
      '[{"fromBlock":"0x1","toBlock":"0x100","topics":["latest"]}]',
      head,
    ],
    [
      'eth_getLogs',
      '[{ "toBlock" : "0x10" , "fromBlock" : "0x1" }]',
      '[{ "toBlock" : "0x10" , "fromBlock" : "0x1" }]',
      { kind: 'block', number: 16 },
    ],
    ['eth_getLogs', `[{"blockHash":"${HASH}"}]`, `[{"blockHash":"${HASH}"}]`, none],
    ['eth_getTransactionReceipt', `["${HASH}"]`, `["${HASH}"]`, none],
    ['unknown_method', '["latest"]', '["latest"]', none],
  ])('%s %s goes out as %s', (method, params, sent, need) => {
    expect(routed(method, params)).toEqual({ params: sent, need });
  });

  it('writes logs criteria that are still JSON with the same members', () => {
    const { params } = routed('eth_getLogs', '[{"fromBlock":"latest"}]');
    expect(JSON.parse(params)).toEqual([{ fromBlock: '0x100', toBlock: '0x100' }]);
  });

  it('changes no byte of numbers over 2^53 beside the block', () => {
    expect(routed('eth_call', '[{"value":12345678901234567890.10},"latest"]').params).toBe(
      '[{"value":12345678901234567890.10},"0x100"]',
    );
  });

  it('answers the head itself, and asks a node while there is none', () => {
    const answer = planned('eth_blockNumber', '[]');
    expect(answer.kind === 'answer' && answer.result.toString()).toBe('"0x100"');
    expect(plan(request('eth_blockNumber', '[]'), rules, undefined).kind).toBe('route');
  });

  it('pins nothing while there is no head', () => {
    const made = plan(request('eth_getBalance', '["0xa","latest"]'), rules, undefined);
    expect(made.kind === 'route' && made.request.params.toString()).toBe('["0xa","latest"]');
  });

  it.each([
    [
      'debug_traceTransaction',
      '-32601 Method not available: the method debug_traceTransaction does not exist here, or is not allowed',
    ],
    [
      'eth_sendTransaction',
      '-32601 Method not available: the method eth_sendTransaction does not exist here, or is not allowed',
    ],
    [
      'ETH_SENDTRANSACTION',
      '-32601 Method not available: the method ETH_SENDTRANSACTION does not exist here, or is not allowed',
    ],
    [
      'eth_signTypedData_v4',
      '-32601 Method not available: the method eth_signTypedData_v4 does not exist here, or is not allowed',
    ],
    [
      'admin_x\n{"level":"fatal"}',
      '-32601 Method not available: the method admin_x?{"level":"fatal"} does not exist here, or is not allowed',
    ],
    ['eth_subscribe', '-32004 Notifications not supported: eth_subscribe needs a WebSocket'],
  ])('refuses %j', (method, expected) => {
    const made = planned(method, '[]');
    expect(made.kind === 'refused' && `${made.refused.code} ${made.refused.message}`).toBe(expected);
  });

  it('leaves filters to those who keep them, unless they are denied', () => {
    expect(planned('eth_newFilter', '[{}]')).toEqual({ kind: 'filter' });
    const denying = { ...rules, policy: createMethodPolicy([], ['eth_new*']) };
    expect(plan(request('eth_newFilter', '[{}]'), denying, view)).toMatchObject({ kind: 'refused' });
  });

  it('knows which methods may run twice', () => {
    const repeat = (method: string): string | undefined => {
      const made = planned(method, '[]');
      return made.kind === 'route' ? made.request.row.repeat : undefined;
    };
    expect(repeat('eth_getCode')).toBe('read');
    expect(repeat('eth_sendRawTransaction')).toBe('raw-transaction');
    expect(repeat('trace_block')).toBe('read');
    expect(repeat('custom_doIt')).toBe('once');
  });
});

describe('createMethodPolicy', () => {
  it('lets allow win over the built-in denials, and deny over both', () => {
    const policy = createMethodPolicy(['debug_*', 'eth_sendTransaction'], ['debug_set*', 'eth_call']);
    const allowed = ['debug_traceCall', 'eth_sendTransaction', 'eth_getCode'];
    const denied = ['debug_setHead', 'DEBUG_SETHEAD', 'eth_call', 'eth_sign', 'personal_unlockAccount'];
    expect(allowed.filter((method) => !policy.allows(method))).toEqual([]);
    expect(denied.filter((method) => policy.allows(method))).toEqual([]);
  });

  it('answers eth_accounts itself unless it is allowed by name', () => {
    const open = { policy: createMethodPolicy(['eth_accounts'], []), isExtraRead: () => false };
    expect(plan(request('eth_accounts', '[]'), rules, view).kind).toBe('answer');
    expect(plan(request('eth_accounts', '[]'), open, view).kind).toBe('route');
  });
});
