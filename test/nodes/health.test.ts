import { type HealthEvent, type HealthFacts, newHealthRecord, nextHealth } from '../../runtime/nodes/health';
import { lagLimit } from '../../runtime/nodes/lagging-reason';
import { blockAt, RULES } from './fixtures';

const START = 1_700_000_000_000;
const HEAD = 1000;

/** A node and its chain; events happen at the scene's time. */
class Scene {
  now = START;
  record = newHealthRecord(START);
  facts: Partial<HealthFacts> = {};

  send(event: HealthEvent): this {
    const facts: HealthFacts = {
      now: this.now,
      chainHead: blockAt(HEAD, this.now),
      blockTimeMs: 12_000,
      tickMs: 1000,
      latencyMs: 20,
      suspiciousBy: 0,
      ...this.facts,
    };
    this.record = nextHealth(this.record, event, facts, RULES);
    return this;
  }

  block(number: number, syncing = false, ageMs = 0): this {
    return this.send({ kind: 'block', block: blockAt(number, this.now, ageMs), syncing });
  }

  fail(code = 'RESET', live = false): this {
    return this.send({ kind: 'failure', code, live });
  }

  wait(ms: number): this {
    this.now += ms;
    return this;
  }

  get state(): string {
    return this.record.health.state;
  }

  get reason(): string {
    return this.record.health.state === 'up' ? '' : this.record.health.reason;
  }
}

const wrongChain: HealthEvent = { kind: 'wrong-chain', expected: 1, actual: 5 };

const probeFailure: HealthEvent = { kind: 'failure', code: 'TIMEOUT', live: false };
const liveFailure: HealthEvent = { kind: 'failure', code: 'RESET', live: true };
const answer: HealthEvent = { kind: 'answer' };
const told: HealthEvent = { kind: 'told', block: blockAt(HEAD + 1, START) };
const good: HealthEvent = { kind: 'block', block: blockAt(HEAD, START), syncing: false };

test.each<[string, HealthEvent[], string]>([
  ['is down before it was probed', [], 'down'],
  ['is up after its first good probe', [good], 'up'],
  ['is up after its first good probe, though failures came before', [probeFailure, probeFailure, good], 'up'],
  ['survives fewer failures than fall', [good, probeFailure, probeFailure], 'up'],
  ['is down after fall failed probes', [good, probeFailure, probeFailure, probeFailure], 'down'],
  ['is down after failures of both kinds', [good, liveFailure, liveFailure, probeFailure], 'down'],
  ['is not down for live failures alone', [good, liveFailure, liveFailure, liveFailure, liveFailure], 'up'],
  ['starts counting anew after a good probe', [good, probeFailure, probeFailure, good, probeFailure], 'up'],
  ['starts counting anew after an answer', [good, probeFailure, probeFailure, answer, probeFailure], 'up'],
  ['stays down at an answer', [good, probeFailure, probeFailure, probeFailure, answer], 'down'],
  ['is not up because it tells of blocks', [told, told, told], 'down'],
  ['does not rise because it tells of blocks', [good, ...Array<HealthEvent>(3).fill(probeFailure), told, told], 'down'],
  [
    'tells of blocks in vain while its probes fail',
    [good, probeFailure, told, probeFailure, told, probeFailure],
    'down',
  ],
  ['tells of blocks in vain on a wrong chain', [wrongChain, told], 'down'],
  ['needs more than one good probe to rise', [good, probeFailure, probeFailure, probeFailure, good], 'down'],
  ['rises after that many', [good, probeFailure, probeFailure, probeFailure, good, good], 'up'],
  ['rises anew after a relapse', [good, ...Array<HealthEvent>(3).fill(probeFailure), good, probeFailure, good], 'down'],
  ['is down on a wrong chain at start', [wrongChain], 'down'],
  ['is down on a wrong chain at once', [good, wrongChain], 'down'],
  ['rises from a wrong chain', [wrongChain, good], 'down'],
  ['is up when it is on the right chain again', [wrongChain, good, good], 'up'],
  ['does not rise while it is on a wrong chain', [good, wrongChain, answer, wrongChain, wrongChain], 'down'],
])('%s', (_, events, state) => {
  const scene = new Scene();
  for (const event of events) scene.send(event);
  expect(scene.state).toBe(state);
});

test('has the block it tells of, and lags by one that is old', () => {
  const scene = new Scene().block(HEAD - 1).send({ kind: 'told', block: blockAt(HEAD, START) });
  expect(scene.record.head?.number).toBe(HEAD);
  scene.send({ kind: 'told', block: blockAt(HEAD - 4, START) });
  expect(scene.reason).toBe('4 blocks behind');
});

test('tells why it is down', () => {
  const scene = new Scene();
  expect(scene.record.health).toEqual({ state: 'down', reason: 'not probed yet', wrongChain: false });
  expect(scene.fail('CONNECT_FAILED').reason).toBe('failed: CONNECT_FAILED');
  expect(scene.fail('TIMEOUT').reason).toBe('failed 2 times in a row, the last time: TIMEOUT');
  scene.send(wrongChain);
  expect(scene.record.health).toEqual({ state: 'down', reason: 'is on chain 5, not on chain 1', wrongChain: true });
  expect(scene.record.head).toBeUndefined();
  // It may be gone, but nobody has seen it on the right chain.
  expect(scene.fail('TIMEOUT').record.health).toMatchObject({ wrongChain: true });
  expect(scene.block(HEAD).record.health).toEqual({
    state: 'down',
    reason: 'answers again, 1 of 2 probes',
    wrongChain: false,
  });
});

test.each<[string, Partial<HealthFacts>, (scene: Scene) => Scene, string]>([
  ['at the head', {}, (scene) => scene.block(HEAD), ''],
  ['three behind', {}, (scene) => scene.block(HEAD - 3), ''],
  ['four behind', {}, (scene) => scene.block(HEAD - 4), '4 blocks behind'],
  ['eight behind on a fast chain', { blockTimeMs: 250 }, (scene) => scene.block(HEAD - 8), ''],
  ['nine behind on a fast chain', { blockTimeMs: 250 }, (scene) => scene.block(HEAD - 9), '9 blocks behind'],
  ['syncing and behind', {}, (scene) => scene.block(HEAD - 1, true), 'syncing, 1 blocks behind'],
  ['syncing by its own word only', {}, (scene) => scene.block(HEAD, true), ''],
  ['slow', { latencyMs: 3000 }, (scene) => scene.block(HEAD), 'answers in 3000 ms'],
  ['not quite slow', { latencyMs: 2999 }, (scene) => scene.block(HEAD), ''],
  [
    'alone far ahead',
    { suspiciousBy: 9999 },
    (scene) => scene.block(10_999),
    'claims block 10999, 9999 ahead of the other nodes',
  ],
  ['old with everybody', {}, (scene) => scene.block(HEAD, false, 1e9).wait(9000).block(HEAD, false, 1e9), ''],
  ['old while others just got a newer one', {}, (scene) => scene.block(HEAD - 1, false, 1e9), ''],
  [
    'old while others have newer ones',
    {},
    (scene) =>
      scene
        .block(HEAD - 1, false, 150_000)
        .wait(3000)
        .block(HEAD - 1, false, 153_000),
    'newest block is 153 s old, others have newer ones',
  ],
  ['no head known', { chainHead: undefined }, (scene) => scene.block(HEAD), ''],
])('a node that is %s', (_, facts, act, reason) => {
  const scene = new Scene();
  scene.facts = facts;
  act(scene);
  expect(scene.reason).toBe(reason);
  expect(scene.state).toBe(reason === '' ? 'up' : 'lagging');
});

test('what two ticks may miss is no lag', () => {
  expect([lagLimit(3, 1000, 12_000), lagLimit(3, 250, 250), lagLimit(3, 250, 100), lagLimit(3, 1000, 250)]).toEqual([
    3, 3, 5, 8,
  ]);
});

test('a lag that swings around the limit changes the state at most once in ten seconds', () => {
  const scene = new Scene();
  let last = scene.block(HEAD).state;
  const changedAt: number[] = [];
  for (let i = 0; i < 400; i++) {
    scene.wait(250).block(HEAD - (i % 3) * 2);
    if (scene.state !== last) changedAt.push(scene.now);
    last = scene.state;
  }
  expect(changedAt.length).toBeGreaterThan(4);
  const gaps = changedAt.slice(1).map((at, i) => at - (changedAt[i] ?? 0));
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(10_000);
  expect(scene.record.since).toBe(changedAt.at(-1));
});

test('the first lag counts at once, and so does being down', () => {
  const scene = new Scene()
    .block(HEAD)
    .wait(250)
    .block(HEAD - 10);
  expect(scene.state).toBe('lagging');
  expect(scene.wait(250).block(HEAD).reason).toBe('caught up a moment ago');
  expect(scene.fail().fail().fail().state).toBe('down');
});

test('a head that cannot be believed does not wait for calm', () => {
  const scene = new Scene()
    .block(HEAD)
    .block(HEAD - 10)
    .wait(10_000)
    .block(HEAD);
  expect(scene.state).toBe('up');
  scene.facts = { suspiciousBy: 500 };
  expect(scene.wait(250).block(HEAD + 500).state).toBe('lagging');
});

test('a head that moves on without the node is noticed at its next block, not before it could show one', () => {
  const scene = new Scene().block(HEAD);
  scene.facts = { chainHead: blockAt(HEAD + 9, START) };
  expect(scene.send({ kind: 'review' }).state).toBe('up');
  expect(scene.block(HEAD).record.health).toMatchObject({ state: 'lagging', behind: 9 });
});
