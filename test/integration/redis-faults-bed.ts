import { eventually } from '../support/eventually';
import type { Ledger } from '../support/ledger';
import { runLoad } from '../support/load-client';
import { echoMix } from '../support/load-mix';
import { ProxyProcess } from '../support/proxy-process';
import { ScriptedNode } from '../support/scripted-node';

/** Stands in the URLs of the nodes; found anywhere else it has leaked. */
export const NODE_SECRET = 'canary-7d21e0';
const CLIENTS = 4;
/** Of each client, between requests: enough to notice what fails, and not a test of speed. */
const PAUSE_MS = 5;

/**
 * Two proxies that share one Redis, three nodes with the same blocks, and load on both.
 *
 *     const bed = await RedisFaultsBed.start({ url: redis.url });
 *     bed.load();
 *     await redis.kill();
 *     await bed.untilDown('LOST');
 *     await bed.close();       // throws unless every request succeeded and no secret was written
 */
export class RedisFaultsBed {
  private running: { readonly stop: AbortController; readonly ledgers: Promise<Ledger[]> } | undefined;
  private calls = 0;

  private constructor(
    readonly nodes: readonly ScriptedNode[],
    readonly proxies: readonly [ProxyProcess, ProxyProcess],
    private readonly secrets: readonly string[],
  ) {}

  /** @param redis as the configuration has it. @param nodeArgs for the proxies' node itself */
  static async start(redis: Record<string, unknown>, nodeArgs: readonly string[] = []): Promise<RedisFaultsBed> {
    const now = Date.now();
    const nodes = await Promise.all(['a', 'b', 'c'].map((name) => ScriptedNode.start({ name, now: () => now })));
    const config = {
      redis,
      // Much more than is asked for: what is refused would be a failure.
      limits: { perMinute: 10_000_000 },
      http: { maxConnectionsPerClient: 0, maxInFlightPerClient: 0 },
      chains: {
        test: {
          chainId: 1337,
          nodes: nodes.map(({ name, url }) => ({ name, url: url.replace('://', `://user:${NODE_SECRET}@`) })),
        },
      },
    };
    const [a, b] = await Promise.all([ProxyProcess.start(config, nodeArgs), ProxyProcess.start(config, nodeArgs)]);
    const { password } = redis;
    const secrets = [NODE_SECRET, ...(typeof password === 'string' ? [password] : [])];
    const bed = new RedisFaultsBed(nodes, [a, b], secrets);
    for (const proxy of bed.proxies) {
      await proxy.until(({ chains }) => chains[0]?.nodes.every(({ health }) => health === 'up') === true);
    }
    return bed;
  }

  /** Load on both proxies until `endLoad`. */
  load(): void {
    const stop = new AbortController();
    const ledgers = this.proxies.map(({ url }) =>
      runLoad({ url, clients: CLIENTS, mix: echoMix, durationMs: 120_000, pauseMs: PAUSE_MS, signal: stop.signal }),
    );
    this.running = { stop, ledgers: Promise.all(ledgers) };
  }

  /** @returns how many requests there were; each had one right answer, but those that were cut off by the end. */
  async endLoad(): Promise<number> {
    this.running?.stop.abort();
    const ledgers = (await this.running?.ledgers) ?? [];
    let count = 0;
    for (const ledger of ledgers) {
      const left = ledger
        .failures()
        .filter(({ outcomes }) => outcomes.every(({ outcome }) => outcome.kind !== 'clientAbort'));
      expect(left.slice(0, 3)).toEqual([]);
      expect(ledger.failures().length).toBeLessThanOrEqual(CLIENTS);
      count += ledger.entries.length;
    }
    return count;
  }

  /** Both proxies tell that they go on without Redis, and why. */
  async untilDown(code: string): Promise<void> {
    for (const proxy of this.proxies) {
      await proxy.until(({ redis }) => redis?.up === false && redis.code === code);
      expect(await proxy.metric('rpc_balancer_redis_up')).toBe(0);
    }
  }

  /** Both proxies use Redis, within five seconds, and what one keeps the other finds. */
  async untilShared(): Promise<void> {
    const byThen = performance.now() + 5000;
    for (const proxy of this.proxies) {
      // Both at once: in a fail-over it may be up at the old one for a moment yet.
      await eventually(
        async () => (await proxy.status()).redis?.up === true && (await proxy.metric('rpc_balancer_redis_up')) === 1,
        () => 'Redis up by status and metric',
        byThen - performance.now(),
      );
    }
    await eventually(
      () => this.isShared(),
      () => 'an answer kept by one proxy and found by the other',
      byThen - performance.now(),
    );
  }

  /** Whether an answer that one proxy has kept is served by the other from Redis. */
  async isShared(): Promise<boolean> {
    const [a, b] = this.proxies;
    const data = `0x5a${(++this.calls).toString(16).padStart(6, '0')}`;
    const before = await this.counted(b, 'hit_redis');
    await a.call('eth_call', [{ data }, 'latest']);
    // It is on its way to Redis.
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await b.call('eth_call', [{ data }, 'latest'])).toBe(data);
    return (await this.counted(b, 'hit_redis')) > before;
  }

  /** Questions to Redis that had to do without an answer for this reason. */
  async failures(code: string): Promise<number> {
    const counts = this.proxies.map((proxy) => proxy.metric('rpc_balancer_redis_failures_total', { code }));
    return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
  }

  /** Requests answered so far. */
  async served(): Promise<number> {
    const counts = this.proxies.map((proxy) => proxy.metric('rpc_balancer_requests_total', { outcome: 'result' }));
    return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
  }

  /** Resolves when so many more requests were answered. */
  async untilServed(more: number): Promise<void> {
    const goal = (await this.served()) + more;
    await eventually(
      async () => (await this.served()) >= goal,
      () => `${more} more requests`,
      60_000,
    );
  }

  async close(): Promise<void> {
    await this.endLoad();
    const told = await Promise.all(
      this.proxies.map(async (proxy) => `${await proxy.metrics()}${JSON.stringify(await proxy.status())}`),
    );
    const exits = await Promise.all(this.proxies.map((proxy) => proxy.stop()));
    await Promise.all(this.nodes.map((node) => node.close()));
    for (const { code, output } of exits) {
      expect(code).toBe(0);
      told.push(output);
    }
    for (const text of told) for (const secret of this.secrets) expect(text).not.toContain(secret);
  }

  private counted(proxy: ProxyProcess, result: string): Promise<number> {
    return proxy.metric('rpc_balancer_cache_requests_total', { result });
  }
}
