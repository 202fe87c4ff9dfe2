import { AdminServer } from '../admin/server';
import type { Status } from '../admin/status';
import type { ChainConfig, Config } from '../config/schema';
import { createClientKey } from '../front/client-key';
import type { ChainService } from '../front/exchange';
import { HttpFront } from '../front/http';
import { createRateLimiter } from '../limits/rate-limiter';
import { SharedRedis } from '../redis/shared-redis';
import type { Refusal } from '../rpc/errors';
import { createLogger } from '../telemetry/logger';
import { createMetrics } from '../telemetry/metrics';
import { now } from '../util/clock';
import { Chain } from './chain';
import { ChainWatch, watchChains } from './chain-watch';
import { Gauges } from './gauges';
import { instrument, instrumentRedis } from './instrument';
import { NodeStats } from './node-stats';
import { Readiness } from './readiness';
import { type ChainParts, chainStatus, redisStatus, watchedChain } from './status';

/** The proxy, composed: every part is made and handed to the others here, and nowhere else. */
export class App {
  private readonly log;
  private readonly metrics = createMetrics();
  private readonly redis: SharedRedis;
  private readonly parts: readonly ChainParts[];
  private readonly limiter;
  private readonly readiness: Readiness;
  private readonly gauges: Gauges;
  private readonly admin: AdminServer;
  private front!: HttpFront;
  private readonly startedAt = new Date();
  private readonly stopped = new AbortController();
  private limited = 0;

  private constructor(
    private readonly config: Config,
    private readonly version: string,
  ) {
    this.log = createLogger(config.telemetry.logLevel);
    this.redis = new SharedRedis(instrumentRedis(this.metrics, this.log));
    this.redis.apply(config.redis);
    this.limiter = createRateLimiter(config.limits, now);
    const defaultName = config.defaultChain ?? Object.keys(config.chains)[0] ?? '';
    this.parts = Object.entries(config.chains).map(([name, chain]) =>
      this.createChain(name, chain, name === defaultName),
    );
    const defaultChain = this.parts.find(({ name }) => name === defaultName)?.chain;
    const canServe = (): boolean =>
      defaultChain?.nodes.registry.nodes.some(({ health }) => health.state === 'up') === true;
    this.readiness = new Readiness(config.listen.startupGraceMs, canServe, now);
    this.gauges = new Gauges(this.metrics, this.parts, () => this.front.openConnections, this.redis);
    this.admin = new AdminServer({
      isReady: () => this.readiness.ready,
      status: () => this.status(),
      metrics: async () => {
        this.gauges.read();
        const { registry } = this.metrics;
        return { contentType: registry.contentType, text: await registry.metrics() };
      },
    });
  }

  static async create(config: Config, version: string): Promise<App> {
    const app = new App(config, version);
    app.front = await HttpFront.create(app.frontOptions());
    return app;
  }

  /**
   * Probes every node once, well or badly, and then listens.
   *
   * @returns the ports, which the system chose where 0 was asked for
   */
  async start(): Promise<{ port: number; adminPort: number }> {
    const { listen, admin } = this.config;
    const adminPort = await this.admin.listen(admin.host, admin.port);
    await Promise.all(this.parts.map(({ chain }) => chain.nodes.start()));
    const port = await this.front.listen(listen.host, listen.port);
    this.readiness.open();
    this.log.info({ host: listen.host, port, adminPort, chains: this.parts.map(({ name }) => name) }, 'listening');
    void watchChains(this.stopped.signal, new ChainWatch(this.log, now), () => this.parts.map(watchedChain));
    return { port, adminPort };
  }

  /** Drains. @returns whether everything in flight was finished within `drainTimeoutMs`. */
  async stop(): Promise<boolean> {
    const { drainDelayMs, drainTimeoutMs } = this.config.listen;
    this.log.info({ drainDelayMs, drainTimeoutMs }, 'draining');
    this.readiness.drain();
    this.stopped.abort();
    this.front.announceClose();
    await new Promise((resolve) => setTimeout(resolve, drainDelayMs));
    const clean = await this.front.close(Math.max(0, drainTimeoutMs - drainDelayMs));
    await Promise.all(this.parts.map(({ chain }) => chain.nodes.close()));
    await this.admin.close();
    this.gauges.close();
    this.redis.close();
    this.log.info({ clean }, 'stopped');
    return clean;
  }

  private createChain(name: string, config: ChainConfig, isDefault: boolean): ChainParts {
    const stats = new NodeStats(now);
    const { http, methods } = this.config;
    const chain = new Chain({
      config,
      http,
      methods,
      redis: this.redis,
      events: instrument(name, this.metrics, this.log, stats),
    });
    const paths = [...(isDefault ? ['/'] : []), `/${name}`, `/${config.chainId}`];
    return { name, chainId: config.chainId, balancing: config.balancing, paths, chain, stats };
  }

  private frontOptions() {
    const { http, trustedProxies, telemetry } = this.config;
    const services = new Map<string, ChainService>();
    for (const part of this.parts) for (const path of part.paths) services.set(path.slice(1), this.createService(part));
    const { sample } = telemetry.accessLog;
    return {
      http,
      services,
      chains: this.parts.flatMap(({ name, chainId, paths }) => paths.map((path) => ({ name, chainId, path }))),
      version: this.version,
      clientKey: createClientKey(trustedProxies),
      isReady: () => this.readiness.ready,
      onRefused: (refused: Refusal) => this.countRefused(refused),
      onError: (err: unknown) => {
        this.metrics.exceptions.inc();
        this.log.error({ err }, 'a request met a defect');
      },
      ...(sample > 0 && {
        onAnswered: (path: string, status: number, client: string, ms: number) => {
          if (Math.random() < sample) this.log.info({ path, status, client, ms: Math.round(ms) }, 'answered');
        },
      }),
    };
  }

  private createService({ name, chain }: ChainParts): ChainService {
    const { config, limiter } = this;
    const deadlineMs = config.chains[name]?.failover.deadlineMs ?? 0;
    return {
      deadlineMs,
      head: () => chain.nodes.head,
      admit: (client, methods) => limiter?.take(client, methods),
      handle: (request, context) => chain.handle(request, context),
      onRefused: (refused) => {
        this.countRefused(refused);
        if (refused.reason !== 'LIMITED') return;
        this.limited++;
        this.metrics.limited.inc({ chain: name });
      },
    };
  }

  private countRefused(refused: Refusal): void {
    this.metrics.refused.inc({ reason: refused.reason.toLowerCase() });
  }

  private status(): Status {
    const at = now();
    return {
      version: this.version,
      startedAt: this.startedAt.toISOString(),
      ready: this.readiness.ready,
      draining: this.readiness.isDraining,
      connections: this.front.openConnections,
      limited: this.limiter === undefined ? undefined : this.limited,
      redis: redisStatus(this.redis),
      chains: this.parts.map((part) => chainStatus(part, at)),
    };
  }
}
