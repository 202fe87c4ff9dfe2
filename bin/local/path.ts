import { loadHaproxyConfig } from '../../runtime/config/load-haproxy';
import { renderHaproxy } from '../../runtime/haproxy/render';
import { findHaproxy, type HaproxyBinary } from './haproxy-binary';
import { LocalHaproxy } from './haproxy-process';
import { type LocalPorts, PORTS } from './options';
import { assertFree, freePorts } from './ports';
import { Program } from './program';
import type { HaproxyPorts, ProxyPorts, Served, ServedNode } from './summary';

/** The chain that is served. */
export interface PathChain extends Served {
  readonly name: string;
  /** Methods that are allowed beyond the usual. */
  readonly allow: readonly string[];
  /** From which age of its newest block on the weighter takes a server for unhealthy. @default the weighter's own, 150 s */
  readonly maxBlockAgeMs?: number;
}

/** What came of it, for the summary. */
export interface ServedPath {
  readonly served: Served;
  /** Undefined when the proxy ended instead. */
  readonly ports: ProxyPorts | undefined;
  readonly haproxyPorts: HaproxyPorts | undefined;
}

/**
 * The programs between callers and nodes, and the order in which they live: the proxy ends last of those that callers
 * see, and first of all where one cannot start.
 *
 *     proxy ──▶ HAProxy, a port for each node ──▶ nodes
 *                  ▲ set weight
 *               weighter
 */
export class Path {
  private readonly proxy = Program.start<ProxyPorts>('proxy');
  private readonly binary: Promise<HaproxyBinary>;
  private weighter: Program<{ readonly port: number }> | undefined;
  private haproxy: LocalHaproxy | undefined;
  private ended = false;

  /** Starts what takes longest to load; it waits for `serve` then. */
  constructor(withHaproxy: boolean) {
    this.binary = withHaproxy ? this.find() : Promise.resolve({ kind: 'none', why: '' });
    // Callers are served to the end of the drain; then nobody needs the others any more.
    void this.proxy.exited.then(() => this.endOthers());
  }

  /** The proxy's exit code, when everything has ended. */
  get exited(): Promise<number> {
    return this.proxy.exited;
  }

  readonly stop = (): void => this.proxy.stop();

  readonly kill = (): void => {
    this.proxy.kill();
    this.endOthers();
  };

  async serve(chain: PathChain, ports: LocalPorts): Promise<ServedPath> {
    try {
      const binary = await this.binary;
      const behind = binary.kind === 'found' ? await this.startHaproxy(binary.path, chain, ports) : undefined;
      if (binary.kind === 'none' && binary.why !== '') {
        process.stdout.write(
          `${binary.why}: the proxy dials the nodes itself, and there is no pool and no weighter.\n`,
        );
      }
      const nodes = behind?.nodes ?? chain.nodes;
      this.proxy.configure({
        listen: { port: ports.proxy },
        admin: { port: ports.admin },
        methods: { allow: chain.allow },
        chains: { [chain.name]: { chainId: chain.chainId, nodes: nodes.map(toProxyNode) } },
      });
      const listening = await this.proxy.listening;
      return { served: { ...chain, nodes }, ports: listening, haproxyPorts: behind?.ports };
    } catch (error) {
      // Stopped meanwhile: what could not be started any more is no failure.
      if (this.ended) return { served: chain, ports: undefined, haproxyPorts: undefined };
      this.kill();
      throw error;
    }
  }

  private async find(): Promise<HaproxyBinary> {
    const binary = await findHaproxy();
    if (binary.kind === 'found' && !this.ended) this.weighter = Program.start('weighter');
    return binary;
  }

  private endOthers(): void {
    this.ended = true;
    this.weighter?.stop();
    this.haproxy?.stop();
  }

  private async startHaproxy(
    path: string,
    chain: PathChain,
    asked: LocalPorts,
  ): Promise<{ nodes: ServedNode[]; ports: HaproxyPorts }> {
    const { pool, stats, socket, localPorts } = await choosePorts(asked, chain.nodes.length);
    const nodes = chain.nodes.map((node, index) => ({ ...node, localPort: localPorts[index] ?? 0 }));
    const config = loadHaproxyConfig(
      JSON.stringify({
        haproxy: { pool: { port: pool }, stats: { port: stats }, adminSocket: `127.0.0.1:${socket}` },
        chains: { [chain.name]: { chainId: chain.chainId, nodes: nodes.map(toHaproxyNode) } },
      }),
      { env: {}, source: 'What HAProxy was to run' },
    );
    this.haproxy = await LocalHaproxy.start({ path, config: renderHaproxy(config), host: '127.0.0.1', port: pool });
    if (this.ended) this.haproxy.stop();
    this.weighter?.configure({
      admin: { host: '127.0.0.1', port: socket },
      listen: { port: asked.weighter },
      ...(chain.maxBlockAgeMs !== undefined && { maxBlockAgeMs: chain.maxBlockAgeMs }),
    });
    const weighter = (await this.weighter?.listening)?.port;
    if (weighter === undefined) throw new Error('The weighter did not start.');
    return { nodes, ports: { pool, stats, socket: `127.0.0.1:${socket}`, weighter } };
  }
}

function toProxyNode({ name, url, localPort }: ServedNode): object {
  return localPort === undefined ? { name, url } : { name, localPort };
}

function toHaproxyNode({ name, url, localPort }: ServedNode): object {
  return { name, localPort, provider: { url } };
}

/** HAProxy picks no ports itself. The nodes' own follow the pool's, as in its documentation. */
async function choosePorts(
  asked: LocalPorts,
  nodes: number,
): Promise<{ pool: number; stats: number; socket: number; localPorts: number[] }> {
  const option = (name: keyof LocalPorts): string => `--${PORTS[name].option}`;
  const [pool = 0, stats = 0, socket = 0, ...others] = await freePorts(3 + nodes);
  const localPorts = asked.pool === 0 ? others : others.map((_, index) => asked.pool + 1 + index);
  for (const name of ['pool', 'stats', 'socket', 'weighter'] as const) await assertFree(asked[name], option(name));
  if (asked.pool !== 0) for (const port of localPorts) await assertFree(port, option('pool'));
  return { pool: asked.pool || pool, stats: asked.stats || stats, socket: asked.socket || socket, localPorts };
}
