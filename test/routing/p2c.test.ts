import fc from 'fast-check';
import type { NodeView } from '../../runtime/nodes/node';
import { pickTwoChoices } from '../../runtime/routing/p2c';
import { nodeView, seededRandom } from './node-views';

function shares(nodes: readonly NodeView[], picks = 20_000): Record<string, number> {
  const random = seededRandom(7);
  const counts: Record<string, number> = {};
  for (const { name } of nodes) counts[name] = 0;
  for (let i = 0; i < picks; i++) {
    const name = pickTwoChoices(nodes, random)?.name ?? 'nobody';
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, count / picks]));
}

test('no nodes, no choice; one node, no dice', () => {
  const noRandom = (): number => {
    throw new Error('not needed');
  };
  expect(pickTwoChoices([], noRandom)).toBeUndefined();
  expect(pickTwoChoices([nodeView('a')], noRandom)?.name).toBe('a');
});

test('takes the node with fewer requests in flight', () => {
  expect(shares([nodeView('a', { inFlight: 3 }), nodeView('b', { inFlight: 2 })])).toEqual({ a: 0, b: 1 });
});

test('counts load by weight', () => {
  const heavy = nodeView('heavy', { inFlight: 5, weight: 4 });
  expect(shares([heavy, nodeView('light', { inFlight: 1 })])).toEqual({ heavy: 1, light: 0 });
  expect(shares([heavy, nodeView('light', { inFlight: 0 })])).toEqual({ heavy: 0, light: 1 });
});

test('every pair of three is as likely: the least loaded gets two thirds, the most loaded nothing', () => {
  const { a, b, c } = shares([nodeView('a', { inFlight: 9 }), nodeView('b', { inFlight: 1 }), nodeView('c')]);
  expect(a).toBe(0);
  expect(b).toBeCloseTo(1 / 3, 1.5);
  expect(c).toBeCloseTo(2 / 3, 1.5);
  const { c: first, a: last } = shares([nodeView('c'), nodeView('b', { inFlight: 1 }), nodeView('a', { inFlight: 9 })]);
  expect(first).toBeCloseTo(2 / 3, 1.5);
  expect(last).toBe(0);
});

test.each<[string, Partial<NodeView>]>([
  ['idle', {}],
  ['equally busy', { inFlight: 3 }],
])('nodes that are %s share evenly', (_what, traits) => {
  for (const share of Object.values(shares(['a', 'b', 'c', 'd'].map((name) => nodeView(name, traits))))) {
    expect(share).toBeCloseTo(0.25, 1);
  }
});

test('idle traffic spreads by weight', () => {
  const { a, b, c } = shares([
    nodeView('a', { weight: 1 }),
    nodeView('b', { weight: 3 }),
    nodeView('c', { weight: 6 }),
  ]);
  expect(a).toBeCloseTo(0.1, 1.5);
  expect(b).toBeCloseTo(0.3, 1.5);
  expect(c).toBeCloseTo(0.6, 1.5);
});

test('of idle nodes one that is a second slow gets under 5 % of sequential traffic', () => {
  for (const fast of [['b'], ['b', 'c']]) {
    const nodes = [nodeView('slow', { latencyMs: 1003 }), ...fast.map((name) => nodeView(name, { latencyMs: 3 }))];
    expect(shares(nodes)['slow']).toBeLessThan(0.05);
  }
});

test.each([
  ['noise between fast nodes', 1, 39, 0.5],
  ['not twofold', 100, 190, 0.5],
  ['more than twofold', 100, 210, 1],
  ['more than twice the floor', 1, 41, 1],
  ['one unknown', 1, undefined, 0.5],
])('a tie is broken by latency only if it differs clearly: %s', (_what, a, b, expected) => {
  expect(shares([nodeView('a', { latencyMs: a }), nodeView('b', { latencyMs: b })])['a']).toBeCloseTo(expected, 1);
});

test('latency does not outweigh load', () => {
  const nodes = [nodeView('slow', { latencyMs: 900, inFlight: 1 }), nodeView('fast', { latencyMs: 5, inFlight: 2 })];
  expect(shares(nodes)['slow']).toBe(1);
});

test('a slow node among 32 busy clients gets under 5 % of the requests', () => {
  const tookMs: Record<string, number> = { slow: 1005, b: 5, c: 5 };
  const nodes = Object.keys(tookMs).map((name) => ({ ...nodeView(name, { latencyMs: tookMs[name] }), inFlight: 0 }));
  const random = seededRandom(3);
  const running: { node: (typeof nodes)[number]; endsAt: number }[] = [];
  const counts: Record<string, number> = {};
  let now = 0;
  for (let sent = 0; sent < 20_000; sent++) {
    if (running.length === 32) {
      running.sort((a, b) => a.endsAt - b.endsAt);
      const ended = running.shift();
      if (ended !== undefined) ended.node.inFlight--;
      now = ended?.endsAt ?? now;
    }
    const picked = pickTwoChoices(nodes, random);
    const node = nodes.find((each) => each === picked);
    if (node === undefined) throw new Error('a node that was not offered');
    node.inFlight++;
    running.push({ node, endsAt: now + (tookMs[node.name] ?? 0) });
    counts[node.name] = (counts[node.name] ?? 0) + 1;
  }
  expect((counts['slow'] ?? 0) / 20_000).toBeLessThan(0.05);
  expect(counts['b']).toBeGreaterThan(8000);
  expect(counts['c']).toBeGreaterThan(8000);
});

test('always one of the nodes, and never the busier of two', () => {
  const node = fc.record({
    weight: fc.double({ min: 1e-3, max: 1e3, noNaN: true }),
    inFlight: fc.nat(50),
    latencyMs: fc.option(fc.double({ min: 0, max: 5000, noNaN: true }), { nil: undefined }),
  });
  const dice = fc.constantFrom(0, 1e-9, 0.25, 0.5, 0.75, 1 - 2 ** -53);
  fc.assert(
    fc.property(fc.array(node, { minLength: 1, maxLength: 6 }), dice, dice, (traits, first, second) => {
      const nodes = traits.map((each, index) => nodeView(`n${index}`, each));
      const rolls = [first, second];
      const picked = pickTwoChoices(nodes, () => rolls.shift() ?? 0);
      expect(nodes).toContain(picked);
      const [a, b] = nodes;
      if (nodes.length !== 2 || a === undefined || b === undefined || a.inFlight + b.inFlight === 0) return;
      const load = (each: NodeView): number => (each.inFlight + 1) / each.weight;
      const other = picked === a ? b : a;
      expect(load(picked ?? a)).toBeLessThanOrEqual(load(other) * (1 + 1e-12));
    }),
  );
});
