import { parseArgs } from 'node:util';
import { latencies, quantile } from './load';
import { Bed } from './processes';
import { type Pace, race, type Target } from './race';
import { call, constantScript } from './scripts';
import { measureSharedState } from './shared-state';

interface Scenario {
  readonly name: string;
  readonly body: string;
  /** The stub answers a whole batch at a path of its own when no balancer has taken it apart. */
  readonly peerPath: string;
}

const SCENARIOS: readonly Scenario[] = [
  { name: 'pass-through', body: call(1, 'net_listening'), peerPath: '/' },
  {
    name: 'cache hit',
    body: call(1, 'eth_call', [{ to: `0x${'11'.repeat(20)}`, data: '0x70a08231' }, 'latest']),
    peerPath: '/',
  },
  { name: 'coalesced', body: call(1, 'eth_getTransactionByHash', [`0x${'22'.repeat(32)}`]), peerPath: '/' },
  {
    name: 'batch of 20',
    body: `[${Array.from({ length: 20 }, (_, id) => call(id, 'net_listening')).join(',')}]`,
    peerPath: '/batch',
  },
];

/** Measures the proxy beside HAProxy and nginx, in turn and several times, so that what else the machine does hits all. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '2' },
      only: { type: 'string' },
      profile: { type: 'string' },
    },
  });
  Bed.assertTools();
  const bed = new Bed();
  try {
    const stub = await bed.stub();
    const targets = {
      haproxy: await bed.haproxy(stub),
      nginx: await bed.nginx(stub),
      proxy: await bed.proxy(stub, {
        nodeArgs: values.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.profile}`],
      }),
    };
    const pace: Pace = { rounds: Number(values.rounds), seconds: Number(values.seconds) };
    const only = values.only;
    await measureThroughput(
      bed,
      SCENARIOS.filter(({ name }) => only === undefined || name === only),
      targets,
      pace,
    );
    if (only === undefined || only === 'shared') await measureSharedState(bed, stub, pace);
    if (only === undefined) await measureLatency({ direct: stub, ...targets }, pace);
  } finally {
    await bed.close();
  }
}

async function measureThroughput(
  bed: Bed,
  scenarios: readonly Scenario[],
  ports: Readonly<Record<string, number>>,
  pace: Pace,
): Promise<void> {
  for (const { name, body, peerPath } of scenarios) {
    const script = constantScript(bed, name, body);
    const targets = Object.entries(ports).map(([target, port]): [string, Target] => {
      const path = target === 'proxy' ? '/' : peerPath;
      return [target, { url: `http://127.0.0.1:${port}${path}`, script }];
    });
    await race({ name, targets: Object.fromEntries(targets), peer: 'haproxy' }, pace);
  }
}

async function measureLatency(targets: Record<string, number>, { rounds, seconds }: Pace): Promise<void> {
  const body = SCENARIOS[0]?.body ?? '';
  const all: Record<string, number[]> = {};
  for (let round = -1; round < rounds; round++) {
    for (const [target, port] of Object.entries(targets)) {
      const taken = await latencies(`http://127.0.0.1:${port}/`, body, 1000, seconds);
      if (round >= 0) (all[target] ??= []).push(...taken);
    }
  }
  for (const taken of Object.values(all)) taken.sort((a, b) => a - b);
  const direct = all['direct'] ?? [];
  for (const [target, taken] of Object.entries(all)) {
    const [p50, p99] = [quantile(taken, 0.5), quantile(taken, 0.99)];
    const added = `added p50 ${(p50 - quantile(direct, 0.5)).toFixed(2)} ms, p99 ${(p99 - quantile(direct, 0.99)).toFixed(2)} ms`;
    console.log(`1 000/s        ${target.padEnd(8)} p50 ${p50.toFixed(2)} ms  p99 ${p99.toFixed(2)} ms   ${added}`);
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
