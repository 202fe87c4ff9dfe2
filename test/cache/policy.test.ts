import { type Keeping, keepingOf } from '../../runtime/cache/policy';
import type { HeadView } from '../../runtime/rpc/head-view';
import { isInvalid, parseMessage } from '../../runtime/rpc/message';
import { createMethodPolicy, matcher } from '../../runtime/rpc/method-policy';
import { plan } from '../../runtime/rpc/plan';
import { hashOf } from '../chain/blocks';

const HASH = `0x${'ab'.repeat(32)}`;
const rules = { policy: createMethodPolicy([], []), isExtraRead: matcher([]) };
/** Block 0x100, of which the newest ten are known by their hash; 0x80 is final. */
const head: HeadView = {
  number: 0x100,
  hash: hashOf(0x100),
  finalized: 0x80,
  hashAt: (number) => (number > 0xf6 ? hashOf(number) : undefined),
};

function keeping(method: string, params: string): Keeping | undefined {
  const body = Buffer.from(`{"jsonrpc":"2.0","id":1,"method":"${method}","params":${params}}`);
  const message = parseMessage(body, { maxDepth: 64, maxBatchItems: 100 });
  if (message.kind !== 'single' || isInvalid(message.item)) throw new Error('not a request');
  const planned = plan(message.item, rules, head);
  if (planned.kind !== 'route') throw new Error(`expected a route, got ${planned.kind}`);
  return keepingOf(planned.request, head.finalized);
}

it.each([
  // [method, params, rule, whether other processes get it]
  ['eth_call', '[{"to":"0x1"},"latest"]', 'checked', true],
  ['eth_getBalance', '["0xa","0xff"]', 'checked', true],
  ['eth_getBlockByNumber', '["latest",false]', 'block-hash', true],
  ['eth_getBlockByHash', `["${HASH}",false]`, 'always', true],
  ['eth_getTransactionReceipt', `["${HASH}"]`, 'final', true],
  ['eth_getBlockByNumber', '["0x10",false]', 'always', false],
  ['eth_getBalance', '["0xa","0x10"]', 'always', false],
  ['eth_chainId', '[]', 'always', false],
  ['eth_gasPrice', '[]', 'briefly', false],
])('%s %s is kept under the rule %s; shared: %s', (method, params, kind, shared) => {
  expect(keeping(method, params)).toMatchObject({ rule: { kind }, shared });
});

it.each([
  ['eth_getBalance', '["0xa","pending"]'],
  ['eth_getBalance', '["0xa","0xa0"]'],
  ['eth_sendRawTransaction', '["0x01"]'],
])('%s %s is not kept', (method, params) => {
  expect(keeping(method, params)).toBeUndefined();
});
