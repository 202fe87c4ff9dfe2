import type { NodeView } from '../../runtime/nodes/node';
import type { ProbeResult } from '../../runtime/nodes/probe';
import { type ChainFacts, type NodeOutcome, Registry } from '../../runtime/nodes/registry';
import { blockAt, RULES, traits } from './fixtures';

const START = 1_700_000_000_000;

class Scene {
  at = START;
  readonly events: string[] = [];
  readonly chain: { -readonly [K in keyof ChainFacts]: ChainFacts[K] } = {
    head: blockAt(100, START),
    blockTimeMs: 12_000,
    suspiciousBy: () => 0,
  };
  readonly registry: Registry;

  constructor(...names: string[]) {
    this.registry = new Registry({
      now: () => this.at,
      chain: this.chain,
      health: RULES,
      circuit: { random: () => 0.5 },
      maxRestMs: 60_000,
      tickMs: () => 1000,
      onTransition: ({ node, from, to, reason }) => this.events.push(`${node}: ${from} > ${to}, ${reason}`),
      onEject: ({ node, reason, untilMs }) => this.events.push(`${node}: ${reason}, ${untilMs - this.at} ms`),
      onReturn: ({ node }) => this.events.push(`${node}: back`),
      onRest: ({ node, untilMs }) => this.events.push(`${node}: rests ${untilMs - this.at} ms`),
    });
    this.registry.apply(names.map((name) => traits(name)));
  }

  node(name: string): NodeView {
    const found = this.registry.nodes.find((node) => node.name === name);
    if (found === undefined) throw new Error(`no node ${name}`);
    return found;
  }

  probe(name: string, number = 100): this {
    this.registry.probed(name, {
      kind: 'block',
      block: blockAt(number, this.at),
      latencyMs: 10,
      syncing: undefined,
      finalized: undefined,
    });
    return this;
  }

  fail(name: string, times = 1): this {
    const result: ProbeResult = { kind: 'failure', code: 'TIMEOUT' };
    for (let i = 0; i < times; i++) this.registry.probed(name, result);
    return this;
  }

  /** One request from begin to end. */
  serve(name: string, outcome: NodeOutcome): this {
    const node = this.node(name);
    this.registry.begin(node);
    this.registry.report(node, outcome);
    this.registry.end(node);
    return this;
  }
}

const ok: NodeOutcome = { kind: 'ok', latencyMs: 10, light: true };
const refused: NodeOutcome = { kind: 'failure', code: 'CONNECT_FAILED', light: true, counts: true };

test('a change of membership leaves alone who stays', () => {
  const scene = new Scene('x', 'y').probe('x').probe('y');
  const { registry } = scene;
  const [x, y] = registry.nodes;
  registry.begin(scene.node('x'));
  const version = registry.version;
  const list = registry.nodes;
  expect(registry.apply([traits('x'), traits('y')])).toEqual({ added: [], removed: [] });
  expect(registry.nodes).toBe(list);
  expect(registry.version).toBe(version);
  expect(registry.apply([traits('x', { weight: 3 }), traits('z')])).toEqual({ added: ['z'], removed: ['y'] });
  expect(registry.nodes.map(({ name }) => name)).toEqual(['x', 'z']);
  expect(registry.nodes[0]).toBe(x);
  expect(registry.nodes[0]).toMatchObject({ weight: 3, inFlight: 1, health: { state: 'up' }, latencyMs: 10 });
  expect(registry.version).toBeGreaterThan(version);
  // Whoever still holds a node that was removed can finish with it.
  if (y === undefined) throw new Error('no y');
  registry.begin(y);
  registry.end(y);
  expect(y.inFlight).toBe(0);
});

test('probes move health, and transitions are told once each', () => {
  const scene = new Scene('x');
  scene.fail('x', 2).probe('x').probe('x');
  scene.at += 5000;
  scene.chain.head = blockAt(120, scene.at);
  scene.registry.review();
  expect(scene.node('x').health.state).toBe('up');
  scene.probe('x');
  expect(scene.node('x')).toMatchObject({ healthSince: START + 5000, head: { number: 100 } });
  scene.fail('x', 5);
  scene.registry.probed('x', { kind: 'wrong-chain', expected: 1, actual: 5 });
  scene.registry.probed('nobody', { kind: 'failure', code: 'TIMEOUT' });
  expect(scene.events).toEqual([
    'x: down > up, at block 100',
    'x: up > lagging, 20 blocks behind',
    'x: lagging > down, failed 3 times in a row, the last time: TIMEOUT',
  ]);
  expect(scene.node('x').health).toMatchObject({ state: 'down', wrongChain: true });
});

test('a suspicious node lags', () => {
  const scene = new Scene('x', 'y').probe('x').probe('y');
  scene.chain.suspiciousBy = (name) => (name === 'x' ? 9999 : 0);
  scene.probe('x', 10_099).probe('y');
  expect(scene.node('x').health).toMatchObject({ state: 'lagging', behind: 0 });
  expect(scene.node('y').health.state).toBe('up');
});

test('refused connections take a node out, and a request that succeeds brings it back', () => {
  const scene = new Scene('x', 'y').probe('x').probe('y');
  scene.events.length = 0;
  const version = scene.registry.version;
  scene.serve('x', refused).serve('x', refused);
  expect(scene.node('x').ejected).toBe('ejected: CONNECT_FAILED');
  expect(scene.registry.version).toBeGreaterThan(version);
  scene.at += 200;
  scene.probe('x');
  expect(scene.node('x').ejected).toBeUndefined();
  const x = scene.node('x');
  scene.registry.begin(x);
  expect(x.ejected).toBeDefined();
  scene.registry.report(x, ok);
  scene.registry.end(x);
  expect(x.ejected).toBeUndefined();
  expect(scene.events).toEqual(['x: ejected: CONNECT_FAILED, 750 ms', 'x: back']);
});

test('the back-off runs out at a probe, also a failed one', () => {
  const scene = new Scene('x', 'y').probe('x').serve('x', refused).serve('x', refused);
  scene.at += 700;
  expect(scene.fail('x').node('x').ejected).toBeDefined();
  scene.at += 100;
  expect(scene.fail('x').node('x').ejected).toBeUndefined();
});

test('live failures and failed probes count together', () => {
  const scene = new Scene('x', 'y').probe('x').serve('x', refused).serve('x', refused).fail('x');
  expect(scene.node('x').health.state).toBe('down');
});

test.each<[string, NodeOutcome]>([
  ['time-outs of heavy methods', { kind: 'failure', code: 'TIMEOUT', light: false, counts: true }],
  ['failures that do not count', { kind: 'failure', code: 'RATE_LIMITED', light: true, counts: false }],
])('%s never take a node out', (_, outcome) => {
  const scene = new Scene('x', 'y').probe('x');
  for (let i = 0; i < 50; i++) scene.serve('x', outcome);
  scene.fail('x', 2);
  expect(scene.node('x')).toMatchObject({ ejected: undefined, health: { state: 'up' } });
});

test('at most half the nodes are taken out by traffic, those that are down not counted', () => {
  const scene = new Scene('w', 'x', 'y', 'z');
  for (const name of ['w', 'x', 'y', 'z']) scene.probe(name);
  const kill = (name: string): Scene => scene.serve(name, refused).serve(name, refused);
  const out = (): string[] => scene.registry.nodes.filter((node) => node.ejected).map(({ name }) => name);
  kill('w');
  kill('x');
  kill('y');
  expect(out()).toEqual(['w', 'x']);
  scene.fail('w', 3);
  kill('y');
  kill('z');
  expect(out()).toEqual(['w', 'x', 'y']);
  const alone = new Scene('x').probe('x').serve('x', refused).serve('x', refused).serve('x', refused);
  expect(alone.node('x').ejected).toBeUndefined();
});

test('a node rests as long as it asked, up to the bound, and never shorter than it asked before', () => {
  const scene = new Scene('x');
  scene.serve('x', { kind: 'rest', untilMs: START + 5000 });
  scene.serve('x', { kind: 'rest', untilMs: START + 1000 });
  expect(scene.node('x').restingUntil).toBe(START + 5000);
  scene.serve('x', { kind: 'rest', untilMs: START + 3_600_000 });
  expect(scene.node('x').restingUntil).toBe(START + 60_000);
  expect(scene.events).toEqual(['x: rests 5000 ms', 'x: rests 60000 ms']);
  expect(scene.node('x').ejected).toBeUndefined();
});

test('the latency is of light requests and probes, and follows within a second or two', () => {
  const scene = new Scene('x').probe('x');
  for (let i = 0; i < 20; i++) scene.serve('x', { kind: 'ok', latencyMs: 9000, light: false });
  expect(scene.node('x').latencyMs).toBe(10);
  for (let i = 0; i < 20; i++) {
    scene.at += 100;
    scene.serve('x', { kind: 'ok', latencyMs: 1000, light: true });
  }
  expect(scene.node('x').latencyMs).toBeGreaterThan(800);
});

test('a method that is missing is believed missing for five minutes, on that node', () => {
  const scene = new Scene('x', 'y');
  const lacks = (name: string, method: string): boolean => scene.registry.lacksMethod(scene.node(name), method);
  scene.registry.noteMethodMissing(scene.node('x'), 'eth_getProof');
  expect([lacks('x', 'eth_getProof'), lacks('x', 'eth_call'), lacks('y', 'eth_getProof')]).toEqual([
    true,
    false,
    false,
  ]);
  scene.at += 299_999;
  expect(lacks('x', 'eth_getProof')).toBe(true);
  scene.at += 1;
  expect(lacks('x', 'eth_getProof')).toBe(false);
  // The names are the callers': there may be any number of them.
  for (let i = 0; i < 10_000; i++) scene.registry.noteMethodMissing(scene.node('x'), `made_up${i}`);
  expect([lacks('x', 'made_up9999'), lacks('x', 'made_up0')]).toEqual([true, false]);
});

test('where state ends is remembered until the node was down', () => {
  const scene = new Scene('x').probe('x');
  const x = scene.node('x');
  scene.registry.noteOldestState(x, 50);
  scene.registry.noteOldestState(x, 20);
  expect(x.oldestState).toBe(50);
  scene.fail('x', 3).probe('x').probe('x');
  expect(x).toMatchObject({ oldestState: 0, health: { state: 'up' } });
});

test('a node that comes from elsewhere is refused', () => {
  const scene = new Scene('x');
  const copy = { ...traits('x') } as unknown as NodeView;
  expect(() => scene.registry.begin(copy)).toThrow('does not come from a registry');
});

test('another node under the same name is new, and nothing is told of the one before', () => {
  const scene = new Scene('x', 'y').probe('x').probe('y');
  const { registry } = scene;
  const [before, y] = registry.nodes;
  if (before === undefined) throw new Error('no node');
  registry.begin(before);
  scene.events.length = 0;
  expect(registry.apply([traits('x'), traits('y')], new Set(['x']))).toEqual({ added: [], removed: [] });
  expect(registry.nodes[1]).toBe(y);
  const after = scene.node('x');
  expect(after).not.toBe(before);
  expect([registry.has(before), registry.has(after)]).toEqual([false, true]);
  expect(after).toMatchObject({
    inFlight: 0,
    latencyMs: undefined,
    health: { state: 'down', reason: 'not probed yet' },
  });
  for (let i = 0; i < 3; i++) registry.report(before, refused);
  registry.report(before, { kind: 'rest', untilMs: START + 5000 });
  registry.end(before);
  expect(scene.events).toEqual([]);
  expect(before.inFlight).toBe(0);
  expect(after.ejected).toBeUndefined();
});
