import type { NodeView } from '../../runtime/nodes/node';
import { rankByHash } from '../../runtime/routing/rendezvous';
import { type Pick, type PickRequest, Router, type RouterOptions } from '../../runtime/routing/router';
import type { BlockNeed } from '../../runtime/rpc/block-need';
import { blockAt, down, laggingNode, nodeView, seededRandom, WRONG_CHAIN } from './node-views';

const NOW = 1_750_000_000_000;
const HEAD: BlockNeed = { kind: 'head', number: 1000 };
const READ: PickRequest = { need: HEAD, method: 'eth_call', exclude: [] };

function routerOver(nodes: readonly NodeView[], options: Partial<RouterOptions> = {}): Router {
  return new Router({
    nodes: () => nodes,
    balancing: 'p2c',
    recentStateBlocks: 128,
    random: seededRandom(1),
    ...options,
  });
}

function nameOf(pick: Pick): string {
  return pick.kind === 'node' ? pick.node.name : pick.kind;
}

const NODES = ['a', 'b', 'c'].map((name) => nodeView(name));

describe('p2c', () => {
  test('sends to all healthy nodes', () => {
    const router = routerOver(NODES);
    const names = Array.from({ length: 300 }, () => nameOf(router.pick(READ, NOW)));
    for (const name of ['a', 'b', 'c']) expect(names.filter((each) => each === name).length).toBeGreaterThan(60);
  });

  test('a request that failed on every node but one goes to that one, and then nowhere', () => {
    const router = routerOver(NODES);
    for (let round = 0; round < 50; round++) {
      const tried: NodeView[] = [];
      for (let attempt = 0; attempt < 3; attempt++) {
        const pick = router.pick({ ...READ, exclude: tried }, NOW);
        if (pick.kind !== 'node') throw new Error(`nobody for attempt ${attempt}`);
        tried.push(pick.node);
      }
      expect(new Set(tried).size).toBe(3);
      expect(router.pick({ ...READ, exclude: tried }, NOW)).toEqual({ kind: 'tried' });
    }
  });

  test('sees the nodes as they are at each pick', () => {
    let nodes: readonly NodeView[] = [nodeView('old')];
    const router = routerOver([], { nodes: () => nodes });
    expect(nameOf(router.pick(READ, NOW))).toBe('old');
    nodes = [nodeView('new')];
    expect(nameOf(router.pick(READ, NOW))).toBe('new');
    nodes = [];
    expect(nameOf(router.pick(READ, NOW))).toBe('no-node');
  });

  test('tells how the node serves', () => {
    expect(routerOver([laggingNode('late', 1000)]).pick(READ, NOW)).toMatchObject({ verdict: 'lagging' });
    expect(routerOver([nodeView('sick', { health: down('x') })]).pick(READ, NOW)).toMatchObject({
      verdict: 'unhealthy',
    });
  });
});

describe('client-ip-hash', () => {
  const clients = Array.from({ length: 200 }, (_, index) => ({
    key: `198.51.100.${index}`,
    bytes: Uint8Array.of(198, 51, 100, index),
  }));
  const byHash = (nodes: readonly NodeView[]): Router => routerOver(nodes, { balancing: 'client-ip-hash' });

  test('a client has its node, whatever the load and the order in the configuration', () => {
    const router = byHash(NODES);
    const other = byHash([...NODES].reverse().map((node, index) => ({ ...node, inFlight: index * 10 })));
    const names = clients.map((client) => nameOf(router.pick({ ...READ, client }, NOW)));
    expect(clients.map((client) => nameOf(other.pick({ ...READ, client }, NOW)))).toEqual(names);
    expect(new Set(names)).toEqual(new Set(['a', 'b', 'c']));
  });

  test('and its next one when that was tried, is full or is down', () => {
    for (const client of clients) {
      const [first, second] = rankByHash(NODES, client);
      if (first === undefined || second === undefined) throw new Error('ranks');
      expect(nameOf(byHash(NODES).pick({ ...READ, client, exclude: [first] }, NOW))).toBe(second.name);
      for (const trouble of [{ health: down('x') }, { maxInFlight: 1, inFlight: 1 }, { restingUntil: NOW + 1 }]) {
        const nodes = NODES.map((node) => (node === first ? { ...node, ...trouble } : node));
        expect(nameOf(byHash(nodes).pick({ ...READ, client }, NOW))).toBe(second.name);
      }
    }
  });

  test('without a client balances by load', () => {
    const nodes = [nodeView('busy', { inFlight: 4 }), nodeView('free')];
    expect(nameOf(byHash(nodes).pick(READ, NOW))).toBe('free');
  });
});

describe('a preferred node', () => {
  const later = nodeView('later', { tier: 1, inFlight: 50 });

  test('is taken in spite of its tier and load', () => {
    expect(nameOf(routerOver([...NODES, later]).pick({ ...READ, prefer: 'later' }, NOW))).toBe('later');
  });

  test.each<[string, Partial<NodeView>]>([
    ['down', { health: down('x') }],
    ['ejected', { ejected: 'x' }],
    ['of another chain', { health: WRONG_CHAIN }],
    ['resting', { restingUntil: NOW + 1 }],
    ['full', { maxInFlight: 50 }],
    ['behind', { head: blockAt(999) }],
  ])('is not taken when it is %s', (_what, trouble) => {
    const router = routerOver([nodeView('a'), { ...later, ...trouble }]);
    expect(nameOf(router.pick({ ...READ, prefer: 'later' }, NOW))).toBe('a');
  });

  test('is not taken when it was tried, or does not exist', () => {
    const router = routerOver([nodeView('a'), later]);
    expect(nameOf(router.pick({ ...READ, prefer: 'later', exclude: [later] }, NOW))).toBe('a');
    expect(nameOf(router.pick({ ...READ, prefer: 'nobody' }, NOW))).toBe('a');
  });
});

test('tells of every node why it is chosen or not', () => {
  const nodes = [
    nodeView('good'),
    nodeView('spare', { tier: 2 }),
    laggingNode('late', 990),
    laggingNode('caught-up', 1000),
    nodeView('dead', { health: down('connection refused') }),
    nodeView('dead-and-old', { health: down('connection refused'), head: blockAt(900) }),
    nodeView('out', { ejected: '5 time-outs in a row' }),
    nodeView('stranger', { health: WRONG_CHAIN }),
    nodeView('tired', { restingUntil: NOW + 2500 }),
    nodeView('full', { maxInFlight: 3, inFlight: 3 }),
    nodeView('forked'),
    nodeView('old-client'),
    nodeView('new', { health: { state: 'up', head: blockAt(1) }, head: undefined }),
  ];
  const router = routerOver(nodes, {
    lacksMethod: (node, method) => node.name === 'old-client' && method === 'eth_call',
    onBranch: (node) => node.name !== 'forked',
  });
  expect(router.reasons(HEAD, NOW, 'eth_call')).toEqual([
    { name: 'good', eligible: true, reason: 'healthy' },
    { name: 'spare', eligible: false, reason: 'healthy, tier 2 waits for 0' },
    { name: 'late', eligible: false, reason: 'is at block 990, needs 1000' },
    { name: 'caught-up', eligible: false, reason: 'lagging by 0: too far behind' },
    { name: 'dead', eligible: false, reason: 'down: connection refused' },
    { name: 'dead-and-old', eligible: false, reason: 'down: connection refused, is at block 900, needs 1000' },
    { name: 'out', eligible: false, reason: 'ejected: 5 time-outs in a row' },
    { name: 'stranger', eligible: false, reason: 'down: chain id 5, not 1' },
    { name: 'tired', eligible: false, reason: 'asked to rest for another 2500 ms' },
    { name: 'full', eligible: false, reason: 'full: 3 of 3 requests in flight' },
    { name: 'forked', eligible: false, reason: 'has another block 1000 than the chain' },
    { name: 'old-client', eligible: false, reason: 'does not know eth_call' },
    { name: 'new', eligible: false, reason: 'has shown no block yet, needs 1000' },
  ]);
});

test('tells of the state a node has or lost', () => {
  const nodes = [nodeView('pruned', { oldestState: 950 }), nodeView('unsure'), nodeView('dead', { health: down('x') })];
  expect(routerOver(nodes).reasons({ kind: 'state', number: 5 }, NOW)).toEqual([
    { name: 'pruned', eligible: false, reason: 'has no state before block 950, needs 5' },
    { name: 'unsure', eligible: true, reason: 'healthy, may have pruned the state of block 5' },
    { name: 'dead', eligible: false, reason: 'down: x, may have pruned the state of block 5' },
  ]);
});
