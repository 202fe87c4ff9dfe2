import fc from 'fast-check';
import type { NodeView } from '../../runtime/nodes/node';
import { findCandidates, type NoCandidate, whyNone } from '../../runtime/routing/eligibility';
import type { RouteRequest, RoutingRules } from '../../runtime/routing/verdict';
import type { BlockNeed } from '../../runtime/rpc/block-need';
import { blockAt, down, laggingNode, nodeView, WRONG_CHAIN } from './node-views';

const NOW = 1_750_000_000_000;
const RULES: RoutingRules = { recentStateBlocks: 128 };

const NONE: BlockNeed = { kind: 'none' };
const HEAD: BlockNeed = { kind: 'head', number: 1000 };
const block = (number: number): BlockNeed => ({ kind: 'block', number });
const state = (number: number): BlockNeed => ({ kind: 'state', number });

const up = nodeView('up');
const behind = laggingNode('behind', 990);
const sick = nodeView('sick', { health: down('refused') });
const ejected = nodeView('ejected', { ejected: '3 time-outs' });
const stranger = nodeView('stranger', { health: WRONG_CHAIN });
const resting = nodeView('resting', { restingUntil: NOW + 1500 });
const full = nodeView('full', { maxInFlight: 2, inFlight: 2 });

interface Options {
  readonly exclude?: readonly NodeView[];
  readonly rules?: Partial<RoutingRules>;
}

function decide(nodes: readonly NodeView[], need: BlockNeed, options: Options = {}): string[] | NoCandidate {
  const request: RouteRequest = { need, method: 'eth_call', exclude: options.exclude ?? [] };
  const rules = { ...RULES, ...options.rules };
  // What an earlier pick left behind must not matter.
  const out: NodeView[] = [stranger];
  const verdict = findCandidates(nodes, request, rules, NOW, out);
  expect(out.length > 0).toBe(verdict !== undefined);
  return verdict === undefined ? whyNone(nodes, request, rules, NOW) : out.map(({ name }) => name);
}

describe('who serves', () => {
  const caughtUp = laggingNode('caught up', 1000);
  const second = nodeView('second');
  const third = nodeView('third', { tier: 1 });
  const archive = nodeView('archive', { archive: true });
  const archiveTier1 = nodeView('archive', { archive: true, tier: 1 });
  const pruned = nodeView('pruned', { oldestState: 900 });

  test.each<[string, readonly NodeView[], BlockNeed, string[]]>([
    ['every healthy node', [up, second, sick, ejected, stranger, resting, full], HEAD, ['up', 'second']],
    ['the lowest tier', [third, up, second], HEAD, ['up', 'second']],
    ['the next tier, when nobody of the first may', [third, sick, resting, full], HEAD, ['third']],
    ['a healthy node of a later tier before a lagging one', [caughtUp, third], HEAD, ['third']],
    ['a lagging node only when no healthy one has the block', [caughtUp, sick, ejected], HEAD, ['caught up']],
    ['no lagging node for what needs no block, while one is up', [behind, up], NONE, ['up']],
    ['a lagging node for what needs no block, if it is all there is', [behind, sick], NONE, ['behind']],
    ['not the node that is behind the pinned head', [behind, up], HEAD, ['up']],
    [
      'of lagging nodes the one that is least behind, whatever its tier',
      [behind, laggingNode('near', 999, { tier: 1 })],
      NONE,
      ['near'],
    ],
    ['lagging nodes too for history they have', [behind, up], block(990), ['behind', 'up']],
    ['not those that do not have it', [behind, up], block(991), ['up']],
    ['an idle tier before a full one', [full, third], NONE, ['third']],
    ['nodes below their bound', [nodeView('near', { maxInFlight: 2, inFlight: 1 }), full], NONE, ['near']],
    ['nodes whose rest is over', [nodeView('rested', { restingUntil: NOW })], NONE, ['rested']],
    ['state: every node that still has it', [up, archive], state(873), ['up', 'archive']],
    ['old state: archive nodes', [up, archive], state(872), ['archive']],
    ['old state: an archive node of a later tier', [up, archiveTier1], state(872), ['archive']],
    ['old state: any healthy node if there is no archive', [up, second], state(1), ['up', 'second']],
    ['state that is gone: the others', [pruned, up], state(899), ['up']],
    ['state that is not gone: all', [pruned, up], state(900), ['pruned', 'up']],
    ['state that is gone everywhere: somebody', [pruned], state(899), ['pruned']],
    ['state that is gone here, a sick node elsewhere: the sick one', [pruned, sick], state(899), ['sick']],
    ['blocks are kept where state is gone', [pruned], block(5), ['pruned']],
    ['the nodes of the highest head if all are unhealthy', [sick, ejected], HEAD, ['sick', 'ejected']],
    [
      'only those, whatever their tier',
      [
        nodeView('older', { health: down('x'), head: blockAt(998) }),
        nodeView('newer', { health: down('x'), head: blockAt(999), tier: 1 }),
        nodeView('unseen', { health: down('x'), head: undefined }),
      ],
      NONE,
      ['newer'],
    ],
    ['a node that has shown nothing yet, if it is all there is', [nodeView('new', { head: undefined })], NONE, ['new']],
  ])('%s', (_what, nodes, need, expected) => {
    expect(decide(nodes, need)).toEqual(expected);
  });

  test('tried nodes are not chosen again', () => {
    expect(decide([up, second], HEAD, { exclude: [up] })).toEqual(['second']);
    expect(decide([up, sick], HEAD, { exclude: [up] })).toEqual(['sick']);
    expect(decide([{ ...up }, second], HEAD, { exclude: [up] })).toEqual(['second']);
  });

  test('nodes that lack the method are not chosen', () => {
    const lacksMethod = (node: NodeView, method: string): boolean => node === up && method === 'eth_call';
    expect(decide([up, second], HEAD, { rules: { lacksMethod } })).toEqual(['second']);
  });

  test('a node on another branch does not have the head, whatever its height', () => {
    const ahead = nodeView('ahead', { head: blockAt(1001) });
    const asked: string[] = [];
    const onBranch = (node: NodeView, number: number): boolean => {
      asked.push(`${node.name} ${number}`);
      return node === second;
    };
    expect(decide([up, second, ahead, behind], HEAD, { rules: { onBranch } })).toEqual(['second']);
    expect(asked).toEqual(['up 1000', 'second 1000', 'ahead 1000']);
  });
});

describe('why nobody serves', () => {
  const lacksMethod = (node: NodeView): boolean => node.name.startsWith('up');
  const restingLonger = nodeView('resting longer', { restingUntil: NOW + 9000 });
  const sickFull = { ...full, health: down('refused') };
  const sickBehind = nodeView('sick behind', { health: down('refused'), head: blockAt(900) });

  test.each<[string, readonly NodeView[], BlockNeed, Options, NoCandidate]>([
    ['no nodes', [], NONE, {}, { kind: 'no-node' }],
    ['only another chain, even when that is all', [stranger], NONE, {}, { kind: 'no-node' }],
    [
      'all resting: until the first is rested',
      [restingLonger, resting, stranger],
      NONE,
      {},
      { kind: 'resting', retryAfterMs: 1500 },
    ],
    [
      'a rest that ends within the millisecond',
      [nodeView('r', { restingUntil: NOW + 0.2 })],
      NONE,
      {},
      { kind: 'resting', retryAfterMs: 1 },
    ],
    [
      'tried ones that asked to rest are resting',
      [resting],
      NONE,
      { exclude: [resting] },
      { kind: 'resting', retryAfterMs: 1500 },
    ],
    ['all tried', [up, sick], NONE, { exclude: [up, sick] }, { kind: 'tried' }],
    ['one tried, one resting: the tried one may be called', [up, resting], NONE, { exclude: [up] }, { kind: 'tried' }],
    ['all full', [full], NONE, {}, { kind: 'busy' }],
    ['a full node is waited for rather than a sick one called', [full, sick, ejected], NONE, {}, { kind: 'busy' }],
    ['a sick node that is full is full too', [sickFull], NONE, {}, { kind: 'busy' }],
    [
      'nobody has the block: the best there is',
      [behind, laggingNode('c', 980)],
      HEAD,
      {},
      { kind: 'no-block', best: blockAt(990) },
    ],
    ['those who had it are tried', [up, behind], HEAD, { exclude: [up] }, { kind: 'no-block', best: blockAt(990) }],
    ['those who have it are resting', [resting, behind], HEAD, {}, { kind: 'no-block', best: blockAt(990) }],
    [
      'a sick node far behind is no reason to give up the tried one',
      [up, sickBehind],
      HEAD,
      { exclude: [up] },
      { kind: 'tried' },
    ],
    [
      'a sick node far behind is better than none',
      [sickBehind, stranger],
      HEAD,
      {},
      { kind: 'no-block', best: blockAt(900) },
    ],
    [
      'nobody has shown a block',
      [nodeView('new', { head: undefined })],
      HEAD,
      {},
      { kind: 'no-block', best: undefined },
    ],
    ['nobody knows the method', [up, stranger], NONE, { rules: { lacksMethod } }, { kind: 'no-method' }],
    [
      'one lacks the method, one was tried',
      [up, sick],
      NONE,
      { rules: { lacksMethod }, exclude: [sick] },
      { kind: 'tried' },
    ],
  ])('%s', (_what, nodes, need, options, expected) => {
    expect(decide(nodes, need, options)).toEqual(expected);
  });
});

describe('always', () => {
  const anyNode = fc
    .record({
      pick: fc.constantFrom(up, behind, sick, ejected, stranger, resting, full),
      tier: fc.nat(2),
      head: fc.integer({ min: 995, max: 1003 }).map(blockAt),
      archive: fc.boolean(),
      oldestState: fc.constantFrom(0, 700, 999),
    })
    .map(({ pick, ...traits }) => ({ ...pick, ...traits }));
  const anyNodes = fc
    .array(anyNode, { maxLength: 6 })
    .map((nodes) => nodes.map((node, index) => ({ ...node, name: `${node.name} ${index}` })));
  const anyNeed = fc.oneof(
    fc.constant(NONE),
    fc.integer({ min: 994, max: 1004 }).map((number): BlockNeed => ({ kind: 'head', number })),
    fc.integer({ min: 500, max: 1004 }).chain((number) => fc.constantFrom(block(number), state(number))),
  );

  test('no node of another chain, resting, tried, full or without the block is called; one tier serves', () => {
    fc.assert(
      fc.property(anyNodes, anyNeed, fc.nat(6), (nodes, need, tries) => {
        const exclude = nodes.slice(0, tries);
        const chosen: NodeView[] = [];
        findCandidates(nodes, { need, method: 'eth_call', exclude }, RULES, NOW, chosen);
        for (const node of chosen) {
          expect(node.name).not.toMatch(/^(stranger|resting|full)/);
          expect(exclude).not.toContain(node);
          if (need.kind !== 'none') expect(node.head?.number).toBeGreaterThanOrEqual(need.number);
        }
        expect(new Set(chosen.map(({ tier }) => tier)).size).toBeLessThanOrEqual(1);
      }),
      { numRuns: 500 },
    );
  });

  test('whoever could serve keeps the request from being refused, unless a full node is better', () => {
    fc.assert(
      fc.property(anyNodes, anyNeed, (nodes, need) => {
        const able = nodes.filter(
          ({ name, head }) =>
            !/^(stranger|resting|full)/.test(name) && (need.kind === 'none' || head.number >= need.number),
        );
        const decided = decide(nodes, need);
        if (Array.isArray(decided)) expect(able.map(({ name }) => name)).toEqual(expect.arrayContaining(decided));
        else if (able.length > 0) expect(decided).toEqual({ kind: 'busy' });
      }),
      { numRuns: 500 },
    );
  });

  test('the order of the list does not matter', () => {
    fc.assert(
      fc.property(anyNodes, anyNeed, (nodes, need) => {
        const there = decide(nodes, need);
        const back = decide([...nodes].reverse(), need);
        if (Array.isArray(there)) expect(back).toEqual([...there].reverse());
        else expect(back).toEqual(there);
      }),
    );
  });
});
