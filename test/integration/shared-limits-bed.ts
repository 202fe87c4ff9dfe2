import { ProxyProcess } from '../support/proxy-process';
import { RedisProcess } from '../support/redis-process';
import { ScriptedNode } from '../support/scripted-node';

const HOUR_MS = 3_600_000;

/** What the clocks of the three proxies are off by. */
export const SKEWS_MS = [0, HOUR_MS, -HOUR_MS] as const;

/** Makes a process believe that it is later than it is. */
function skewedBy(ms: number): readonly string[] {
  const code = `
    const Real = Date;
    globalThis.Date = class extends Real {
      constructor(...given) { given.length === 0 ? super(Real.now() + ${ms}) : super(...given); }
      static now() { return Real.now() + ${ms}; }
    };
    Object.defineProperty(performance, 'timeOrigin', { value: performance.timeOrigin + ${ms} });`;
  return ['--import', `data:text/javascript,${encodeURIComponent(code)}`];
}

/** Three proxies that share one Redis, and what they need. */
export class SharedLimitsBed {
  private constructor(
    readonly redis: RedisProcess,
    private readonly node: ScriptedNode,
    readonly proxies: readonly ProxyProcess[],
  ) {}

  /** @param limits the section; 127.0.0.1 is trusted to tell who the client is */
  static async start(limits: object): Promise<SharedLimitsBed> {
    const [redis, node] = await Promise.all([RedisProcess.start(), ScriptedNode.start()]);
    const config = {
      chains: { test: { chainId: 1337, nodes: [{ name: 'a', url: node.url }] } },
      redis: { url: redis.url, keyPrefix: 'shared:' },
      limits,
      trustedProxies: ['127.0.0.1'],
    };
    const proxies = await Promise.all(SKEWS_MS.map((ms) => ProxyProcess.start(config, skewedBy(ms))));
    const bed = new SharedLimitsBed(redis, node, proxies);
    await bed.untilShared();
    return bed;
  }

  async untilShared(): Promise<void> {
    const isReady = (proxy: ProxyProcess): Promise<unknown> =>
      proxy.until((status) => status.redis?.up === true && status.chains[0]?.nodes[0]?.health === 'up');
    await Promise.all(this.proxies.map(isReady));
  }

  /** How often Redis has decided so far. */
  async runs(): Promise<number> {
    const answers = await Promise.all(this.proxies.map((proxy) => proxy.redisAnswers('limits')));
    return answers.reduce((sum, count) => sum + count, 0);
  }

  /** HTTP status of one request at the proxy of this number; 0 where there was no answer. */
  async ask(proxy: number, client: string, body: unknown = REQUEST): Promise<number> {
    const at = this.proxies[proxy % this.proxies.length];
    try {
      const response = await at?.post(JSON.stringify(body), { 'x-forwarded-for': client });
      await response?.arrayBuffer();
      return response?.status ?? 0;
    } catch {
      return 0;
    }
  }

  /** Sends requests to the proxies in turn, evenly, for so long. */
  async offer(perSecond: number, seconds: number, client: string): Promise<Offered> {
    const startedAt = performance.now();
    const sent: Promise<Asked>[] = [];
    const total = perSecond * seconds;
    while (sent.length < total) {
      const due = Math.min(total, Math.floor(((performance.now() - startedAt) * perSecond) / 1000) + 1);
      for (let i = sent.length; i < due; i++) {
        const at = performance.now();
        sent.push(this.ask(i, client).then((status) => ({ at, status })));
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return new Offered(await Promise.all(sent), performance.now() - startedAt);
  }

  async stop(): Promise<(number | null)[]> {
    const exits = await Promise.all(this.proxies.map((proxy) => proxy.stop()));
    await Promise.all([this.node.close(), this.redis.stop()]);
    return exits.map(({ code }) => code);
  }
}

interface Asked {
  /** On the clock of performance.now(). */
  readonly at: number;
  readonly status: number;
}

export class Offered {
  constructor(
    private readonly asked: readonly Asked[],
    readonly ms: number,
  ) {}

  /** How many of these were answered so. */
  count(status: number, fromMs = 0, untilMs = Infinity): number {
    const start = this.asked[0]?.at ?? 0;
    return this.asked.filter(({ at, status: own }) => own === status && at - start >= fromMs && at - start < untilMs)
      .length;
  }

  get statuses(): number[] {
    return [...new Set(this.asked.map(({ status }) => status))].sort();
  }
}

const REQUEST = { jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] };
