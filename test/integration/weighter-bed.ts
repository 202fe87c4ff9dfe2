import { freePorts, HaproxyProcess } from '../support/haproxy-process';
import { eventually } from '../support/eventually';

/** A server of the pool, and the node behind its local port. */
export interface BedServer {
  readonly name: string;
  readonly port: number;
}

/**
 * The guide's HAProxy: a pool whose servers are local ports, behind each of which one node is.
 *
 *     :pool ─▶ rpc-backend ─▶ 127.0.0.1:<local> ─▶ node
 */
export class WeighterBed {
  private constructor(
    readonly text: string,
    readonly adminPort: number,
    readonly poolUrl: string,
    private haproxy: HaproxyProcess,
  ) {}

  static async start(servers: readonly BedServer[], more = ''): Promise<WeighterBed> {
    const [pool, admin, ...locals] = await freePorts(2 + servers.length);
    if (pool === undefined || admin === undefined) throw new Error('no ports');
    const text = configOf(servers, { pool, admin, locals }) + more;
    return new WeighterBed(text, admin, `http://127.0.0.1:${pool}`, await HaproxyProcess.start(text));
  }

  get admin(): { readonly host: string; readonly port: number } {
    return { host: '127.0.0.1', port: this.adminPort };
  }

  get process(): HaproxyProcess {
    return this.haproxy;
  }

  command(line: string): Promise<string> {
    return this.haproxy.command(line);
  }

  async weights(backend = 'rpc-backend'): Promise<Record<string, number>> {
    const rows = [...(await this.haproxy.stat()).values()].filter(
      (row) => row['pxname'] === backend && row['svname'] !== 'BACKEND',
    );
    return Object.fromEntries(rows.map((row) => [row['svname'] ?? '', Number(row['weight'])]));
  }

  /** Waits until the pool's weights are these. */
  async untilWeights(expected: Readonly<Record<string, number>>, timeoutMs?: number): Promise<void> {
    let last = {};
    await eventually(
      async () => {
        last = await this.weights();
        return Object.entries(expected).every(([name, weight]) => (last as Record<string, number>)[name] === weight);
      },
      () => `weights ${JSON.stringify(expected)}, but ${JSON.stringify(last)}`,
      timeoutMs,
    );
  }

  /** As a crash: nothing listens. */
  async down(): Promise<void> {
    await this.haproxy.stop();
  }

  /** With the weights of its file. */
  async up(): Promise<void> {
    this.haproxy = await HaproxyProcess.start(this.text);
  }

  stop(): Promise<void> {
    return this.haproxy.stop();
  }
}

function configOf(
  servers: readonly BedServer[],
  { pool, admin, locals }: { readonly pool: number; readonly admin: number; readonly locals: readonly number[] },
): string {
  const local = servers.map(
    ({ name, port }, index) => `
frontend ${name}-frontend
    bind 127.0.0.1:${locals[index] ?? 0}
    default_backend ${name}-backend
backend ${name}-backend
    server ${name} 127.0.0.1:${port}
`,
  );
  return `global
    log stdout format raw local0 info
    stats socket ipv4@127.0.0.1:${admin} level admin expose-fd listeners
    stats timeout 5s
defaults
    mode http
    # A node that refuses is a 503 at once, not after three more tries of a second each.
    retries 0
    timeout connect 10s
    timeout client 60s
    timeout server 60s
frontend http
    bind 127.0.0.1:${pool}
    default_backend rpc-backend
backend rpc-backend
    balance leastconn
${servers.map(({ name }, index) => `    server ${name} 127.0.0.1:${locals[index] ?? 0} weight 100`).join('\n')}
${local.join('')}`;
}
