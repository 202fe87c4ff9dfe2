import { WEIGHTER_METRICS } from '../../runtime/contract/metrics';
import { delay, hang, ScriptedNode } from '../support/scripted-node';
import { eventually } from '../support/eventually';
import { WeighterProcess } from '../support/weighter-process';
import { WeighterBed } from './weighter-bed';

/** Short, so that the tests are; the relations between them are those of the defaults. */
const INTERVAL_MS = 200;
const LIMITS = { adjustIntervalMs: INTERVAL_MS, maxBlockAgeMs: 3000, maxLatencyMs: 600, probeTimeoutMs: 900 };

jest.setTimeout(30_000);

let nodes: ScriptedNode[];
let bed: WeighterBed;
let weighter: WeighterProcess | undefined;

beforeEach(async () => {
  nodes = await Promise.all(['a', 'b', 'c'].map((name) => ScriptedNode.start({ name, blockTimeMs: 500 })));
  bed = await WeighterBed.start(nodes);
});

afterEach(async () => {
  await weighter?.stop();
  weighter = undefined;
  await bed.stop();
  await Promise.all(nodes.map((node) => node.close()));
});

async function start(extra: Readonly<Record<string, unknown>> = {}): Promise<WeighterProcess> {
  weighter = await WeighterProcess.start({ admin: bed.admin, ...LIMITS, ...extra });
  await eventually(
    async () => (await weighter?.status('/readyz')) === 200,
    () => weighter?.output ?? '',
  );
  return weighter;
}

function node(index: number): ScriptedNode {
  const one = nodes[index];
  if (one === undefined) throw new Error(`no node ${index}`);
  return one;
}

it('a node whose head is frozen weighs nothing, and as before when it goes on', async () => {
  const program = await start();
  await bed.untilWeights({ a: 100, b: 100, c: 100 });
  node(0).freeze();
  // Blocks are counted in whole seconds; then at most two intervals.
  await program.untilLogged('weight changed', { server: 'rpc-backend/a', from: 100, to: 0 });
  expect(program.logged('weight changed')[0]?.['reason']).toMatch(/^newest block is \d+ s old$/);
  expect(await bed.weights()).toEqual({ a: 0, b: 100, c: 100 });
  expect(await program.metric(WEIGHTER_METRICS.weight, { server: 'a' })).toBe(0);
  node(0).freeze(false);
  await program.untilLogged('weight changed', { server: 'rpc-backend/a', from: 0, to: 100 });
  await bed.untilWeights({ a: 100, b: 100, c: 100 });
  // Found out by itself, through HAProxy's local ports.
  expect(node(1).requests[0]).toMatchObject({ method: 'eth_getBlockByNumber', path: '/' });
});

it('a node that is too slow, fails or hangs weighs nothing, and holds up nobody', async () => {
  const program = await start();
  node(0).on('*', delay(700));
  await bed.untilWeights({ a: 0, b: 100, c: 100 });
  // Told after it is done.
  await program.untilLogged('weight changed', { server: 'rpc-backend/a', to: 0 });
  expect(program.logged('weight changed')[0]?.['reason']).toMatch(/^latency of 7\d\d ms$/);
  await node(1).refuse();
  node(2).on('*', hang());
  node(0).off();
  await bed.untilWeights({ a: 100, b: 0, c: 0 });
  for (const server of ['rpc-backend/b', 'rpc-backend/c'])
    await program.untilLogged('weight changed', { server, to: 0 });
  const reasons = program.logged('weight changed').map(({ server, reason }) => `${String(server)}: ${String(reason)}`);
  // Behind HAProxy a dead node is a 503 of HAProxy's.
  expect(reasons).toContain('rpc-backend/b: answered HTTP 503');
  expect(reasons).toContain('rpc-backend/c: no answer within 900 ms');
  // Rounds take the time-out of the one that hangs, not longer.
  const rounds = (await program.metric(WEIGHTER_METRICS.rounds)) ?? 0;
  const began = performance.now();
  await eventually(
    async () => ((await program.metric(WEIGHTER_METRICS.rounds)) ?? 0) >= rounds + 3,
    () => '3 rounds',
  );
  expect(performance.now() - began).toBeLessThan(4 * 900 + 500);
  expect(await program.metric(WEIGHTER_METRICS.probeFailures, { server: 'c', code: 'TIMEOUT' })).toBeGreaterThan(0);
  expect(await program.metric(WEIGHTER_METRICS.latency, { server: 'c' })).toBeUndefined();
});

it('all weigh 100 where none is healthy, and that is told once', async () => {
  const program = await start();
  node(0).on('*', delay(700));
  await bed.untilWeights({ a: 0 });
  for (const one of nodes) one.freeze();
  await bed.untilWeights({ a: 100, b: 100, c: 100 });
  await program.untilLogged('no server is healthy', { backend: 'rpc-backend' });
  node(1).freeze(false);
  await bed.untilWeights({ a: 0, b: 100, c: 0 });
  await program.untilLogged('a server is healthy again', { backend: 'rpc-backend' });
  expect(program.logged('no server is healthy')).toHaveLength(1);
});

it('proportional: a slow node keeps a small share, alone it has all', async () => {
  await start({ policy: 'proportional', smoothingMs: 500, maxLatencyMs: 2000, probeTimeoutMs: 2500 });
  node(2).on('*', delay(500));
  await eventually(
    async () => {
      const { a = 0, b = 0, c = 0 } = await bed.weights();
      return Math.max(a, b) === 256 && c > 0 && c < 40;
    },
    () => weighter?.output ?? '',
  );
  await Promise.all([node(0).refuse(), node(1).refuse()]);
  await bed.untilWeights({ a: 0, b: 0, c: 256 });
});

it('HAProxy restarted or reloaded has its weights back within an interval', async () => {
  // Rounds far apart: what heals is the look between them.
  node(0).on('*', delay(700));
  const program = await start({ adjustIntervalMs: 60_000 });
  await bed.untilWeights({ a: 0, b: 100 });
  await bed.process.reload();
  await bed.untilWeights({ a: 0, b: 100 }, 5000);
  await program.untilLogged('HAProxy restarted');
  await bed.down();
  await bed.up();
  await bed.untilWeights({ a: 0, b: 100 }, 5000);
  await eventually(
    () => program.logged('HAProxy restarted').length === 2,
    () => `two restarts told in ${program.output}`,
  );
  expect(await program.metric(WEIGHTER_METRICS.restarts)).toBe(2);
  expect(await program.metric(WEIGHTER_METRICS.rounds)).toBe(1);
});

// It counted as the healthy one that let the others weigh nothing, and the pool had nobody left.
it.each(['maint', 'drain'])(
  'a server in %s does not count: it is left alone, and the others share what there is',
  async (state) => {
    await bed.command(`set server rpc-backend/a state ${state}`);
    for (const index of [1, 2]) node(index).on('*', delay(700));
    const program = await start();
    await program.untilLogged('no server is healthy');
    await bed.untilWeights({ a: 100, b: 100, c: 100 });
    await bed.command('set server rpc-backend/a state ready');
    await bed.untilWeights({ a: 100, b: 0, c: 0 });
  },
);

it('somebody’s own set weight lasts until the next round', async () => {
  const program = await start();
  await bed.untilWeights({ a: 100 });
  await bed.command('set weight rpc-backend/a 7');
  await program.untilLogged('weight changed', { server: 'rpc-backend/a', from: 7, to: 100 });
  expect(await bed.weights()).toEqual({ a: 100, b: 100, c: 100 });
});

it('an admin socket that is down is told once, and once that it is back; traffic goes on meanwhile', async () => {
  const program = await start();
  await bed.down();
  await program.untilLogged('admin socket down', { code: 'REFUSED' });
  await eventually(
    async () => ((await program.metric(WEIGHTER_METRICS.socketErrors, { code: 'REFUSED' })) ?? 0) >= 3,
    () => program.output,
  );
  await eventually(
    async () => ((await program.metric(WEIGHTER_METRICS.staleness)) ?? 0) > 0.5,
    () => program.output,
  );
  // A pod must not lose its traffic for this.
  expect([await program.status('/livez'), await program.status('/readyz')]).toEqual([200, 200]);
  await bed.up();
  await program.untilLogged('admin socket back');
  await eventually(
    async () => ((await program.metric(WEIGHTER_METRICS.staleness)) ?? 9) < 0.5,
    () => program.output,
  );
  expect(program.logged('admin socket down')).toHaveLength(1);
  expect(program.logged('admin socket back')).toHaveLength(1);
});

it('stops at once, whatever it waits for, and HAProxy serves on', async () => {
  const program = await start({ maxLatencyMs: 20_000, probeTimeoutMs: 30_000 });
  node(0).on('*', hang());
  const calls = node(0).requests.length;
  await eventually(
    () => node(0).requests.length > calls,
    () => program.output,
  );
  const began = performance.now();
  const { code, output } = await program.stop();
  expect(code).toBe(0);
  expect(performance.now() - began).toBeLessThan(1000);
  expect(output).toContain('"msg":"stopped"');
  node(0).off();
  const answer = await fetch(bed.poolUrl, {
    method: 'POST',
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] }),
  });
  expect(await answer.json()).toMatchObject({ result: '0x539' });
});

it('stops when the program that started it is gone', async () => {
  const program = await start();
  program.disconnect();
  expect((await program.exited).code).toBe(0);
});

it('has health and metrics on its port, and nothing else', async () => {
  const program = await start();
  expect(await program.status('/metrics')).toBe(200);
  expect(await program.status('/nothing')).toBe(404);
  expect((await fetch(`${program.url}/livez`, { method: 'POST', body: 'x' })).status).toBe(405);
  const text = await (await fetch(`${program.url}/metrics`)).text();
  const known = new Set(text.split('\n').flatMap((line) => /^# TYPE (\S+)/.exec(line)?.[1] ?? []));
  expect(Object.values(WEIGHTER_METRICS).filter((name) => !known.has(name))).toEqual([]);
  expect(await program.metric(WEIGHTER_METRICS.blockNumber, { backend: 'rpc-backend', server: 'b' })).toBeGreaterThan(
    99,
  );
  expect(await program.metric(WEIGHTER_METRICS.blockAge, { server: 'b' })).toBeLessThan(5);
  expect(await program.metric(WEIGHTER_METRICS.weightSet, { server: 'b' })).toBe(100);
});
