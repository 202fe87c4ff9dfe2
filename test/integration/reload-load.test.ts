import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../support/eventually';
import { runLoad } from '../support/load-client';
import { echoMix } from '../support/load-mix';
import type { ScriptedNode } from '../support/scripted-node';
import { entry, type NodeEntry, oneChain, ReloadBed } from './reload-bed';

const RELOADS = 200;
const PACE_MS = 300;
const CLIENTS = 12;

let bed: ReloadBed;

beforeEach(() => {
  bed = new ReloadBed();
});

afterEach(() => bed.close());

/** What `count` sums up to once it stands still. */
async function untilQuiet(metric: string): Promise<void> {
  await eventually(
    async () => (await bed.proxy.metric(metric)) === 0,
    () => `${metric} to be 0`,
  );
}

describe('200 reloads under load', () => {
  it('cost no request, and untouched nodes keep their connections', async () => {
    const stay = [await bed.node('a'), await bed.node('b')];
    const come = [await bed.node('c'), await bed.node('d'), await bed.node('e')];
    const places = [await bed.node('moving'), await bed.node('moving')] as const;
    const nodes = [...stay, ...come, ...places];
    const present = new Set<ScriptedNode>(come);
    let place = 0;
    let perMinute = 1_000_000;
    const config = () => {
      const entries: NodeEntry[] = [...stay, ...present, places[place % 2] ?? places[0]].map((node) => entry(node));
      return oneChain(entries, { limits: { perMinute } }, { health: { intervalMs: 250 } });
    };
    const change = (turn: number): void => {
      const node = come[turn % come.length];
      if (turn % 4 === 3) place++;
      else if (turn % 2 === 0 || node === undefined) perMinute++;
      else if (!present.delete(node)) present.add(node);
    };
    await bed.start(config());
    await bed.proxy.until(({ chains }) => chains[0]?.nodes.every(({ health }) => health === 'up') === true);

    const stop = new AbortController();
    const mining = setInterval(() => nodes.forEach((node) => node.mine()), 1000);
    const running = runLoad({
      url: bed.proxy.url,
      clients: CLIENTS,
      durationMs: 240_000,
      pauseMs: 20,
      mix: echoMix,
      signal: stop.signal,
    });
    let applied = 0;
    let broken = 0;
    try {
      for (let turn = 1; turn <= RELOADS; turn++) {
        const next = sleep(PACE_MS);
        if (turn % 10 === 0) {
          broken++;
          const problems = await bed.putBroken({ ...config(), limits: { perMinute: -turn } });
          expect(problems).toEqual([`limits.perMinute must be a whole number from 1 to 1000000000, got -${turn}`]);
        } else {
          applied++;
          change(turn);
          await bed.put(config());
        }
        await next;
      }
    } finally {
      stop.abort();
      clearInterval(mining);
    }
    const ledger = await running;

    const unaborted = ledger.failures().filter(({ outcomes }) => outcomes[0]?.outcome.kind !== 'clientAbort');
    expect(unaborted).toEqual([]);
    expect(ledger.check({ nodes, maxAttempts: 3 })).toEqual([]);
    expect(ledger.entries.length).toBeGreaterThan(RELOADS * CLIENTS);
    // A connection a client at once, and those of probes; with each reload there would be hundreds.
    for (const node of stay) expect(node.connections.opened).toBeLessThan(3 * CLIENTS);

    await bed.put(oneChain(stay.map((node) => entry(node))));
    expect(await bed.proxy.metric('rpc_balancer_config_reloads_total', { result: 'applied' })).toBe(applied + 1);
    expect(await bed.proxy.metric('rpc_balancer_config_reloads_total', { result: 'refused' })).toBe(broken);
    await untilQuiet('rpc_balancer_requests_in_flight');
    await untilQuiet('rpc_balancer_node_in_flight');
    const metrics = await bed.proxy.metrics();
    expect(metrics).not.toMatch(/node="(c|d|e|moving)"/);
    expect(metrics).toContain('rpc_balancer_exceptions_total 0');
    for (const node of [...come, ...places]) await eventually(() => node.connections.open === 0);
    expect(bed.proxy.output).not.toContain('Warning');
  }, 300_000);
});

describe('all nodes replaced at once, again and again, under load', () => {
  it('cost no request', async () => {
    const nodes = [await bed.node('a'), await bed.node('b'), await bed.node('c'), await bed.node('d')];
    const halves = [nodes.slice(0, 2), nodes.slice(2)] as const;
    await bed.start(oneChain(halves[0].map((node) => entry(node))));
    await bed.proxy.until(({ chains }) => chains[0]?.nodes.every(({ health }) => health === 'up') === true);
    const running = runLoad({
      url: bed.proxy.url,
      clients: 8,
      durationMs: 8000,
      pauseMs: 10,
      mix: echoMix,
      ids: 'tricky',
    });
    for (let turn = 1; turn <= 10; turn++) {
      // By turns other names for the same machines, other machines, and other machines of the same names.
      const half = halves[turn % 2] ?? halves[0];
      await bed.put(oneChain(half.map((node, index) => entry(node, turn % 3 === 0 ? { name: `n${index}` } : {}))));
      await sleep(300);
    }
    const ledger = await running;
    expect(ledger.failures()).toEqual([]);
    expect(ledger.check({ nodes, maxAttempts: 3 })).toEqual([]);
    expect(await bed.proxy.metric('rpc_balancer_exceptions_total')).toBe(0);
  }, 60_000);
});
