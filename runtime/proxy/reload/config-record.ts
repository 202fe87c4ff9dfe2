import { isDeepStrictEqual } from 'node:util';
import type { ConfigStatus } from '../../admin/status';
import type { Logger } from '../../telemetry/logger';
import type { Metrics } from '../../telemetry/metrics';
import type { ConfigChanges } from './config-changes';

/** What became of each configuration that was read: for the log, the metrics and the status page. */
export class ConfigRecord {
  private loadedAt = new Date();
  private problems: readonly string[] = [];

  constructor(
    private readonly metrics: Metrics,
    private readonly log: Logger,
  ) {
    for (const result of ['applied', 'refused']) metrics.configReloads.inc({ result }, 0);
    this.show();
  }

  get status(): ConfigStatus {
    const { loadedAt, problems } = this;
    return { loadedAt: loadedAt.toISOString(), valid: problems.length === 0, problems };
  }

  /** @param restart keys that were changed and count at the next start only */
  applied(changes: ConfigChanges, restart: readonly string[]): void {
    this.loadedAt = new Date();
    this.problems = [];
    this.metrics.configReloads.inc({ result: 'applied' });
    this.show();
    const told = Object.entries(changes).filter(([, names]: [string, readonly string[]]) => names.length > 0);
    this.log.info(Object.fromEntries(told), 'configuration applied');
    if (restart.length > 0) this.log.warn({ keys: restart }, 'a restart is needed for another address');
  }

  /**
   * What was in force stays so.
   *
   * @param asked somebody asked for it; else the same problems again are no news
   */
  refused(problems: readonly string[], asked: boolean): void {
    if (!asked && isDeepStrictEqual(problems, this.problems)) return;
    this.problems = problems;
    this.metrics.configReloads.inc({ result: 'refused' });
    this.show();
    this.log.error({ problems }, 'configuration refused');
  }

  /** What was read is what is in force. */
  unchanged(): void {
    if (this.problems.length === 0) return;
    this.problems = [];
    this.show();
    this.log.info('configuration is good again');
  }

  /** A defect of ours. */
  failed(err: unknown): void {
    this.metrics.exceptions.inc();
    this.log.error({ err }, 'a reload met a defect');
  }

  private show(): void {
    this.metrics.configValid.set(this.problems.length === 0 ? 1 : 0);
    this.metrics.configAppliedAt.set(this.loadedAt.getTime() / 1000);
  }
}
