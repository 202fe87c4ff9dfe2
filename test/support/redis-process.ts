import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { eventually } from './eventually';
import { CONTROL_USER, userArguments } from './redis-user';

export interface RedisProcessOptions {
  /** Further arguments, such as `['--requirepass', 'secret']`. */
  readonly args?: readonly string[];
  /** @default 127.0.0.1 */
  readonly host?: string;
  /** @default one the system picks */
  readonly port?: number;
  /** How the test itself gets in, and whether over TLS. */
  readonly username?: string;
  readonly password?: string;
  readonly tls?: { readonly ca: string };
  /**
   * Whoever gives no user is the user of ElastiCache, with no more rights than there (redis-user.ts); the test itself
   * keeps all of them. @default whether REDIS_USER=elasticache stands in the environment
   */
  readonly restricted?: boolean;
}

/**
 * A real redis-server that keeps nothing on disk; where REDIS_SERVER stands in the environment, that program, which may be
 * a Valkey.
 *
 *     const redis = await RedisProcess.start();
 *     await redis.call('SET', 'a', '1');
 *     redis.freeze(); redis.thaw();              // SIGSTOP, SIGCONT
 *     await redis.kill(); await redis.restart(); // restarted empty, on the same port
 *     await redis.stop();
 */
export class RedisProcess {
  private child: ChildProcess | undefined;
  private output = '';
  private client: Redis | undefined;

  private constructor(
    private readonly options: RedisProcessOptions,
    readonly host: string,
    readonly port: number,
    private readonly folder: string,
  ) {}

  static async start(options: RedisProcessOptions = {}): Promise<RedisProcess> {
    const host = options.host ?? '127.0.0.1';
    const port = options.port ?? (await freePort(host));
    const redis = new RedisProcess(options, host, port, mkdtempSync(join(tmpdir(), 'redis-')));
    await redis.launch();
    return redis;
  }

  get url(): string {
    return `${this.options.tls ? 'rediss' : 'redis'}://${this.host}:${this.port}`;
  }

  private get restricted(): boolean {
    return this.options.restricted ?? process.env['REDIS_USER'] === 'elasticache';
  }

  get pid(): number {
    return this.child?.pid ?? 0;
  }

  /** One command, as the test. */
  async call(command: string, ...args: (string | number)[]): Promise<unknown> {
    return this.connection().call(command, ...args);
  }

  /** All keys there are. */
  async keys(): Promise<string[]> {
    return ((await this.call('KEYS', '*')) as string[]).sort();
  }

  /** All that a key holds, as one text; empty where it has ended meanwhile. @throws Error for a type we never use */
  async contents(key: string): Promise<string> {
    const type = String(await this.call('TYPE', key));
    if (type === 'none') return '';
    if (type !== 'string' && type !== 'hash') throw new Error(`${key} is a ${type}`);
    return JSON.stringify(await this.call(type === 'hash' ? 'HGETALL' : 'GET', key));
  }

  /** Commands it has run since its start, by name; what tests themselves ask (INFO, CLIENT …) included. */
  async commandCounts(): Promise<Record<string, number>> {
    const info = String(await this.call('INFO', 'commandstats'));
    const rows = [...info.matchAll(/^cmdstat_([\w|-]+):calls=(\d+)/gm)];
    return Object.fromEntries(rows.map(([, name = '', calls]) => [name, Number(calls)]));
  }

  freeze(): void {
    this.child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.child?.kill('SIGCONT');
  }

  /** At once, as a machine that is gone. Nothing of what it held is left. */
  async kill(): Promise<void> {
    this.disconnect();
    const { child } = this;
    if (child === undefined) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
    this.child = undefined;
  }

  /** After `kill`: empty, at the same address. */
  async restart(): Promise<void> {
    await this.launch();
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** The next `call` authenticates like this. */
  authenticateWith(password: string): void {
    this.disconnect();
    (this.options as { password?: string }).password = password;
  }

  private disconnect(): void {
    this.client?.disconnect();
    this.client = undefined;
  }

  private connection(): Redis {
    const { tls } = this.options;
    const { username, password } = this.restricted ? CONTROL_USER : this.options;
    this.client ??= new Redis({
      host: this.host,
      port: this.port,
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
      ...(tls && { tls: { ca: tls.ca } }),
      protocol: 2,
      maxRetriesPerRequest: 0,
    }).on('error', () => undefined);
    return this.client;
  }

  private async launch(): Promise<void> {
    const { args = [], tls } = this.options;
    const users = this.restricted ? userArguments(args) : [];
    const ports = tls ? ['--port', '0', '--tls-port', String(this.port)] : ['--port', String(this.port)];
    const child = spawn(
      process.env['REDIS_SERVER'] ?? 'redis-server',
      [...ports, '--bind', this.host, '--save', '', '--appendonly', 'no', '--dir', this.folder, ...users, ...args],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    this.child = child;
    this.output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => (this.output += chunk));
    }
    let ended = false;
    child.once('exit', () => (ended = true));
    child.once('error', (error) => (this.output += String(error)));
    await eventually(
      () => {
        if (ended) throw new Error(`redis-server ended: ${this.output}`);
        return this.output.includes('Ready to accept connections');
      },
      () => `redis-server at ${this.host}:${this.port}: ${this.output}`,
    );
  }
}

async function freePort(host: string): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return address.port;
}
