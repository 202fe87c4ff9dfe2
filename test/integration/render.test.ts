import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { chmod, mkdir, rm, rmdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runLoad } from '../support/load-client';
import { echoMix } from '../support/load-mix';
import { RenderProcess } from '../support/render-process';
import { ScriptedAdminSocket } from '../support/scripted-admin-socket';
import { delay, ScriptedNode } from '../support/scripted-node';
import { TlsNode } from '../support/tls-node';
import { eventually } from '../support/eventually';
import { WeighterProcess } from '../support/weighter-process';
import { selfSigned } from '../upstream/certificate';
import { ask } from './haproxy-bed';
import { type BedNode, RenderBed } from './render-bed';

jest.setTimeout(60_000);

let node: ScriptedNode;
let bed: RenderBed;
let render: RenderProcess | undefined;
let closing: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  node = await ScriptedNode.start({ name: 'a' });
  bed = await RenderBed.create([a()], { KEY: 'canary-1' });
});

afterEach(async () => {
  const output = (await render?.stop())?.output ?? '';
  render = undefined;
  for (const close of closing.reverse()) await close();
  closing = [];
  await bed.close();
  await node.close();
  // Whatever happened.
  expect(output).not.toMatch(/canary/);
});

function a(): BedNode {
  return { name: 'a', url: `http://user:canary-password@127.0.0.1:${node.port}/v2/\${KEY}?k=canary-query` };
}

/** Rendered, HAProxy started with that, and followed. */
async function start(): Promise<RenderProcess> {
  expect((await RenderProcess.run(bed.args)).code).toBe(0);
  await bed.startHaproxy();
  render = await bed.watch();
  await render.untilLogged('HAProxy runs the file');
  return render;
}

/** The path that requests to the pool arrive with. */
async function pathNow(): Promise<string | undefined> {
  const before = node.callsOf('eth_getBalance').length;
  expect((await ask(bed.url, 'eth_getBalance', ['0x1', 'latest'])).status).toBe(200);
  return node.callsOf('eth_getBalance')[before]?.path;
}

describe('once', () => {
  it('writes the file for HAProxy alone, as a whole, and only when it changes', async () => {
    const first = await RenderProcess.run(bed.args);
    expect(first).toMatchObject({ code: 0, rendered: true });
    expect(readFileSync(bed.out, 'utf8')).toContain('/v2/canary-1');
    const { mode, ino } = statSync(bed.out);
    expect(mode & 0o777).toBe(0o640);
    await utimes(bed.out, 1, 1);
    await chmod(bed.out, 0o644);
    const second = await RenderProcess.run(bed.args);
    expect(second).toMatchObject({ code: 0, rendered: true });
    expect(second.output).toContain('haproxy.cfg is as it was');
    const same = statSync(bed.out);
    expect([same.ino, same.mtimeMs, same.mode & 0o777]).toEqual([ino, 1000, 0o640]);
    await bed.putSecrets({ KEY: 'canary-2' });
    expect((await RenderProcess.run(bed.args)).code).toBe(0);
    expect(readFileSync(bed.out, 'utf8')).toContain('/v2/canary-2');
    expect(readdirSync(join(bed.folder, 'run'))).toEqual(['haproxy.cfg']);
    expect(first.output + second.output).not.toContain('canary');
    await bed.startHaproxy();
    expect(await pathNow()).toBe('/v2/canary-2?k=canary-query');
    expect(bed.haproxyOutput).not.toMatch(/ALERT|WARNING/);
  });

  it('takes names from the environment, and the configuration from its input', async () => {
    const input = JSON.stringify(bed.configOf([a()]));
    const done = await RenderProcess.run(['--config', '-', '--out', bed.out], input, { KEY: 'canary-env' });
    expect(done.code).toBe(0);
    expect(readFileSync(bed.out, 'utf8')).toContain('/v2/canary-env');
    expect(done.output).not.toContain('canary');
    expect(await RenderProcess.run(['--config', '-', '--check'], input, { KEY: 'x' })).toMatchObject({
      code: 0,
      output: 'valid: 1 node behind HAProxy\n',
    });
  });

  it('tells all problems at once, each by its path, names the secret that is missing, and writes nothing', async () => {
    const nodes = [a(), { name: 'b', url: 'https://eth.example/${OTHER_KEY}' }, { name: 'c', url: 'canary://x' }];
    await bed.mountText(JSON.stringify({ ...bed.configOf(nodes), haproxi: {}, defaultChain: 'canary-not' }));
    await bed.putSecrets({});
    const { code, output, rendered } = await RenderProcess.run(bed.args);
    expect([code, rendered, existsSync(bed.out)]).toEqual([2, false, false]);
    const rule = 'must be the name of a secret, or of an environment variable, that is set';
    expect(output).toContain(`chains.main.nodes[0].provider.url ${rule}, got \${KEY}`);
    expect(output).toContain(`chains.main.nodes[1].provider.url ${rule}, got \${OTHER_KEY}`);
    expect(output).toContain('chains.main.nodes[2].provider.url must be');
    expect(output).toContain('defaultChain must be');
    expect(output).not.toContain('canary://');
  });

  it.each([
    ['no arguments', []],
    ['an unknown one', ['--config', 'x', '--out', 'y', '--what']],
    ['nowhere to write to', ['--config', 'x']],
    ['a check that writes', ['--config', 'x', '--check', '--out', 'y']],
    ['input that is watched', ['--config', '-', '--out', 'y', '--watch']],
    ['a master without a watch', ['--config', 'x', '--out', 'y', '--master-socket', '/x']],
    ['a master that is nowhere', ['--config', 'x', '--out', 'y', '--watch', '--master-socket', 'x']],
    ['a file that is not there', ['--config', '/not/there', '--out', 'y']],
  ])('%s: exit 2', async (_, args) => {
    const { code, output } = await RenderProcess.run(args);
    expect(code).toBe(2);
    expect(output).not.toMatch(/^\s+at /m);
  });

  it('secrets that are none, with what is wrong besides: exit 2, and no word of theirs', async () => {
    await writeFile(bed.secrets, '{"KEY": "canary-1",');
    await bed.mountText(JSON.stringify(bed.configOf([{ name: 'no name', url: 'https://x/' }])));
    const { code, output } = await RenderProcess.run(bed.args);
    expect(code).toBe(2);
    expect(output).toMatch(/keys\.json: the file must be JSON[^]*chains\.main\.nodes\[0\]\.name must be/);
    expect(output).not.toContain('canary');
  });

  it('a folder that is not there: exit 1', async () => {
    const out = join(bed.folder, 'none', 'haproxy.cfg');
    const { code, output } = await RenderProcess.run(['--config', bed.config, '--secrets', bed.secrets, '--out', out]);
    expect([code, output]).toEqual([1, `${out} cannot be written: ENOENT\n`]);
  });

  it('says how it is used', async () => {
    const { code, output } = await RenderProcess.run(['--help']);
    expect(code).toBe(0);
    expect(output).toMatch(/^Usage: render /);
  });
});

describe('watching', () => {
  it('a key that is replaced goes out with requests, none of which fails, and the weights are back', async () => {
    const follower = await start();
    const admin = { host: '127.0.0.1', port: bed.adminPort };
    const weighter = await WeighterProcess.start({ admin, adjustIntervalMs: 60_000, maxLatencyMs: 300 });
    closing.push(() => weighter.stop());
    node.on('eth_getBlockByNumber', delay(400));
    await weighter.untilLogged('no server is healthy');
    const running = runLoad({ url: bed.url, clients: 8, durationMs: 8000, mix: echoMix });
    for (const key of ['canary-2', 'canary-3']) {
      await sleep(500);
      await bed.putSecrets({ KEY: key });
      await follower.untilLogged('HAProxy reloaded', key === 'canary-2' ? 1 : 2);
      expect(await pathNow()).toBe(`/v2/${key}?k=canary-query`);
    }
    const ledger = await running;
    expect(ledger.failures()).toEqual([]);
    expect(ledger.checkL1()).toEqual([]);
    await eventually(
      () => weighter.logged('HAProxy restarted').length >= 2,
      () => weighter.output,
      3000,
    );
    expect(readFileSync(`/proc/${follower.pid}/cmdline`, 'utf8')).not.toContain('canary');
    const { worker, workerBefore, revision } = follower.logged('HAProxy reloaded')[1] ?? {};
    expect([typeof worker, typeof workerBefore]).toEqual(['number', 'number']);
    expect(await bed.processes()).toMatchObject({ worker, revision, reloads: 2, lastFailed: false });
  });

  it('a ConfigMap that is replaced is followed', async () => {
    const follower = await start();
    const other = await ScriptedNode.start({ name: 'b' });
    closing.push(() => other.close());
    await bed.mount([a(), { name: 'b', url: `${other.url}/\${KEY}/b` }]);
    await follower.untilLogged('HAProxy reloaded');
    for (let i = 0; i < 6; i++) await ask(bed.url, 'eth_getBalance', ['0x1', 'latest']);
    expect(other.callsOf('eth_getBalance')[0]?.path).toBe('/canary-1/b');
    await bed.mount([{ name: 'b', url: `${other.url}/\${KEY}/b` }]);
    await follower.untilLogged('HAProxy reloaded', 2);
    const before = node.requests.length;
    for (let i = 0; i < 3; i++) await ask(bed.url, 'eth_getBalance', ['0x1', 'latest']);
    expect(node.requests.slice(before).filter(({ method }) => method === 'eth_getBalance')).toEqual([]);
  });

  it('a configuration that is wrong changes nothing, is told once with all its problems, and is over when it is right', async () => {
    const follower = await start();
    const { mtimeMs } = statSync(bed.out);
    const wrong = {
      ...bed.configOf([
        { name: 'no name', url: 'canary' },
        { name: 'b', url: 'https://x/${NONE}' },
      ]),
    };
    await bed.mountText(JSON.stringify(wrong));
    const { problems } = await follower.untilLogged('configuration refused');
    expect(problems).toHaveLength(3);
    expect(String(problems)).toContain('${NONE}');
    await bed.mountText(JSON.stringify({ ...wrong, x: 1 }));
    await rm(bed.secrets);
    await follower.untilLogged('configuration refused', 2);
    expect(await pathNow()).toBe('/v2/canary-1?k=canary-query');
    expect(statSync(bed.out).mtimeMs).toBe(mtimeMs);
    await bed.mount([a()]);
    await bed.putSecrets({ KEY: 'canary-2' });
    await follower.untilLogged('configuration is good again');
    await follower.untilLogged('HAProxy reloaded');
    expect(await pathNow()).toBe('/v2/canary-2?k=canary-query');
    expect((await bed.processes()).reloads).toBe(1);
  });

  it('twenty changes in a burst are few reloads, and the last one counts', async () => {
    const follower = await start();
    for (let turn = 1; turn <= 20; turn++) {
      await (turn % 2
        ? bed.putSecrets({ KEY: `canary-burst-${turn}` })
        : bed.mount([{ ...a(), url: `${a().url}${turn}` }]));
      await sleep(20);
    }
    await eventually(
      async () => (await pathNow()) === '/v2/canary-burst-19?k=canary-query20',
      () => follower.output,
    );
    const { reloads, revision } = await bed.processes();
    expect(reloads).toBeLessThanOrEqual(4);
    await sleep(1500);
    expect(await bed.processes()).toMatchObject({ reloads, revision });
  });

  it('HAProxy is not there yet: said once; it starts with the file, and is not reloaded for nothing', async () => {
    render = await bed.watch();
    await render.untilLogged('HAProxy does not answer');
    await sleep(1000);
    await bed.putSecrets({ KEY: 'canary-2' });
    await render.untilLogged('haproxy.cfg written', 2);
    await bed.startHaproxy();
    await render.untilLogged('HAProxy runs the file');
    expect(await pathNow()).toBe('/v2/canary-2?k=canary-query');
    expect((await bed.processes()).reloads).toBe(0);
    expect(render.logged('HAProxy does not answer')).toHaveLength(1);
  });

  it('HAProxy is away, or hangs, when something changes: it runs that when it is back', async () => {
    const follower = await start();
    await bed.stopHaproxy();
    await bed.putSecrets({ KEY: 'canary-2' });
    await follower.untilLogged('HAProxy does not answer');
    await bed.startHaproxy();
    await follower.untilLogged('HAProxy runs the file', 2);
    expect(await pathNow()).toBe('/v2/canary-2?k=canary-query');
    bed.signalHaproxy('SIGSTOP');
    await bed.putSecrets({ KEY: 'canary-3' });
    await follower.untilLogged('HAProxy does not answer', 2);
    bed.signalHaproxy('SIGCONT');
    await follower.untilLogged('HAProxy reloaded');
    expect(await pathNow()).toBe('/v2/canary-3?k=canary-query');
  });

  it('starts behind what was written while nobody reloaded: HAProxy gets it', async () => {
    expect((await RenderProcess.run(bed.args)).code).toBe(0);
    await bed.startHaproxy();
    await bed.putSecrets({ KEY: 'canary-2' });
    expect((await RenderProcess.run(bed.args)).code).toBe(0);
    render = await bed.watch();
    await render.untilLogged('HAProxy reloaded');
    expect(await pathNow()).toBe('/v2/canary-2?k=canary-query');
  });

  it('what HAProxy cannot load: its worker goes on, the file is the old one, and it is loaded when it can be', async () => {
    const certificate = selfSigned('DNS:localhost');
    const tls = await TlsNode.start(certificate);
    closing.push(() => tls.close());
    const follower = await start();
    const before = readFileSync(bed.out, 'utf8');
    const caFile = join(bed.folder, 'ca.pem');
    await bed.mount([a(), { name: 'tls', url: `https://localhost:${tls.port}/\${KEY}`, caFile }]);
    const { reasons } = await follower.untilLogged('HAProxy could not load the file');
    // HAProxy before 2.7 says it in its own output only.
    expect(String(reasons)).toMatch(/see the output of HAProxy|unable to load .*ca\.pem/);
    expect(bed.haproxyOutput).toContain('ca.pem');
    expect(await pathNow()).toBe('/v2/canary-1?k=canary-query');
    await eventually(
      () => readFileSync(bed.out, 'utf8') === before,
      () => readFileSync(bed.out, 'utf8'),
    );
    expect((await bed.processes()).lastFailed).toBe(true);
    bed.put('ca.pem', certificate.cert);
    await follower.untilLogged('HAProxy reloaded');
    expect(follower.logged('HAProxy could not load the file')).toHaveLength(1);
    await eventually(
      () => tls.paths.includes('/canary-1'),
      () => tls.paths.join(),
    );
    // Other authorities in the same file: HAProxy reads them only when it loads.
    bed.put('ca.pem', selfSigned('DNS:localhost').cert);
    await follower.untilLogged('HAProxy reloaded', 2);
    const { refused } = tls;
    await eventually(
      () => tls.refused > refused,
      () => String(tls.refused),
    );
  });

  it('a file that cannot be written is tried again', async () => {
    const follower = await start();
    await rm(bed.out);
    // A folder in its place, which no file replaces.
    await mkdir(bed.out);
    await bed.putSecrets({ KEY: 'canary-2' });
    await follower.untilLogged('haproxy.cfg cannot be written');
    await rmdir(bed.out);
    await follower.untilLogged('HAProxy reloaded');
    expect(await pathNow()).toBe('/v2/canary-2?k=canary-query');
  });

  // It waited for somebody to write them once more: nothing was followed, and SIGTERM was not heard.
  it('secrets that came through a pipe stay, and what else changes is followed', async () => {
    const pipe = join(bed.folder, 'keys');
    execFileSync('mkfifo', [pipe]);
    const writing = writeFile(pipe, JSON.stringify({ KEY: 'canary-piped' }));
    const files = ['--config', bed.config, '--secrets', pipe, '--out', bed.out];
    render = await RenderProcess.start([...files, '--watch']);
    await writing;
    await bed.mount([a(), { ...a(), name: 'b' }]);
    await render.untilLogged('haproxy.cfg written', 2);
    expect(readFileSync(bed.out, 'utf8').match(/canary-piped/g)?.length).toBeGreaterThan(1);
  });

  it('stops at once, whatever it waits for', async () => {
    const silent = await ScriptedAdminSocket.start(() => undefined);
    closing.push(() => silent.close());
    const { host, port } = silent.address;
    const program = await RenderProcess.start([...bed.args, '--watch', '--master-socket', `${host}:${port}`]);
    await eventually(
      () => silent.lines.length > 0,
      () => 'asked',
    );
    const began = performance.now();
    const { code, output } = await program.stop();
    expect([code, performance.now() - began < 1000]).toEqual([0, true]);
    expect(output).toContain('"msg":"stopped"');
    expect(silent.lines.some((line) => line.includes('reload'))).toBe(false);
  });

  it('stops when the program that started it is gone', async () => {
    const program = await RenderProcess.start([...bed.args, '--watch']);
    program.disconnect();
    expect((await program.exited).code).toBe(0);
  });
});
