import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, type NetConnectOpts } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { guardChild, releaseChild } from '../../bin/dev-chain/orphan-guard';
import { freePorts as findFreePorts } from '../../bin/local/ports';

/** Longer than a start takes on a busy machine. */
const START_TIMEOUT_MS = 10_000;

/**
 * The real HAProxy as a child process: a master, which stays the same, and a worker, which a reload replaces. It runs
 * the text it is given, which tells the ports too; {@link freePorts} finds some.
 *
 * ```ts
 * const [local, pool, stats, admin] = await freePorts(4);
 * const haproxy = await HaproxyProcess.start(renderHaproxy(config));  // listens when this resolves
 * await haproxy.command('set weight rpc-backend/a 0');                // over the first `stats socket` of the text
 * await haproxy.reload(otherText);                                    // SIGUSR2; the new worker listens
 * expect(haproxy.output).not.toContain(key);                          // all it has written so far
 * await haproxy.stop();                                               // at once; removes its folder
 * ```
 */
export class HaproxyProcess {
  readonly exited: Promise<number | null>;
  private readonly chunks: string[] = [];

  private constructor(
    private readonly child: ChildProcess,
    private readonly folder: string,
    private config: string,
  ) {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk: string) => this.chunks.push(chunk));
    }
    this.exited = new Promise((resolve) =>
      child.once('close', (code) => {
        releaseChild(this.pid);
        resolve(code);
      }),
    );
    // Its workers end with it.
    if (child.pid !== undefined) guardChild(child.pid);
  }

  /** @throws Error with the output when it does not listen on everything it binds. */
  static async start(config: string): Promise<HaproxyProcess> {
    const folder = await mkdtemp(join(tmpdir(), 'haproxy-'));
    const file = join(folder, 'haproxy.cfg');
    await writeFile(file, config, { mode: 0o600 });
    const child = spawn('haproxy', ['-W', '-f', file, '-S', join(folder, 'master.sock')], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: ENVIRONMENT,
    });
    const haproxy = new HaproxyProcess(child, folder, config);
    await haproxy.untilListening();
    return haproxy;
  }

  /** Of the master. */
  get pid(): number {
    return this.child.pid ?? 0;
  }

  get output(): string {
    return this.chunks.join('');
  }

  /** Where the master takes commands. */
  get masterSocket(): string {
    return join(this.folder, 'master.sock');
  }

  /** Where the worker takes commands: the first `stats socket` of the text. */
  get adminSocket(): NetConnectOpts {
    const address = /^\s*stats socket (\S+)/m.exec(this.config)?.[1];
    if (address === undefined) throw new Error('the configuration has no stats socket');
    return toConnectOptions(address);
  }

  /** One line for the worker, and its whole answer. */
  async command(line: string): Promise<string> {
    return ask(this.adminSocket, line);
  }

  /** `show stat` by `<proxy>/<server>` (or FRONTEND, BACKEND), each row by the names of its columns. */
  async stat(): Promise<ReadonlyMap<string, Readonly<Record<string, string>>>> {
    const [head = '', ...lines] = (await this.command('show stat')).trim().split('\n');
    const columns = head.replace(/^# /, '').split(',');
    const rows = lines.map((line) => {
      const cells = line.split(',');
      return Object.fromEntries(columns.map((column, i) => [column, cells[i] ?? '']));
    });
    return new Map(rows.map((row) => [`${row['pxname']}/${row['svname']}`, row]));
  }

  /** Waits until a server is UP or DOWN by its checks (or MAINT, when it has no address). */
  async untilServer(name: string, status: string, timeoutMs = 15_000): Promise<void> {
    const giveUpAt = performance.now() + timeoutMs;
    for (;;) {
      const is = (await this.stat()).get(name)?.['status'];
      // `UP 1/3` is on its way to DOWN, and still gets requests.
      if (is?.split(' ')[0] === status) return;
      if (performance.now() > giveUpAt) throw new Error(`${name} is ${is}, not ${status}, after ${timeoutMs} ms`);
      await sleep(20);
    }
  }

  /** As an operator does: another text, or the same once more, and SIGUSR2. Resolves when the new worker listens. */
  async reload(config = this.config): Promise<void> {
    const before = await this.workerPid();
    await writeFile(join(this.folder, 'haproxy.cfg'), config, { mode: 0o600 });
    this.config = config;
    this.child.kill('SIGUSR2');
    const giveUpAt = performance.now() + START_TIMEOUT_MS;
    while ((await this.workerPid().catch(() => before)) === before) {
      if (performance.now() > giveUpAt) throw new Error(`no new worker: ${this.output}`);
      await sleep(20);
    }
    await this.untilListening();
  }

  /** Ends it at once, with everything in flight. */
  async stop(): Promise<void> {
    this.child.kill('SIGTERM');
    await this.exited;
    await rm(this.folder, { recursive: true, force: true });
  }

  async workerPid(): Promise<number> {
    return Number(/^Pid: (\d+)$/m.exec(await this.command('show info'))?.[1]);
  }

  /** Everything it binds; and the master answers, because a signal that comes before it is ready is lost. */
  private async untilListening(): Promise<void> {
    const addresses = [...this.config.matchAll(/^\s*(?:bind|stats socket) (\S+)/gm)].map(([, address = '']) => address);
    for (const address of addresses) {
      await this.untilTrue(() => isListening(toConnectOptions(address)), `listens on ${address}`);
    }
    const masterAnswers = async (): Promise<boolean> =>
      (await ask({ path: this.masterSocket }, 'show proc').catch(() => '')).includes(' worker ');
    await this.untilTrue(masterAnswers, 'has a master that answers');
  }

  /** Ends it where that does not come true. */
  private async untilTrue(isTrue: () => Promise<boolean>, what: string): Promise<void> {
    const giveUp = new AbortController();
    const timer = setTimeout(() => giveUp.abort(), START_TIMEOUT_MS);
    void this.exited.then(() => giveUp.abort());
    const gaveUp = new Promise<true>((resolve) => giveUp.signal.addEventListener('abort', () => resolve(true)));
    while (!giveUp.signal.aborted && !(await Promise.race([isTrue(), gaveUp]))) await sleep(10);
    clearTimeout(timer);
    if (!giveUp.signal.aborted) return;
    this.child.kill('SIGKILL');
    await this.exited;
    await rm(this.folder, { recursive: true, force: true });
    throw new Error(`it is not true that HAProxy ${what}: ${this.output}`);
  }
}

/** What `haproxy -c` says of a text: nothing where it is valid. Names that are in no DNS are no fault. */
export async function configFaults(config: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'haproxy-'));
  const file = join(folder, 'haproxy.cfg');
  await writeFile(file, config, { mode: 0o600 });
  const output = await new Promise<string>((resolve) => {
    execFile('haproxy', ['-c', '-f', file], { env: ENVIRONMENT }, (error, _, stderr) =>
      resolve(error === null ? stderr : `${stderr}\nnot valid`),
    );
  });
  await rm(folder, { recursive: true });
  const faults = output.split('\n').filter((line) => /ALERT|WARNING|not valid/.test(line));
  return faults.filter((line) => !/could not resolve address '[^']*', disabling server/.test(line)).join('\n');
}

/** Ports on 127.0.0.1 that nobody had a moment ago; all different. */
export async function freePorts<const N extends number>(count: N): Promise<Ports<N>> {
  return (await findFreePorts(count)) as unknown as Ports<N>;
}

/** As many numbers as were asked for. */
type Ports<N extends number, Rest extends readonly number[] = readonly []> = number extends N
  ? readonly number[]
  : Rest['length'] extends N
    ? Rest
    : Ports<N, readonly [...Rest, number]>;

const ENVIRONMENT = {
  ...process.env,
  // Debian keeps servers where only root looks.
  PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/usr/local/sbin`,
  // The tests' names of providers are in no DNS; where there is no network either, that must not take its time.
  RES_OPTIONS: 'timeout:1 attempts:1',
};

async function ask(address: NetConnectOpts, line: string): Promise<string> {
  const socket = connect(address);
  socket.end(`${line}\n`);
  return text(socket);
}

function isListening(address: NetConnectOpts): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(address)
      .once('connect', () => {
        socket.destroy();
        resolve(true);
      })
      .once('error', () => resolve(false));
  });
}

/** `unix@/path`, `ipv4@127.0.0.1:1`, `[::1]:1` … An address that means all is reached on this machine. */
function toConnectOptions(address: string): NetConnectOpts {
  const [, scheme, rest = ''] = /^(?:(\w+)@)?(.*)$/.exec(address) ?? [];
  if (scheme === 'unix' || rest.startsWith('/')) return { path: rest };
  const colon = rest.lastIndexOf(':');
  const host = rest.slice(0, colon).replace(/^\[|\]$/g, '');
  return { host: ['', '*', '0.0.0.0'].includes(host) ? '127.0.0.1' : host, port: Number(rest.slice(colon + 1)) };
}
