import { loadHaproxyConfig } from '../../runtime/config/load-haproxy';
import { localPortOf } from '../../runtime/haproxy/names';
import { renderHaproxy } from '../../runtime/haproxy/render';
import { freePorts, HaproxyProcess } from '../support/haproxy-process';

export interface BedChain {
  readonly chainId?: number;
  readonly failover?: object;
  readonly health?: object;
  readonly nodes: readonly BedNode[];
}

export interface BedNode {
  readonly name: string;
  readonly url: string;
  readonly wsUrl?: string;
  readonly caFile?: string;
}

/** Checks that follow each other fast, so that a test need not wait for them. */
const CHECK_INTERVAL_MS = 200;
const MAX_PORTS = 12;

/** The real HAProxy with the text that is rendered for these chains, on ports the system picked. */
export class HaproxyBed {
  private constructor(
    readonly haproxy: HaproxyProcess,
    readonly text: string,
    /** Of the pool. */
    readonly url: string,
    readonly statsUrl: string,
    /** Of a node's local port, for which the proxy stands in here. */
    readonly localUrl: (node: string, pool?: string) => string,
  ) {}

  static async start(
    chains: Readonly<Record<string, BedChain>>,
    { haproxy = {}, ...rest }: { readonly haproxy?: object; readonly http?: object } = {},
  ): Promise<HaproxyBed> {
    const [pool, stats, admin, ...free] = await freePorts(MAX_PORTS);
    const local = [...free];
    const config = loadHaproxyConfig(
      JSON.stringify({
        ...rest,
        haproxy: {
          pool: { port: pool },
          stats: { port: stats },
          adminSocket: `127.0.0.1:${admin}`,
          checkIntervalMs: CHECK_INTERVAL_MS,
          ...haproxy,
        },
        chains: Object.fromEntries(
          Object.entries(chains).map(([name, { nodes, ...chain }]) => [
            name,
            {
              chainId: 1337,
              ...chain,
              nodes: nodes.map(({ name: node, ...provider }) => ({ name: node, localPort: local.pop(), provider })),
            },
          ]),
        ),
      }),
      { env: {} },
    );
    const text = renderHaproxy(config);
    return new HaproxyBed(
      await HaproxyProcess.start(text),
      text,
      `http://127.0.0.1:${pool}`,
      `http://127.0.0.1:${stats}`,
      (node, backend = 'rpc-backend') => `http://127.0.0.1:${localPortOf(config, backend, node)}`,
    );
  }

  async stop(): Promise<void> {
    await this.haproxy.stop();
  }
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly error: { readonly code: number; readonly message: string } | undefined;
  readonly result: unknown;
}

/** POSTs one request and reads the whole answer. */
export async function ask(
  url: string,
  method: string,
  params: readonly unknown[] = [],
  headers: Record<string, string> = {},
): Promise<Reply> {
  return post(url, JSON.stringify({ jsonrpc: '2.0', id: 7, method, params }), headers);
}

/** POSTs a body as it is. */
export async function post(url: string, body: string, headers: Record<string, string> = {}): Promise<Reply> {
  const response = await fetch(url, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
  });
  const text = await response.text();
  const { result, error } = parse(text);
  return { status: response.status, headers: response.headers, text, result, error };
}

function parse(text: string): Pick<Reply, 'result' | 'error'> {
  try {
    return JSON.parse(text) as Pick<Reply, 'result' | 'error'>;
  } catch {
    return { result: undefined, error: undefined };
  }
}
