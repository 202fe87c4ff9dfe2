import * as form from './forms';
import { provider } from './haproxy-section';
import { decimal, flag, list, oneOf, section, share, text, whole } from './keys';
import { methodPattern } from './methods-section';
import { DAY_MS, HOUR_MS, MIB, MINUTE_MS } from './units';

const health = section('How nodes are probed and judged.', {
  intervalMs: whole(50, MINUTE_MS, 'Milliseconds between two probes of a node.', {
    whenUnset: 'a quarter of the learned block time, 250 to 1000',
  }).optional(),
  probeTimeoutMs: whole(1, MINUTE_MS, 'Milliseconds a probe may take.', {
    whenUnset: 'four times the interval, 1000 to 2000',
  }).optional(),
  rise: whole(1, 100, 'Good probes in a row that bring a node back.').default(2),
  fall: whole(1, 100, 'Failures in a row that take a node out.').default(3),
  maxLagBlocks: whole(1, undefined, 'Blocks a node may be behind the head and still serve reads of the head.').default(
    3,
  ),
  maxBlockAgeMs: whole(
    1,
    365 * DAY_MS,
    'Milliseconds: a node whose newest block is older, while others have newer ones, does not serve the head.',
  ).default(150_000),
  maxLatencyMs: whole(1, HOUR_MS, 'Milliseconds of latency from which on a node does not serve the head.').default(
    3000,
  ),
});

const routing = section('Which node a request goes to.', {
  waitForBlockMs: whole(
    0,
    MINUTE_MS,
    'Milliseconds a request for the block after the head waits for it, if it is due by then.',
  ).default(500),
  recentStateBlocks: whole(
    0,
    undefined,
    'Blocks below the head whose state every node is expected to keep; older state prefers archive nodes.',
  ).default(128),
});

const failover = section('What happens when a node does not answer.', {
  deadlineMs: whole(1, HOUR_MS, 'Milliseconds a request may take in all, every attempt included.').default(30_000),
  maxAttempts: whole(1, 100, 'Attempts of one request, on different nodes first.').default(3),
  connectTimeoutMs: whole(
    1,
    MINUTE_MS,
    'Milliseconds for the TCP handshake with a node; where HAProxy dials it, for that of TLS too.',
  ).default(500),
  lightTimeoutMs: whole(1, HOUR_MS, 'Milliseconds for an attempt of a light method.').default(2000),
  callTimeoutMs: whole(1, HOUR_MS, 'Milliseconds for an attempt of eth_call or eth_estimateGas.').default(10_000),
  maxRestMs: whole(0, HOUR_MS, 'Milliseconds a node that said "too many requests" may ask to be left alone.').default(
    60_000,
  ),
  budgetPercent: decimal(0, 1000, 'Retries as a share of recent requests, in percent.').default(20),
  budgetPerSecond: decimal(0, 1_000_000, 'Retries per second that are allowed besides.').default(10),
  readMethods: list(
    'method patterns',
    methodPattern,
    'Further methods that only read and may be repeated after an unclear failure, such as `trace_*`.',
  ).default([]),
});

const cache = section('Answers that are kept, each for the block it was read at.', {
  maxBytes: whole(0, undefined, 'Bytes of memory for this chain; 0 keeps and shares nothing.').default(64 * MIB),
  shortTtlMs: whole(1, 1000, 'Milliseconds an answer that belongs to no block, such as eth_gasPrice, is kept.').default(
    500,
  ),
  except: list(
    'method patterns',
    methodPattern,
    'Methods whose answers are not kept; names, or prefixes and `*`.',
  ).default([]),
  redisTtlMs: whole(
    0,
    DAY_MS,
    'Milliseconds an answer is kept in Redis too, where it is configured, for all processes; 0 keeps none there.',
  ).default(60_000),
  redisTimeoutMs: whole(1, MINUTE_MS, 'Milliseconds Redis may take for an answer; then a node is asked.').default(20),
});

const filters = section('The filters of `eth_newFilter` and its kin.', {
  mode: oneOf(
    ['computed', 'sticky'],
    '`computed` finds the changes itself, out of blocks and logs of any node; `sticky` asks the node that keeps the filter, and computes once that is lost.',
  ).default('computed'),
  ttlMs: whole(1000, DAY_MS, 'Milliseconds a filter lives that nobody polls.').default(300_000),
  maxPerClient: whole(1, 1_000_000, 'Filters one client may have, of those made by this process.').default(1000),
  maxFilters: whole(1, 10_000_000, 'Filters made by this process that may be open at once.').default(10_000),
  maxLogBlocks: whole(1, 1_000_000, 'Blocks one eth_getLogs asks for; more are asked for in several.').default(1000),
  redisTimeoutMs: whole(
    1,
    MINUTE_MS,
    'Milliseconds Redis may take for a filter; then the copy of this process counts.',
  ).default(250),
});

const node = section('One Ethereum endpoint: exactly one of `url` and `localPort`.', {
  name: text(form.nodeName, 'Its name in logs, metrics and on the status page; unique in the chain.'),
  url: text(form.httpUrl, 'Where the proxy reaches it; `user:password@` becomes an Authorization header.', {
    also: [form.notMetadata],
    secret: true,
    whenUnset: 'localPort is used',
  }).optional(),
  wsUrl: text(
    form.wsUrl,
    'Where its WebSocket is; goes with `url` only. Its `newHeads` raise the head between probes.',
    {
      also: [form.notMetadata],
      secret: true,
      whenUnset: 'none',
    },
  ).optional(),
  localPort: whole(1, 65_535, 'The port on 127.0.0.1 where HAProxy serves this node; unique over all chains.', {
    whenUnset: 'url is used',
  }).optional(),
  provider: provider.optional(),
  weight: share(256, 'Share of traffic relative to the others in its tier.').default(1),
  tier: whole(0, 1000, 'Lower tiers are used first.').default(0),
  maxInFlight: whole(0, undefined, 'Requests it may have in flight; 0 is no bound.').default(0),
  archive: flag('It keeps the state of all blocks.').default(false),
});

export const chain = section('One chain and its nodes.', {
  chainId: whole(1, Number.MAX_SAFE_INTEGER, 'What `eth_chainId` of every node answers, in decimal; unique.'),
  balancing: oneOf(
    ['p2c', 'client-ip-hash'],
    '`p2c` takes the less busy of two nodes picked at random; `client-ip-hash` keeps a client on its node.',
  ).default('p2c'),
  health: health.prefault({}),
  routing: routing.prefault({}),
  failover: failover.prefault({}),
  cache: cache.prefault({}),
  filters: filters.prefault({}),
  nodes: list('nodes', node, 'The nodes of the chain.', 1),
});
