import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { rename, rm, symlink, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PATHS } from '../../runtime/contract/paths';
import { PORTS } from '../../runtime/contract/ports';
import { container, find, type Manifest, podSpec } from '../constructs/manifests';
import { eventually } from '../support/eventually';
import { freePorts } from '../support/haproxy-process';
import type { ChartImage } from './chart-image';
import { IS_ROOT, RunningContainer } from './running-container';

/** The machine's, or the one that the environment names: 2.6 to 3.2 are meant to do. */
const HAPROXY = process.env['HAPROXY'] ?? 'haproxy';

/** Where a provider of the chart is on this machine, by what its URL begins with. */
export type Addresses = Readonly<Record<string, string>>;

/**
 * A pod of a synthesised chart, on this machine: its containers' own commands, arguments, users and groups, its ConfigMap's
 * text, its volumes as the kubelet makes them. Nothing is changed but what a pod has for itself and a machine has not:
 * ports, the folders that paths begin with, providers' addresses.
 */
export class ChartPod {
  readonly folder = mkdtempSync(join(tmpdir(), 'pod-'));
  private readonly running = new Map<string, RunningContainer>();
  private mounts = 0;

  private constructor(
    private readonly manifests: readonly Manifest[],
    private readonly image: ChartImage,
    private readonly addresses: Addresses,
    private readonly ports: ReadonlyMap<number, number>,
  ) {}

  /** @param localPorts of the chart's nodes */
  static async create(
    manifests: readonly Manifest[],
    image: ChartImage,
    addresses: Addresses,
    localPorts: readonly number[],
  ): Promise<ChartPod> {
    const wanted = [...Object.values(PORTS), ...localPorts];
    const free: readonly number[] = await freePorts(wanted.length);
    const pod = new ChartPod(manifests, image, addresses, new Map(wanted.map((port, i) => [port, free[i] ?? 0])));
    pod.makeVolumes();
    await pod.putConfig(find(manifests, 'ConfigMap').data ?? {});
    return pod;
  }

  /** Of one of the pod's ports. */
  url(port: number): string {
    return `http://127.0.0.1:${this.portOf(port)}`;
  }

  portOf(port: number): number {
    return this.ports.get(port) ?? port;
  }

  /** Runs a container to its end. */
  async run(name: string): Promise<number | null> {
    return this.start(name).exited;
  }

  start(name: string): RunningContainer {
    const spec = container(podSpec(this.manifests), name);
    const command = spec.command[0] === 'haproxy' ? [HAPROXY] : this.image.commandOf(spec.command);
    const started = new RunningContainer(spec, [...command, ...spec.args.map((text) => this.inFolder(text))]);
    this.running.set(name, started);
    return started;
  }

  get(name: string): RunningContainer {
    const found = this.running.get(name);
    if (found === undefined) throw new Error(`${name} was not started`);
    return found;
  }

  /** As the kubelet starts it: each when the one before it has started. */
  async startAll(): Promise<void> {
    if ((await this.run('render')) !== 0) throw new Error(this.get('render').output);
    this.start('config-render');
    this.start('haproxy');
    await this.untilAnswers('haproxy', `${this.url(PORTS.stats)}/`);
    this.start('node-weighter');
    this.start('proxy');
    await this.untilAnswers('proxy', `${this.url(PORTS.admin)}/readyz`);
  }

  /** As the kubelet stops it: the proxy, and when it has ended its sidecars, the last one first. @returns exit codes */
  async stopAll(): Promise<Record<string, number | null>> {
    const codes: Record<string, number | null> = {};
    for (const name of ['proxy', 'node-weighter', 'haproxy', 'config-render']) {
      // The stop signal of HAProxy's image.
      codes[name] = await this.get(name).stop(name === 'haproxy' ? 'SIGUSR1' : 'SIGTERM');
    }
    return codes;
  }

  /** Changes the ConfigMap as the kubelet does. */
  async putConfig(data: Readonly<Record<string, string>>): Promise<void> {
    const folder = this.path(PATHS.configFolder);
    const stamp = `..2026_01_01_${++this.mounts}`;
    mkdirSync(join(folder, stamp));
    for (const [name, text] of Object.entries(data)) {
      await writeFile(join(folder, stamp, name), this.onThisMachine(text));
      if (this.mounts === 1) symlinkSync(join('..data', name), join(folder, name));
    }
    await symlink(stamp, join(folder, '..data_tmp'));
    await rename(join(folder, '..data_tmp'), join(folder, '..data'));
    await rm(join(folder, `..2026_01_01_${this.mounts - 1}`), { recursive: true, force: true });
  }

  /** Changes a secret as the Secrets Store CSI driver does. */
  async putSecret(path: string, secret: Readonly<Record<string, string>>): Promise<void> {
    const file = this.path(path);
    await writeFile(`${file}.new`, JSON.stringify(secret), { mode: 0o644 });
    await rename(`${file}.new`, file);
  }

  /** Where a path of the pod is here. */
  path(path: string): string {
    return join(this.folder, path);
  }

  async close(): Promise<void> {
    for (const one of this.running.values()) await one.stop('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async untilAnswers(name: string, url: string): Promise<void> {
    await eventually(
      () => this.get(name).hasEnded || isOk(url),
      () => this.get(name).output,
      30_000,
    );
    if (this.get(name).hasEnded) throw new Error(`${name} ended: ${this.get(name).output}`);
  }

  private makeVolumes(): void {
    chmodSync(this.folder, 0o755);
    for (const folder of [PATHS.configFolder, PATHS.providerKeysFolder, PATHS.redisPasswordFolder]) {
      mkdirSync(this.path(folder), { recursive: true, mode: 0o755 });
    }
    for (const folder of [PATHS.haproxyFolder, PATHS.socketFolder]) {
      mkdirSync(this.path(folder), { recursive: true });
      if (!IS_ROOT) continue;
      // An emptyDir of a pod with a group: it is the group's, and so is what is made in it.
      chownSync(this.path(folder), 0, Number(podSpec(this.manifests).securityContext['fsGroup']));
      chmodSync(this.path(folder), 0o2777);
    }
  }

  private onThisMachine(text: string): string {
    let changed = this.inFolder(text).replaceAll(/(?<![\d.])0\.0\.0\.0(?![\d/])/g, '127.0.0.1');
    changed = changed.replaceAll(
      /(port"?: )(\d+)/gi,
      (_, key: string, port: string) => key + String(this.portOf(Number(port))),
    );
    for (const [from, to] of Object.entries(this.addresses)) changed = changed.replaceAll(from, to);
    // There is one group less where nobody may change groups.
    return IS_ROOT ? changed : changed.replace(/^.*socketGid.*\n/m, '');
  }

  private inFolder(text: string): string {
    return FOLDERS.reduce((changed, folder) => changed.replaceAll(folder, this.path(folder)), text);
  }
}

const FOLDERS = [PATHS.configFolder, PATHS.haproxyFolder, PATHS.socketFolder, '/run/secrets'];

/** On a connection of its own, as the kubelet asks: HAProxy would wait for one that is kept, when it ends. */
function isOk(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    get(url, { agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    }).once('error', () => resolve(false));
  });
}
