import { setTimeout as sleep } from 'node:timers/promises';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { guardChild, releaseChild } from '../../bin/dev-chain/orphan-guard';
import { HaproxySocket } from '../../runtime/haproxy/socket';
import { Master, type ProcessView } from '../../runtime/render/master';
import { freePorts } from '../support/haproxy-process';
import { RenderProcess } from '../support/render-process';
import { eventually } from '../support/eventually';

export interface BedNode {
  readonly name: string;
  /** May hold `${NAME}`. */
  readonly url: string;
  readonly caFile?: string;
}

const MAX_NODES = 4;
const NEVER = new AbortController().signal;

/**
 * What is in a pod: a mounted ConfigMap, a mounted secret, and a folder for haproxy.cfg and the sockets, which `render`
 * and HAProxy share.
 *
 *     config/config.yaml ─▶ ..data/config.yaml     secrets/keys.json     run/haproxy.cfg, master.sock
 */
export class RenderBed {
  readonly folder = mkdtempSync(join(tmpdir(), 'render-'));
  readonly config = join(this.folder, 'config', 'config.yaml');
  readonly secrets = join(this.folder, 'secrets', 'keys.json');
  readonly out = join(this.folder, 'run', 'haproxy.cfg');
  readonly masterSocket = join(this.folder, 'run', 'master.sock');
  private readonly master = new Master(new HaproxySocket({ address: { path: this.masterSocket }, timeoutMs: 2000 }));
  private haproxy: ChildProcess | undefined;
  private exited: Promise<unknown> = Promise.resolve();
  private said = '';
  private mounts = 0;

  private constructor(private readonly ports: readonly number[]) {}

  static async create(nodes: readonly BedNode[], secrets: Readonly<Record<string, string>>): Promise<RenderBed> {
    const bed = new RenderBed(await freePorts(3 + MAX_NODES));
    for (const name of ['config', 'secrets', 'run']) await mkdir(join(bed.folder, name));
    await bed.mount(nodes);
    await bed.putSecrets(secrets);
    return bed;
  }

  get url(): string {
    return `http://127.0.0.1:${this.ports[0] ?? 0}`;
  }

  get adminPort(): number {
    return this.ports[2] ?? 0;
  }

  /** All that HAProxy has written. */
  get haproxyOutput(): string {
    return this.said;
  }

  get args(): string[] {
    return ['--config', this.config, '--secrets', this.secrets, '--out', this.out];
  }

  watch(): Promise<RenderProcess> {
    return RenderProcess.start([...this.args, '--watch', '--master-socket', this.masterSocket]);
  }

  configOf(nodes: readonly BedNode[], extra: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
    const [pool, stats, admin, ...local] = this.ports;
    return {
      haproxy: {
        pool: { port: pool },
        stats: { port: stats },
        adminSocket: `127.0.0.1:${admin ?? 0}`,
        checkIntervalMs: 200,
        hardStopAfterMs: 20_000,
      },
      // For the proxy alone.
      redis: { password: '${REDIS_PASSWORD}' },
      chains: {
        main: {
          chainId: 1337,
          nodes: nodes.map(({ name, ...provider }, index) => ({ name, localPort: local[index], provider })),
        },
      },
      ...extra,
    };
  }

  /** Changes the ConfigMap, as kubelet's AtomicWriter does. */
  async mount(nodes: readonly BedNode[]): Promise<void> {
    await this.mountText(JSON.stringify(this.configOf(nodes), undefined, 1));
  }

  async mountText(text: string): Promise<void> {
    const folder = join(this.folder, 'config');
    const stamp = `..2026_01_01_${String(++this.mounts)}`;
    await mkdir(join(folder, stamp));
    await writeFile(join(folder, stamp, 'config.yaml'), text);
    if (this.mounts === 1) symlinkSync(join('..data', 'config.yaml'), this.config);
    await symlink(stamp, join(folder, '..data_tmp'));
    await rename(join(folder, '..data_tmp'), join(folder, '..data'));
    await rm(join(folder, `..2026_01_01_${String(this.mounts - 1)}`), { recursive: true, force: true });
  }

  /** Changes the secret, as the Secrets Store CSI driver does. */
  async putSecrets(secrets: Readonly<Record<string, string>>): Promise<void> {
    await writeFile(`${this.secrets}.new`, JSON.stringify(secrets));
    await rename(`${this.secrets}.new`, this.secrets);
  }

  /** HAProxy as in a pod, with the file as it is now. */
  async startHaproxy(): Promise<void> {
    const child = spawn('haproxy', ['-W', '-f', this.out, '-S', `${this.masterSocket},mode,660`], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` },
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => (this.said += chunk));
    }
    const { pid } = child;
    if (pid !== undefined) guardChild(pid);
    this.haproxy = child;
    this.exited = new Promise((resolve) =>
      child.once('close', () => {
        if (pid !== undefined) releaseChild(pid);
        resolve(undefined);
      }),
    );
    await eventually(
      () =>
        this.processes().then(
          () => true,
          () => false,
        ),
      () => this.said,
    );
  }

  async stopHaproxy(): Promise<void> {
    this.haproxy?.kill('SIGTERM');
    await this.exited;
  }

  /** Freezes the master, or lets it go on. */
  signalHaproxy(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.haproxy?.kill(name);
  }

  /** While it reloads, the master refuses for a moment. */
  async processes(): Promise<ProcessView> {
    for (let tries = 0; ; tries++) {
      try {
        return await this.master.look(NEVER);
      } catch (error) {
        if (tries === 50) throw error;
        await sleep(20);
      }
    }
  }

  /** What is in a file of the bed's own. */
  put(name: string, content: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, content);
    return path;
  }

  async close(): Promise<void> {
    await this.stopHaproxy();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
