import { get } from 'node:http';
import { PORTS } from '../../runtime/contract/ports';
import { container, containersOf, find, type Manifest, podSpec } from '../constructs/manifests';
import { eventually } from '../support/eventually';
import { freePorts } from '../support/haproxy-process';
import type { ChartImage } from './chart-image';
import { ChartVolumes } from './chart-volumes';
import { IS_ROOT, RunningContainer } from './running-container';

/** Where a provider of the chart is on this machine, by what its URL begins with. */
export type Addresses = Readonly<Record<string, string>>;

type PodContainer = ReturnType<typeof container>;

/**
 * A pod of a synthesised chart, on this machine: its containers' own commands, arguments, users and groups, its ConfigMap's
 * text, its volumes as the kubelet makes them. Nothing is changed but what a pod has for itself and a machine has not:
 * ports, the folders that paths begin with, providers' addresses.
 */
export class ChartPod {
  /** Of all containers, besides the test's own. */
  env: NodeJS.ProcessEnv = {};
  private readonly running = new Map<string, RunningContainer>();

  private constructor(
    private readonly manifests: readonly Manifest[],
    private readonly image: ChartImage,
    private readonly volumes: ChartVolumes,
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
    const ports = new Map(wanted.map((port, i) => [port, free[i] ?? 0]));
    const volumes = new ChartVolumes(Number(podSpec(manifests).securityContext['fsGroup']));
    const pod = new ChartPod(manifests, image, volumes, addresses, ports);
    await pod.putConfig(find(manifests, 'ConfigMap').data ?? {});
    return pod;
  }

  /** Of one of the pod's ports. */
  url(port: number): string {
    return `http://127.0.0.1:${this.portOf(port)}`;
  }

  /** Where a path of the pod is here. */
  path(path: string): string {
    return this.volumes.path(path);
  }

  /** Runs a container to its end. */
  async run(name: string): Promise<number | null> {
    return this.start(name).exited;
  }

  get(name: string): RunningContainer {
    const found = this.running.get(name);
    if (found === undefined) throw new Error(`${name} was not started`);
    return found;
  }

  /** As the kubelet starts it, in the manifest's order: each when the one before it has ended or, as a sidecar, started. */
  async startAll(): Promise<void> {
    const spec = podSpec(this.manifests);
    for (const one of spec.initContainers) {
      if (one.restartPolicy === 'Always') await this.startUp(one);
      else if ((await this.run(one.name)) !== 0) throw new Error(this.get(one.name).output);
    }
    await Promise.all(spec.containers.map((one) => this.startUp(one)));
    for (const one of containersOf(spec)) await this.untilProbed(one, one.readinessProbe);
  }

  /** As the kubelet stops it: the proxy, and when it has ended its sidecars, the last one first. @returns exit codes */
  async stopAll(): Promise<Record<string, number | null>> {
    const { initContainers, containers } = podSpec(this.manifests);
    const sidecars = initContainers.filter(({ restartPolicy }) => restartPolicy === 'Always');
    const codes: Record<string, number | null> = {};
    for (const { name, command } of [...containers, ...sidecars.reverse()]) {
      // The stop signal of HAProxy's image.
      codes[name] = await this.get(name).stop(command[0] === 'haproxy' ? 'SIGUSR1' : 'SIGTERM');
    }
    return codes;
  }

  /** Changes the ConfigMap as the kubelet does. */
  async putConfig(data: Readonly<Record<string, string>>): Promise<void> {
    const files = Object.entries(data).map(([name, text]) => [name, this.onThisMachine(text)] as const);
    await this.volumes.putConfig(Object.fromEntries(files));
  }

  /** Changes a secret as the Secrets Store CSI driver does. */
  async putSecret(path: string, secret: Readonly<Record<string, string>>): Promise<void> {
    await this.volumes.putSecret(path, secret);
  }

  async close(): Promise<void> {
    for (const one of this.running.values()) await one.stop('SIGKILL');
    this.volumes.remove();
  }

  private start(name: string): RunningContainer {
    const spec = container(podSpec(this.manifests), name);
    const command = spec.command[0] === 'haproxy' ? spec.command : this.image.commandOf(spec.command);
    const args = spec.args.map((text) => this.volumes.inFolder(text));
    const started = new RunningContainer(spec, [...command, ...args], this.env);
    this.running.set(name, started);
    return started;
  }

  private async startUp(one: PodContainer): Promise<void> {
    this.start(one.name);
    await this.untilProbed(one, one.startupProbe);
  }

  /** @param probe of the container; without one it is taken to be well */
  private async untilProbed({ name, ports }: PodContainer, probe: PodContainer['startupProbe']): Promise<void> {
    if (probe === undefined) return;
    const { path, port } = probe.httpGet;
    const number = ports?.find((one) => one.name === port)?.containerPort ?? 0;
    await eventually(
      () => this.get(name).hasEnded || isOk(this.url(number) + path),
      () => this.get(name).output,
      30_000,
    );
    if (this.get(name).hasEnded) throw new Error(`${name} ended: ${this.get(name).output}`);
  }

  private onThisMachine(text: string): string {
    let changed = this.volumes.inFolder(text).replaceAll(/(?<![\d.])0\.0\.0\.0(?![\d/])/g, '127.0.0.1');
    changed = changed.replaceAll(
      /(port"?: )(\d+)/gi,
      (_, key: string, port: string) => key + String(this.portOf(Number(port))),
    );
    for (const [from, to] of Object.entries(this.addresses)) changed = changed.replaceAll(from, to);
    // There is one group less where nobody may change groups.
    return IS_ROOT ? changed : changed.replace(/^.*socketGid.*\n/m, '');
  }

  private portOf(port: number): number {
    return this.ports.get(port) ?? port;
  }
}

/** On a connection of its own, as the kubelet asks: HAProxy would wait for one that is kept, when it ends. */
function isOk(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    get(url, { agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    }).once('error', () => resolve(false));
  });
}
