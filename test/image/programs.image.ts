import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IMAGE_PROGRAMS, IMAGE_USER } from '../../runtime/contract/images';
import { Container } from '../support/container';
import { eventually } from '../support/eventually';
import { configFaults, freePorts, HaproxyProcess } from '../support/haproxy-process';
import { ImageBuild } from '../support/image-build';
import { delay, ScriptedNode } from '../support/scripted-node';
import { fileList } from './file-list';

const CONFIG = '/etc/rpc-proxy';
const RUN = '/run/haproxy';
const REPOSITORY = join(__dirname, '..', '..');
/** With the time a busy machine takes to make Debian and run npm. */
const BUILD_TIMEOUT_MS = 600_000;

let image: ImageBuild;
/** Before there was a container, whose mounts need folders. */
let files: ReadonlyMap<string, string>;
beforeAll(async () => {
  image = await ImageBuild.make();
  files = fileList(image.root);
}, BUILD_TIMEOUT_MS);
afterAll(() => image.remove(), BUILD_TIMEOUT_MS);

let folder: string;
let node: ScriptedNode;
let containers: Container[];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'image-pod-'));
  chmodSync(folder, 0o755);
  for (const name of ['config', 'run']) mkdirSync(join(folder, name));
  // Kubernetes makes a memory volume writable for the pod's group; here the folder is anybody's.
  chmodSync(join(folder, 'run'), 0o777);
  node = await ScriptedNode.start({ name: 'a', blockTimeMs: 500 });
  containers = [];
});
afterEach(async () => {
  await Promise.all(containers.map((container) => container.kill()));
  await node.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A program with its configuration and the memory volume it shares with HAProxy. */
function start(name: keyof typeof IMAGE_PROGRAMS, config: object, ...args: readonly string[]): Container {
  writeFileSync(join(folder, 'config', `${name}.json`), JSON.stringify(config));
  const container = Container.start(image, {
    command: ['node', IMAGE_PROGRAMS[name], '--config', `${CONFIG}/${name}.json`, ...args],
    mounts: { [CONFIG]: join(folder, 'config'), [RUN]: join(folder, 'run') },
  });
  containers.push(container);
  return container;
}

describe('the image', () => {
  it('is its base and, in /app, the programs with their maps and the licence: nothing else, and root’s alone', () => {
    const base = fileList(image.base);
    const programs = Object.keys(IMAGE_PROGRAMS);
    const own = ['LICENSE', ...programs.flatMap((name) => [`${name}.js`, `${name}.js.map`])].map(
      (file) => `app/${file}`,
    );
    expect([...files.keys()].filter((file) => !base.has(file)).sort()).toEqual(['app', ...own].sort());
    expect([...base].filter(([file, what]) => files.get(file) !== what)).toEqual([]);
    const modes = own.map((file) => lstatSync(join(image.root, file))).map(({ mode, uid }) => [uid, mode & 0o777]);
    expect(modes).toEqual(own.map(() => [0, 0o644]));
  });

  it('is built of the runtime and the licence: a change of anything else gives it no other name', async () => {
    const runtime = readdirSync(join(REPOSITORY, 'runtime'), { recursive: true, encoding: 'utf8' });
    const wanted = ['LICENSE', 'runtime', ...runtime.map((file) => `runtime/${file}`)];
    expect((await image.context()).sort()).toEqual(wanted.sort());
  });

  it('holds the bundles that `npm run build` makes', () => {
    execFileSync(process.execPath, ['runtime/image/build.mjs'], { cwd: REPOSITORY });
    for (const file of Object.values(IMAGE_PROGRAMS)) {
      const local = readFileSync(join(REPOSITORY, 'dist', file.replace('/app/', '')));
      expect(local.equals(readFileSync(join(image.root, file)))).toBe(true);
    }
  });

  it('says what it is, and has no script of its base in front', () => {
    expect(image.config).toMatchObject({ User: `${IMAGE_USER}:${IMAGE_USER}`, WorkingDir: '/app' });
    expect(image.config.Entrypoint ?? []).toEqual([]);
    expect(image.config.Labels).toMatchObject({
      'org.opencontainers.image.title': 'eth-rpc-balancer',
      'org.opencontainers.image.licenses': 'MIT',
    });
  });

  it('runs as a user who is not root and may write nowhere', async () => {
    const id = await Container.run(image, { command: ['id'] });
    expect(id).toEqual({ code: 0, output: `uid=${IMAGE_USER} gid=${IMAGE_USER} groups=${IMAGE_USER}\n` });
    for (const place of ['/app', '/tmp', '/var/tmp', '/root']) {
      expect((await Container.run(image, { command: ['touch', `${place}/x`] })).code).not.toBe(0);
    }
  });

  it('tells how it is used when it is given nothing to do', async () => {
    const { code, output } = await Container.run(image, { command: image.config.Cmd });
    expect(code).toBe(0);
    expect(output).toContain('Usage: proxy');
  });
});

describe('proxy', () => {
  async function startProxy(): Promise<{ proxy: Container; url: string; adminUrl: string }> {
    const [port, adminPort] = await freePorts(2);
    const proxy = start('proxy', {
      listen: { host: '127.0.0.1', port },
      admin: { host: '127.0.0.1', port: adminPort },
      chains: { test: { chainId: 1337, nodes: [{ name: 'a', url: node.url }] } },
    });
    await proxy.untilOutput('"msg":"listening"');
    const adminUrl = `http://127.0.0.1:${adminPort}`;
    await eventually(
      async () => (await fetch(`${adminUrl}/readyz`)).ok,
      () => proxy.output,
    );
    return { proxy, url: `http://127.0.0.1:${port}`, adminUrl };
  }

  const ask = async (url: string, method: string): Promise<unknown> => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: [] });
    return (await fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/json' } })).json();
  };

  it('serves requests and tells its version', async () => {
    const { url, adminUrl } = await startProxy();
    expect(await ask(url, 'eth_chainId')).toEqual({ jsonrpc: '2.0', id: 1, result: '0x539' });
    const { version } = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as { version: string };
    expect(await (await fetch(`${adminUrl}/status.json`)).json()).toMatchObject({ version });
    expect(await (await fetch(`${adminUrl}/metrics`)).text()).toContain('rpc_balancer_requests_total');
  });

  it('answers what is under way after SIGTERM, and exits 0', async () => {
    const { proxy, url } = await startProxy();
    node.on('eth_gasPrice', delay(1500));
    const answer = ask(url, 'eth_gasPrice');
    await eventually(() => node.callsOf('eth_gasPrice').length > 0);
    proxy.signal('SIGTERM');
    expect(await answer).toHaveProperty('result');
    expect((await proxy.exited).code).toBe(0);
    expect(proxy.output).toContain('"msg":"stopped"');
  });

  it('names lines of the source in stack traces, not of the bundle', async () => {
    const broken = `process.stdout.write = () => { throw new Error('broken') }; process.argv.push('--help');`;
    const { code, output } = await Container.run(image, {
      command: ['node', '-e', `${broken} require('${IMAGE_PROGRAMS.proxy}')`],
    });
    expect(code).toBe(1);
    expect(output).toMatch(/at main \(.*runtime\/proxy\/main\.ts:\d+:\d+\)/);
  });
});

describe('render and weighter', () => {
  const ports = freePorts(4);

  async function startHaproxy(): Promise<{ haproxy: HaproxyProcess; adminPort: number; localPort: number }> {
    const [pool, stats, adminPort, localPort] = await ports;
    const nodes = [{ name: 'a', localPort, provider: { url: node.url } }];
    const rendered = start(
      'render',
      {
        haproxy: { pool: { port: pool }, stats: { port: stats }, adminSocket: `127.0.0.1:${adminPort}` },
        chains: { test: { chainId: 1337, nodes } },
      },
      ...['--out', `${RUN}/haproxy.cfg`],
    );
    expect(await rendered.exited).toMatchObject({ code: 0 });
    const cfg = readFileSync(join(folder, 'run', 'haproxy.cfg'), 'utf8');
    expect(await configFaults(cfg)).toBe('');
    return { haproxy: await HaproxyProcess.start(cfg), adminPort, localPort };
  }

  const weighterConfig = (adminPort: number, localPort: number, port = 0): object => ({
    admin: { host: '127.0.0.1', port: adminPort },
    listen: { host: '127.0.0.1', port },
    servers: [{ backendName: 'rpc-backend', serverName: 'a', serverUrl: `http://127.0.0.1:${localPort}` }],
  });

  it('render writes a haproxy.cfg that HAProxy serves by, and weighter weighs what is behind it', async () => {
    const { haproxy, adminPort, localPort } = await startHaproxy();
    try {
      await haproxy.untilServer('rpc-backend/a', 'UP');
      const dry = await start('weighter', weighterConfig(adminPort, localPort), '--dry-run').exited;
      expect(dry.output).toMatch(/^rpc-backend\/a +0 +-?\d+ s +\d+ ms +100 +100 +healthy$/m);
      expect(dry.code).toBe(0);
    } finally {
      await haproxy.stop();
    }
  });

  it('both stop at SIGTERM with 0', async () => {
    const { haproxy, adminPort, localPort } = await startHaproxy();
    try {
      const weighter = start('weighter', weighterConfig(adminPort, localPort));
      await weighter.untilOutput('"msg":"listening"');
      const render = Container.start(image, {
        command: [
          ...['node', IMAGE_PROGRAMS.render, '--config', `${CONFIG}/render.json`],
          ...['--out', `${RUN}/haproxy.cfg`, '--watch'],
        ],
        mounts: { [CONFIG]: join(folder, 'config'), [RUN]: join(folder, 'run') },
      });
      containers.push(render);
      await render.untilOutput('haproxy.cfg is as it was');
      for (const container of [weighter, render]) {
        container.signal('SIGTERM');
        expect((await container.exited).code).toBe(0);
        expect(container.output).toContain('"msg":"stopped"');
      }
    } finally {
      await haproxy.stop();
    }
  });
});
