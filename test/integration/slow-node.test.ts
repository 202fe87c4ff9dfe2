import { setTimeout as sleep } from 'node:timers/promises';
import { runLoad } from '../support/load-client';
import { echoMix } from '../support/load-mix';
import { ProxyProcess } from '../support/proxy-process';
import { delay, ScriptedNode } from '../support/scripted-node';

/**
 * Clients at full speed make many requests a second, of which the few that a slow node can hold are a small part; the
 * fewer there are, the more each one counts. Each load has a chain of its own.
 */
const LOADS = {
  sequential: { clients: 1, pauseMs: 0 },
  busy: { clients: 16, pauseMs: 0 },
  calm: { clients: 16, pauseMs: 100 },
} as const;
const names = Object.keys(LOADS) as (keyof typeof LOADS)[];

let trios: ScriptedNode[][];
let proxy: ProxyProcess;

beforeAll(async () => {
  const start = (name: string, chainId: number): Promise<ScriptedNode> =>
    ScriptedNode.start({ name, chainId, now: () => 1_800_000_000_000 });
  trios = await Promise.all(
    names.map((_, index) => Promise.all(['a', 'b', 'slow'].map((name) => start(name, index + 1)))),
  );
  const chains = names.map((name, index) => {
    const nodes = trios[index]?.map((node) => ({ name: node.name, url: node.url }));
    return [name, { chainId: index + 1, nodes }];
  });
  proxy = await ProxyProcess.start({ chains: Object.fromEntries(chains) as object });
  await proxy.until(({ chains: all }) => all.every(({ nodes }) => nodes.every(({ health }) => health === 'up')));
}, 30_000);

afterAll(async () => {
  const { code } = await proxy.stop();
  await Promise.all(trios.flat().map((node) => node.close()));
  expect(code).toBe(0);
});

it('a node that becomes a second slower gets less than 5 % of the traffic after 2 s, whatever the load', async () => {
  const running = names.map((name) =>
    runLoad({ url: `${proxy.url}/${name}`, ...LOADS[name], durationMs: 5000, mix: echoMix }),
  );
  await sleep(500);
  for (const [, , slow] of trios) slow?.on('*', delay(1000));
  await sleep(2000);
  const before = await shares();
  const ledgers = await Promise.all(running);
  const after = await shares();
  for (const [index, name] of names.entries()) {
    expect({ name, failures: ledgers[index]?.failures() }).toEqual({ name, failures: [] });
    const [slow, all] = [difference(after, before, name, 'slow'), difference(after, before, name, 'all')];
    expect({ name, isBusy: all > 50, gotFew: slow < 0.05 * all }).toEqual({ name, isBusy: true, gotFew: true });
  }
  // Healthy all the while: only the choice between nodes keeps the traffic away.
  expect(proxy.output).not.toMatch(/"msg":"node (lagging|down|ejected)"/);
}, 30_000);

type Counts = Record<'slow' | 'all', number>;

/** Attempts so far, by chain. */
async function shares(): Promise<Map<string, Counts>> {
  const { chains } = await proxy.status();
  return new Map(
    chains.map(({ name, nodes }) => {
      const slow = nodes.find((node) => node.name === 'slow')?.attempts ?? 0;
      return [name, { slow, all: nodes.reduce((sum, node) => sum + node.attempts, 0) }];
    }),
  );
}

function difference(after: Map<string, Counts>, before: Map<string, Counts>, name: string, key: keyof Counts): number {
  return (after.get(name)?.[key] ?? 0) - (before.get(name)?.[key] ?? 0);
}
