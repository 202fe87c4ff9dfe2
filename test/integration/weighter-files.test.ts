import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WEIGHTER_METRICS } from '../../runtime/contract/metrics';
import { ChainConductor } from '../support/chain-conductor';
import { prompted, ScriptedAdminSocket } from '../support/scripted-admin-socket';
import { delay, hang, ScriptedNode } from '../support/scripted-node';
import { eventually } from '../support/eventually';
import { WeighterProcess } from '../support/weighter-process';
import { WeighterBed } from './weighter-bed';

jest.setTimeout(30_000);

const LIMITS = { adjustIntervalMs: 200, maxLatencyMs: 600, probeTimeoutMs: 900, listen: { port: 0 } };

const folder = mkdtempSync(join(tmpdir(), 'weighter-'));
afterAll(() => rmSync(folder, { recursive: true }));

const servers = (...all: readonly [name: string, url: string][]) =>
  all.map(([serverName, serverUrl]) => ({ backendName: 'rpc-backend', serverName, serverUrl }));

describe('on real nodes', () => {
  let chain: ChainConductor;
  let bed: WeighterBed;

  beforeAll(async () => {
    chain = await ChainConductor.start({ nodes: 2 });
    await chain.mine(3);
    const [a, b] = chain.nodes;
    bed = await WeighterBed.start([
      { name: 'quicknode', port: a?.port ?? 0 },
      { name: 'alchemy', port: b?.port ?? 0 },
    ]);
  });

  afterAll(async () => {
    await bed.stop();
    await chain.close();
  });

  /** The guide's config.json; only ports and URLs are the test's. */
  const guide = () =>
    JSON.stringify({
      admin: { host: '127.0.0.1', port: bed.adminPort },
      servers: servers(['quicknode', chain.nodes[0]?.url ?? ''], ['alchemy', chain.nodes[1]?.url ?? '']),
    });

  it('the guide’s file: a frozen node weighs nothing, as --dry-run tells beforehand and --once sets', async () => {
    const file = join(folder, 'config.json');
    writeFileSync(file, guide());
    const first = await WeighterProcess.run(['--config', file, '--once']);
    expect(first).toMatchObject({ code: 0 });
    expect(await bed.weights()).toEqual({ quicknode: 100, alchemy: 100 });

    const frozen = chain.nodes[1];
    if (frozen === undefined) throw new Error('no node');
    await chain.freezeHead(frozen);
    const old = { ...JSON.parse(guide()), maxBlockAgeMs: 3000 } as Record<string, unknown>;
    // The frozen node's block grows old; the other gets new ones.
    await new Promise((resolve) => setTimeout(resolve, 4500));
    await chain.mine(2);
    const dry = await WeighterProcess.run(['--config', '-', '--dry-run'], JSON.stringify(old));
    expect(dry.code).toBe(0);
    const lines = dry.output.split('\n');
    expect(lines[0]).toMatch(/^server +block lag +block age +latency +weight +should be +why$/);
    expect(lines[1]).toMatch(/^rpc-backend\/quicknode +0 +-?\d s +\d+ ms +100 +100 +healthy$/);
    expect(lines[2]).toMatch(/^rpc-backend\/alchemy +2 +\d+ s +\d+ ms +100 +0 +newest block is \d+ s old$/);
    expect(await bed.weights()).toEqual({ quicknode: 100, alchemy: 100 });

    const once = await WeighterProcess.run(['--config', '-', '--once'], JSON.stringify(old));
    expect(once.code).toBe(0);
    expect(once.output).toMatch(/"server":"rpc-backend\/alchemy","from":100,"to":0,.*"msg":"weight changed"/);
    expect(await bed.weights()).toEqual({ quicknode: 100, alchemy: 0 });

    await chain.release(frozen);
    await chain.mine();
    expect((await WeighterProcess.run(['--config', '-', '--once'], JSON.stringify(old))).code).toBe(0);
    expect(await bed.weights()).toEqual({ quicknode: 100, alchemy: 100 });
  });
});

describe('on scripted nodes', () => {
  let nodes: ScriptedNode[];
  let weighter: WeighterProcess | undefined;

  beforeEach(async () => {
    nodes = await Promise.all(['a', 'b'].map((name) => ScriptedNode.start({ name, blockTimeMs: 500 })));
  });

  afterEach(async () => {
    await weighter?.stop();
    weighter = undefined;
    await Promise.all(nodes.map((node) => node.close()));
  });

  const [urlOf, key] = [(index: number): string => `${nodes[index]?.url ?? ''}/v2/canarykey`, 'canary'];

  it('a server HAProxy does not know is told, again and again tried, and the others are set', async () => {
    const bed = await WeighterBed.start(nodes);
    nodes[1]?.on('*', delay(700));
    const config = {
      admin: bed.admin,
      ...LIMITS,
      servers: servers(['gone', urlOf(0)], ['a', urlOf(0)], ['b', urlOf(1)]),
    };
    weighter = await WeighterProcess.start(config);
    const program = weighter;
    await bed.untilWeights({ a: 100, b: 0 });
    await program.untilLogged('weight refused', { server: 'rpc-backend/gone', code: 'NO_SUCH_SERVER' });
    await eventually(
      async () => ((await program.metric(WEIGHTER_METRICS.refusals, { server: 'gone' })) ?? 0) >= 3,
      () => program.output,
    );
    expect(program.logged('weight refused')).toHaveLength(1);
    // Not all weights are what they should be.
    expect(await program.status('/readyz')).toBe(503);
    // Two servers with one URL are one probe.
    const perRound = (nodes[0]?.requests.length ?? 0) / ((await program.metric(WEIGHTER_METRICS.rounds)) ?? 1);
    expect(perRound).toBeLessThan(1.5);
    const once = await WeighterProcess.run(['--config', '-', '--once'], JSON.stringify(config));
    expect(once.code).toBe(1);
    expect(once.output).toContain('not every weight could be set: HAProxy refused');
    expect((await program.stop()).output).not.toContain(key);
    await bed.stop();
  });

  it('a backend that takes only 0 % and 100 % gets these, under both policies', async () => {
    const sticky = (name: string, port: number): string => `    server ${name} 127.0.0.1:${port} weight 10\n`;
    const bed = await WeighterBed.start(
      nodes,
      `backend rpc-backend-sticky\n    balance source\n${nodes.map(({ name, port }) => sticky(name, port)).join('')}`,
    );
    nodes[1]?.on('*', delay(200));
    for (const policy of ['equal', 'proportional']) {
      const config = JSON.stringify({ admin: bed.admin, ...LIMITS, policy });
      expect(await WeighterProcess.run(['--config', '-', '--once'], config)).toMatchObject({ code: 0 });
      expect(await bed.weights('rpc-backend-sticky')).toEqual({ a: 10, b: 10 });
    }
    expect((await bed.weights())['b']).toBeLessThan(100);
    nodes[1]?.on('*', delay(700));
    const config = JSON.stringify({ admin: bed.admin, ...LIMITS });
    expect(await WeighterProcess.run(['--config', '-', '--once'], config)).toMatchObject({ code: 0 });
    expect(await bed.weights('rpc-backend-sticky')).toEqual({ a: 10, b: 0 });
    expect(await bed.weights()).toEqual({ a: 100, b: 0 });
    await bed.stop();
  });

  it('another chain’s dead pool does not count with the living ones of the first', async () => {
    const bed = await WeighterBed.start(nodes, 'backend rpc-backend-base\n    server x 127.0.0.1:1 weight 50\n');
    const config = JSON.stringify({ admin: bed.admin, ...LIMITS });
    expect(await WeighterProcess.run(['--config', '-', '--once'], config)).toMatchObject({ code: 0 });
    // The only one of its pool, so all of it: none is healthy there, and somebody has to serve.
    expect(await bed.weights('rpc-backend-base')).toEqual({ x: 100 });
    expect(await bed.weights()).toEqual({ a: 100, b: 100 });
    await bed.stop();
  });

  it.each<[string, string, Parameters<typeof ScriptedAdminSocket.start>[0]]>([
    ['hangs', 'TIMEOUT', () => undefined],
    ['answers half', 'HALF_ANSWER', (_, socket) => void socket.end(prompted('Name: HAProxy'))],
    ['answers garbage', 'BAD_ANSWER', (_, socket) => void socket.end('\u0000\u001b[2Jcanary\n')],
    ['answers something else', 'BAD_ANSWER', () => prompted('Permission denied', 'Permission denied')],
  ])('a socket that %s is reported, tried again, and does not end the program', async (_, code, script) => {
    const socket = await ScriptedAdminSocket.start(script);
    const config = { admin: socket.address, ...LIMITS, socketTimeoutMs: 200, servers: servers(['a', urlOf(0)]) };
    weighter = await WeighterProcess.start(config);
    const program = weighter;
    await eventually(
      async () => ((await program.metric(WEIGHTER_METRICS.socketErrors, { code })) ?? 0) >= 3,
      () => program.output,
    );
    expect(program.logged('admin socket down')).toHaveLength(1);
    expect(program.output).not.toContain(key);
    expect(await program.status('/livez')).toBe(200);
    // The probes go on, so that the first answer finds the right weights.
    expect(await program.metric(WEIGHTER_METRICS.weight, { server: 'a' })).toBe(100);
    expect((await program.stop()).code).toBe(0);
    const once = await WeighterProcess.run(['--config', '-', '--once'], JSON.stringify(config));
    expect(once.code).toBe(1);
    const dry = await WeighterProcess.run(['--config', '-', '--dry-run'], JSON.stringify(config));
    expect(dry.code).toBe(1);
    expect(dry.output).toMatch(/rpc-backend\/a +0 +-?\d s +\d+ ms +- +100 +healthy/);
    await socket.close();
  });

  it('a socket that answers half of the weights has them all in the next round', async () => {
    const bed = await WeighterBed.start(nodes);
    const view = await askBoth(bed);
    let halves = 0;
    const socket = await ScriptedAdminSocket.start((line, client) => {
      if (line.includes('show info')) return prompted(...view);
      halves++;
      if (halves > 2) return prompted('', '');
      client.end(prompted(''));
      return undefined;
    });
    nodes[0]?.on('*', hang());
    nodes[1]?.on('*', hang());
    const program = (weighter = await WeighterProcess.start({
      ...LIMITS,
      admin: socket.address,
      servers: servers(['a', urlOf(0)], ['b', urlOf(1)]),
    }));
    await program.untilLogged('admin socket down', { code: 'HALF_ANSWER' });
    await program.untilLogged('admin socket back');
    await program.untilLogged('weight changed', { server: 'rpc-backend/b', from: 7, to: 100 });
    await socket.close();
    await bed.stop();
  });

  /** What HAProxy says of itself, with other weights than there should be. */
  async function askBoth(bed: WeighterBed): Promise<string[]> {
    for (const name of ['a', 'b']) await bed.command(`set weight rpc-backend/${name} 7`);
    return [(await bed.command('show info')).trimEnd(), (await bed.command('show servers state')).trimEnd()];
  }
});

describe('the command line', () => {
  it('tells its options, exit codes and signals', async () => {
    const { code, output } = await WeighterProcess.run(['--help']);
    expect(code).toBe(0);
    for (const text of ['--config FILE', '--once', '--dry-run', 'SIGTERM', 'Exit codes'])
      expect(output).toContain(text);
  });

  it.each([
    [[], '--config FILE is missing'],
    [['--confg', 'x'], "Unknown option '--confg'"],
    [['--config', '-', '--once', '--dry-run'], 'only one of them'],
    [['--config', '/nowhere/config.json'], 'the file must be readable, got ENOENT'],
  ])('refuses %j', async (args, reason) => {
    const { code, output } = await WeighterProcess.run(args, '{}');
    expect(output).toContain(reason);
    expect(output).not.toMatch(/\n +at /);
    expect(code).toBe(2);
  });

  it('tells all problems of a file, and no key', async () => {
    const broken = { policy: 'x', adjustIntervalMs: 0, servers: servers(['a;b', 'ftp://h.example/canarykey']) };
    const { code, output } = await WeighterProcess.run(['--config', '-'], JSON.stringify(broken));
    expect(code).toBe(2);
    for (const path of ['policy', 'adjustIntervalMs', 'servers[0].serverName', 'servers[0].serverUrl']) {
      expect(output).toContain(path);
    }
    expect(output).not.toContain('canarykey');
  });

  it('tells that its port is taken, and that there is nobody to set weights for', async () => {
    const socket = await ScriptedAdminSocket.start(() => undefined);
    const listen = socket.address;
    const taken = await WeighterProcess.run(['--config', '-'], JSON.stringify({ listen }));
    expect(taken).toMatchObject({ code: 1, output: `listen.port: 127.0.0.1:${listen.port} is taken\n` });
    await socket.close();
    const nobody = JSON.stringify({ admin: listen });
    const once = await WeighterProcess.run(['--config', '-', '--once'], nobody);
    expect(once.code).toBe(1);
    expect(once.output).toContain(`HAProxy at 127.0.0.1:${listen.port} cannot be reached: ECONNREFUSED`);
  });
});
