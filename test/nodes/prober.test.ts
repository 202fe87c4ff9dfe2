import type { ProbeResult } from '../../runtime/nodes/probe';
import { Prober, type ProberOptions, type Send } from '../../runtime/nodes/prober';

const HASH = `0x${'ab'.repeat(32)}`;
const BLOCK = { number: '0x64', hash: HASH, parentHash: HASH, timestamp: '0x6553f100' };

/** What each node does with a method; by default it answers well, on chain 1. */
type Script = (method: string, signal: AbortSignal, params: readonly unknown[]) => unknown;

const ANSWERS: Record<string, unknown> = { eth_chainId: '0x1', eth_syncing: false, eth_getBlockByNumber: BLOCK };
const well: Script = (method) => ANSWERS[method];
const refuses: Script = () => Promise.reject(Object.assign(new Error('refused'), { code: 'CONNECT_FAILED' }));
const hangs: Script = () => new Promise(() => undefined);

class Scene {
  readonly stop = new AbortController();
  readonly results: [string, ProbeResult][] = [];
  readonly asked: [string, string][] = [];
  readonly scripts = new Map<string, Script>();
  readonly prober: Prober;
  /** Time only passes when it is moved, so that only the test decides when half a minute is over. */
  at = 0;
  private watchers: (() => void)[] = [];

  constructor(options: Partial<ProberOptions> = {}) {
    const send: Send = (node, method, params, _timeoutMs, signal) => {
      this.asked.push([node, method]);
      return Promise.resolve((this.scripts.get(node) ?? well)(method, signal, params));
    };
    this.prober = new Prober({
      send,
      chainId: 1,
      tickMs: () => 5,
      probeTimeoutMs: 40,
      now: () => this.at,
      random: Math.random,
      onResult: (node, result) => {
        this.results.push([node, result]);
        for (const wake of this.watchers.splice(0)) wake();
      },
      signal: this.stop.signal,
      ...options,
    });
  }

  of(node: string): ProbeResult[] {
    return this.results.filter(([name]) => name === node).map(([, result]) => result);
  }

  /** Until the node has `count` results, from the start. */
  async until(node: string, count: number): Promise<ProbeResult[]> {
    while (this.of(node).length < count) await new Promise<void>((resolve) => this.watchers.push(resolve));
    return this.of(node);
  }

  methods(node: string): string[] {
    return this.asked.filter(([name]) => name === node).map(([, method]) => method);
  }
}

let scene: Scene;

afterEach(async () => {
  scene.stop.abort();
  await scene.prober.ended();
});

test('the first round is over when every node was probed once, dead ones too', async () => {
  scene = new Scene();
  scene.scripts.set('dead', refuses).set('hung', hangs);
  await scene.prober.apply(['good', 'dead', 'hung']);
  expect(scene.of('good')[0]).toMatchObject({ kind: 'block', block: { number: 100 } });
  expect(scene.of('dead')[0]).toEqual({ kind: 'failure', code: 'CONNECT_FAILED' });
  expect(scene.of('hung')).toEqual([{ kind: 'failure', code: 'TIMEOUT' }]);
  // One that hangs holds up nobody else.
  expect(scene.of('good').length).toBeGreaterThan(1);
});

test('asks for the chain first, and then for the block alone until half a minute is over', async () => {
  scene = new Scene();
  await scene.prober.apply(['x']);
  await scene.until('x', 4);
  const methods = scene.methods('x');
  expect(methods.slice(0, 3)).toEqual(['eth_chainId', 'eth_syncing', 'eth_getBlockByNumber']);
  expect(new Set(methods.slice(3))).toEqual(new Set(['eth_getBlockByNumber']));
  scene.at += 30_000;
  const probed = scene.of('x').length;
  await scene.until('x', probed + 2);
  expect(scene.methods('x').filter((method) => method === 'eth_chainId')).toHaveLength(2);
});

test('a node that failed is asked for its chain before its block counts again', async () => {
  scene = new Scene();
  await scene.prober.apply(['x']);
  scene.scripts.set('x', refuses);
  const failing = scene.of('x').length;
  await scene.until('x', failing + 2);
  scene.scripts.set('x', (method) => (method === 'eth_chainId' ? '0x5' : ANSWERS[method]));
  const before = scene.of('x').length;
  await scene.until('x', before + 3);
  const after = scene.of('x').slice(failing);
  expect(after.some(({ kind }) => kind === 'wrong-chain')).toBe(true);
  // A probe in flight at the first change may still have seen the node well.
  expect(after.slice(1).some(({ kind }) => kind === 'block')).toBe(false);
});

test('probes of a node never overlap, however slow it is', async () => {
  scene = new Scene();
  let pending = 0;
  let most = 0;
  scene.scripts.set('x', async (method, _signal, params) => {
    if (method !== 'eth_getBlockByNumber' || params[0] !== 'latest') return ANSWERS[method];
    most = Math.max(most, ++pending);
    await new Promise((resolve) => setTimeout(resolve, 12));
    pending--;
    return BLOCK;
  });
  await scene.prober.apply(['x']);
  await scene.until('x', 5);
  expect(most).toBe(1);
});

// A node that died after its interval was shortened from a minute was found out when that minute was over.
test('another pace counts at once', async () => {
  let tick = 60_000;
  scene = new Scene({ tickMs: () => tick });
  await scene.prober.apply(['a', 'b']);
  tick = 5;
  scene.prober.hurry();
  await scene.until('a', 4);
  await scene.until('b', 4);
});

test('a probe that takes too long is aborted', async () => {
  scene = new Scene();
  const signals: AbortSignal[] = [];
  scene.scripts.set('x', (_, signal) => {
    signals.push(signal);
    return new Promise(() => undefined);
  });
  await scene.prober.apply(['x']);
  expect(signals[0]?.aborted).toBe(true);
});

test('without a given chain the first answer is what all must give', async () => {
  scene = new Scene({ chainId: undefined });
  expect(scene.prober.chainId).toBeUndefined();
  await scene.prober.apply(['x']);
  expect(scene.prober.chainId).toBe(1);
  scene.scripts.set('y', (method) => (method === 'eth_chainId' ? '0x5' : ANSWERS[method]));
  await scene.prober.apply(['x', 'y']);
  expect(scene.of('y')[0]).toEqual({ kind: 'wrong-chain', expected: 1, actual: 5 });
});

test('a node that was removed is neither probed nor heard of again', async () => {
  scene = new Scene();
  await scene.prober.apply(['x', 'y']);
  const pending = scene.prober.apply(['y', 'late']);
  scene.scripts.set('late', hangs);
  const known = scene.of('x').length;
  const probed = scene.of('y').length;
  await Promise.all([pending, scene.until('y', probed + 5)]);
  expect(scene.of('x')).toHaveLength(known);
});

test('nothing runs after the end, not even what hangs', async () => {
  scene = new Scene({ probeTimeoutMs: 60_000 });
  scene.scripts.set('hung', hangs);
  const first = scene.prober.apply(['x', 'hung']);
  await scene.until('x', 2);
  scene.stop.abort();
  await Promise.all([first, scene.prober.ended()]);
  const { length } = scene.asked;
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(scene.asked).toHaveLength(length);
  expect(scene.of('hung')).toEqual([]);
});
