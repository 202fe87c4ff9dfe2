import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GLOBAL, stubConfig } from './stub-node';

/** Where a process runs: what is measured has a core of its own, load and stub share the other. */
export type Core = 0 | 1;

export interface ProxyVariant {
  /** Further sections of the configuration. */
  readonly config?: object;
  /** Further keys of its chain. */
  readonly chain?: object;
  /** For node itself, e.g. to profile. */
  readonly nodeArgs?: readonly string[];
}

/** Child processes of a bench run, and the folder of their files; all end with it. */
export class Bed {
  private readonly children: ChildProcess[] = [];
  private readonly folder = mkdtempSync(join(tmpdir(), 'rpc-bench-'));

  /** @throws Error that says what to install */
  static assertTools(): void {
    const missing = ['haproxy', 'nginx', 'redis-server', 'wrk', 'taskset'].filter(
      (tool) => spawnSync('which', [tool]).status !== 0,
    );
    if (missing.length > 0) {
      throw new Error(
        `The bench needs ${missing.join(', ')}: apt-get install haproxy nginx-light redis-server wrk util-linux`,
      );
    }
  }

  file(name: string, text: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, text);
    return path;
  }

  start(core: Core, command: string, args: readonly string[], input?: string): ChildProcess {
    const child = spawn('taskset', ['-c', String(core), command, ...args], {
      stdio: [input === undefined ? 'ignore' : 'pipe', 'ignore', 'inherit'],
    });
    child.stdin?.end(input);
    this.children.push(child);
    return child;
  }

  async stub(): Promise<number> {
    const port = await freePort();
    this.start(1, 'haproxy', ['-db', '-f', this.file('stub.cfg', stubConfig(port))]);
    await reachable(port);
    return port;
  }

  async haproxy(to: number): Promise<number> {
    const port = await freePort();
    const text = `${GLOBAL}
frontend in
  bind 127.0.0.1:${port}
  default_backend node
backend node
  server stub 127.0.0.1:${to}
`;
    this.start(0, 'haproxy', ['-db', '-f', this.file('peer.cfg', text)]);
    await reachable(port);
    return port;
  }

  async nginx(to: number): Promise<number> {
    const port = await freePort();
    const text = `daemon off; worker_processes 1; pid ${join(this.folder, 'nginx.pid')}; error_log stderr crit;
events { worker_connections 4000; }
http {
  access_log off;
  client_body_temp_path ${this.folder}; proxy_temp_path ${this.folder}; fastcgi_temp_path ${this.folder};
  uwsgi_temp_path ${this.folder}; scgi_temp_path ${this.folder};
  keepalive_requests 1000000000;
  upstream node { server 127.0.0.1:${to}; keepalive 256; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://node; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
}
`;
    this.start(0, 'nginx', ['-p', this.folder, '-c', this.file('nginx.conf', text)]);
    await reachable(port);
    return port;
  }

  /** On the core of the load, as it would be another machine's. */
  async redis(): Promise<number> {
    const port = await freePort();
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    this.start(1, 'redis-server', [...args, '--dir', this.folder]);
    await reachable(port);
    return port;
  }

  async proxy(to: number, { config: more = {}, chain = {}, nodeArgs = [] }: ProxyVariant = {}): Promise<number> {
    const port = await freePort();
    const config = {
      listen: { port },
      admin: { port: await freePort() },
      telemetry: { logLevel: 'warn' },
      ...more,
      chains: { bench: { chainId: 1, nodes: [{ name: 'stub', url: `http://127.0.0.1:${to}` }], ...chain } },
    };
    const main = join(__dirname, '..', '..', 'runtime', 'proxy', 'main.ts');
    const args = [...nodeArgs, '--import', require.resolve('tsx'), main, '--config', '-'];
    this.start(0, process.execPath, args, JSON.stringify(config));
    await reachable(port);
    return port;
  }

  async close(): Promise<void> {
    const gone = this.children.map((child) => new Promise((resolve) => child.once('exit', resolve)));
    for (const child of this.children) child.kill('SIGTERM');
    await Promise.all(gone);
    rmSync(this.folder, { recursive: true });
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function reachable(port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
      socket.on('connect', () => socket.destroy());
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nothing listens on port ${port}`);
}
