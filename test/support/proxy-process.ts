import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NodeStatus, Status } from '../../runtime/admin/status';
import type { ListeningMessage } from '../../runtime/proxy/main';
import { eventually } from './eventually';
import { logLines } from './program-process';

const MAIN = join(__dirname, '..', '..', 'runtime', 'proxy', 'main.ts');

export interface ProxyExit {
  readonly code: number | null;
  readonly output: string;
}

/**
 * The real proxy program as a child process, on ports the system picked.
 *
 * ```ts
 * const proxy = await ProxyProcess.start({ chains: { test: { chainId: 1337, nodes: [{ name: 'a', url: node.url }] } } });
 * const height = await proxy.call('eth_blockNumber');
 * await proxy.until(({ chains }) => chains[0]?.nodes[0]?.health === 'down');
 * await proxy.stop();
 * ```
 */
export class ProxyProcess {
  readonly url: string;
  readonly adminUrl: string;
  readonly exited: Promise<ProxyExit>;

  private constructor(
    private readonly child: ChildProcess,
    private readonly chunks: string[],
    exited: Promise<ProxyExit>,
    { port, adminPort }: ListeningMessage,
  ) {
    this.exited = exited;
    this.url = `http://127.0.0.1:${port}`;
    this.adminUrl = `http://127.0.0.1:${adminPort}`;
  }

  /** @param config as a file would hold it; `listen` and `admin` get free ports. @param nodeArgs for node itself. */
  static async start(config: Record<string, unknown>, nodeArgs: readonly string[] = []): Promise<ProxyProcess> {
    const { listen = {}, admin = {} } = config as { listen?: object; admin?: object };
    const whole = { ...config, listen: { port: 0, ...listen }, admin: { port: 0, ...admin } };
    return ProxyProcess.listening(launch(['--config', '-'], JSON.stringify(whole), nodeArgs));
  }

  private static async listening({ child, chunks, exited }: Launched): Promise<ProxyProcess> {
    const listening = new Promise<ListeningMessage>((resolve) => {
      child.once('message', (message) => resolve(message as ListeningMessage));
    });
    const first = await Promise.race([listening, exited]);
    if (!('port' in first)) throw new Error(`the proxy did not start (${first.code ?? 'killed'}): ${first.output}`);
    return new ProxyProcess(child, chunks, exited, first);
  }

  /** As `start`, from a file that it follows. @param env besides that of the test */
  static async startFile(file: string, env: NodeJS.ProcessEnv = {}): Promise<ProxyProcess> {
    return ProxyProcess.listening(launch(['--config', file], '', [], env));
  }

  /** Runs the program to its end with these arguments. */
  static run(args: readonly string[], input = ''): Promise<ProxyExit> {
    return launch(args, input, []).exited;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** All it has written so far. */
  get output(): string {
    return this.chunks.join('');
  }

  /** Resident memory in bytes. */
  get memory(): number {
    const pages = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))?.[1];
    return Number(pages) * 1024;
  }

  /** Its log lines with a message that begins so. */
  logged(message: string): Record<string, unknown>[] {
    return logLines(this.output, message);
  }

  /** Waits for that many log lines with this message. @returns the last of these */
  async untilLogged(message: string, times = 1): Promise<Record<string, unknown>> {
    await eventually(
      () => this.logged(message).length >= times,
      () => `${times} times "${message}" in: ${this.output}`,
    );
    return this.logged(message)[times - 1] ?? {};
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  async stop(): Promise<ProxyExit> {
    this.signal('SIGTERM');
    return this.exited;
  }

  /** POSTs a body as it is. */
  async post(body: string | Buffer, headers: Record<string, string> = {}, path = '/'): Promise<Response> {
    return fetch(this.url + path, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', ...headers },
    });
  }

  /** @returns the result. @throws Error with the JSON-RPC error in its text. */
  async call(method: string, params: unknown = [], path = '/'): Promise<unknown> {
    const response = await this.post(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }), {}, path);
    const answer = (await response.json()) as { result?: unknown; error?: unknown };
    if (answer.error !== undefined) throw new Error(`${method}: ${response.status} ${JSON.stringify(answer.error)}`);
    return answer.result;
  }

  async status(): Promise<Status> {
    return (await (await fetch(`${this.adminUrl}/status.json`)).json()) as Status;
  }

  async node(name: string): Promise<NodeStatus> {
    const node = (await this.status()).chains.flatMap(({ nodes }) => nodes).find((one) => one.name === name);
    if (node === undefined) throw new Error(`no node ${name}`);
    return node;
  }

  async metrics(): Promise<string> {
    return (await fetch(`${this.adminUrl}/metrics`)).text();
  }

  /** Sum of the metric's samples that have all these labels. */
  async metric(name: string, labels: Record<string, string> = {}): Promise<number> {
    const lines = (await this.metrics())
      .split('\n')
      .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
    const matching = lines.filter((line) =>
      Object.entries(labels).every(([key, value]) => line.includes(`${key}="${value}"`)),
    );
    return matching.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  }

  /** Questions that Redis answered so far, of those for one purpose: `limits`, `cache`, `filters` or `head`. */
  async redisAnswers(purpose: string): Promise<number> {
    return this.metric('rpc_balancer_redis_duration_seconds_count', { purpose });
  }

  /** Waits until the status is as wanted. @throws Error with the last status after `timeoutMs`. */
  async until(wanted: (status: Status) => boolean, timeoutMs = 15_000): Promise<Status> {
    const giveUpAt = performance.now() + timeoutMs;
    for (;;) {
      const status = await this.status();
      if (wanted(status)) return status;
      if (performance.now() > giveUpAt)
        throw new Error(`not within ${timeoutMs} ms: ${JSON.stringify(status, undefined, 1)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Waits until the node is as wanted. */
  async untilNode(name: string, wanted: (node: NodeStatus) => boolean, timeoutMs?: number): Promise<Status> {
    return this.until(
      ({ chains }) => chains.some(({ nodes }) => nodes.some((node) => node.name === name && wanted(node))),
      timeoutMs,
    );
  }
}

type Launched = ReturnType<typeof launch>;

function launch(args: readonly string[], input: string, nodeArgs: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [...nodeArgs, '--import', require.resolve('tsx'), MAIN, ...args], {
    stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
    env: { ...process.env, ...env },
  });
  const chunks: string[] = [];
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk));
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk));
  child.stdin?.on('error', () => undefined).end(input);
  const exited = new Promise<ProxyExit>((resolve) => {
    child.once('close', (code) => resolve({ code, output: chunks.join('') }));
  });
  return { child, chunks, exited };
}
