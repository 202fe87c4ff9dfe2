import { isDeepStrictEqual } from 'node:util';
import { AdminServer } from '../admin/server';
import type { Status } from '../admin/status';
import type { Config } from '../config/schema';
import { HttpFront } from '../front/http';
import { createRateLimiter, type RateLimiter } from '../limits/rate-limiter';
import { SharedRedis } from '../redis/shared-redis';
import { createLogger } from '../telemetry/logger';
import { createMetrics } from '../telemetry/metrics';
import { now } from '../util/clock';
import { ChainSet } from './chain/chain-set';
import { type FrontParts, frontOptions, frontShape } from './front-options';
import { Gauges } from './gauges';
import { ChainWatch, watchChains } from './head/chain-watch';
import { instrumentLimits, instrumentRedis } from './instrument';
import { Readiness } from './readiness';
import { type ConfigChanges, configChanges, isUnchanged } from './reload/config-changes';
import { ConfigRecord } from './reload/config-record';
import { type ChainParts, chainStatus, redisStatus, watchedChain } from './status';

/** The proxy, composed: every part is made and handed to the others here, and nowhere else. */
export class App {
  readonly log;
  readonly record: ConfigRecord;
  private readonly metrics = createMetrics();
  private readonly redis: SharedRedis;
  private readonly chains: ChainSet;
  private readonly limiter: RateLimiter;
  private readonly readiness: Readiness;
  private readonly gauges: Gauges;
  private readonly admin: AdminServer;
  private readonly frontParts: FrontParts;
  private front!: HttpFront;
  private readonly startedAt = new Date();
  private readonly stopped = new AbortController();
  private limited = 0;

  private constructor(
    private config: Config,
    private readonly version: string,
  ) {
    this.log = createLogger(config.telemetry.logLevel);
    this.record = new ConfigRecord(this.metrics, this.log);
    this.redis = new SharedRedis(instrumentRedis(this.metrics, this.log));
    this.redis.apply(config.redis);
    this.limiter = createRateLimiter(config.limits, now, {
      redis: this.redis.for('limits'),
      onWithout: instrumentLimits(this.metrics),
    });
    this.chains = new ChainSet(config, { redis: this.redis, metrics: this.metrics, log: this.log });
    const canServe = (): boolean =>
      this.chains.default?.chain.nodes.registry.nodes.some(({ health }) => health.state === 'up') === true;
    this.readiness = new Readiness(() => this.config.listen.startupGraceMs, canServe, now);
    this.gauges = new Gauges(
      this.metrics,
      () => this.chains.all,
      () => this.front.openConnections,
      this.redis,
    );
    this.frontParts = {
      limiter: this.limiter,
      version,
      isReady: () => this.readiness.ready,
      onLimited: () => this.limited++,
      metrics: this.metrics,
      log: this.log,
    };
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
    app.front = await HttpFront.create(frontOptions(config, app.chains.all, app.frontParts));
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
    await this.chains.start();
    const port = await this.front.listen(listen.host, listen.port);
    this.readiness.open();
    const chains = this.chains.all.map(({ name }) => name);
    this.log.info({ host: listen.host, port, adminPort, chains }, 'listening');
    void watchChains(this.stopped.signal, new ChainWatch(this.log, now), () => this.chains.all.map(watchedChain));
    return { port, adminPort };
  }

  /**
   * Another configuration, but for the addresses it listens at. Requests under way end by the rules they began with, and
   * what did not change keeps its connections and all that is known of it. One call at a time.
   *
   * @returns what is different
   * @throws ConfigError where it cannot be; nothing has changed then
   */
  async apply(next: Config): Promise<ConfigChanges> {
    const before = this.config;
    // First, because nothing that follows can fail.
    const otherRedis = this.redis.apply(next.redis);
    const changes = configChanges(before, next);
    if (isUnchanged(changes)) return otherRedis ? { ...changes, sections: ['redis'] } : changes;
    const gone = await this.chains.apply(next);
    this.config = next;
    this.log.level = next.telemetry.logLevel;
    if (changes.sections.includes('limits')) this.limiter.apply(next.limits);
    if (!isDeepStrictEqual(frontShape(before), frontShape(next))) {
      await this.front.apply(frontOptions(next, this.chains.all, this.frontParts));
    }
    void this.releaseLater(gone).catch((error: unknown) => this.record.failed(error));
    return changes;
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
    await this.chains.close();
    await this.admin.close();
    this.gauges.close();
    this.redis.close();
    this.log.info({ clean }, 'stopped');
    return clean;
  }

  private async releaseLater(gone: readonly ChainParts[]): Promise<void> {
    await this.front.settled();
    await this.chains.release(gone);
  }

  private status(): Status {
    const at = now();
    return {
      version: this.version,
      startedAt: this.startedAt.toISOString(),
      ready: this.readiness.ready,
      draining: this.readiness.isDraining,
      config: this.record.status,
      connections: this.front.openConnections,
      limited: this.limiter.isOn ? this.limited : undefined,
      redis: redisStatus(this.redis),
      chains: this.chains.all.map((parts) => chainStatus(parts, at)),
    };
  }
}
