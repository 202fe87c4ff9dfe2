import type { Logger } from '../telemetry/logger';
import type { RoundReport } from './round-report';
import { nameOf } from './targets';

/** Turns what rounds report into log lines: one an event, and none for what goes on as it was. */
export class RoundLog {
  private down: { readonly code: string; readonly since: number } | undefined;
  private refused: ReadonlyMap<string, string> = new Map();
  private withoutHealthy: ReadonlySet<string> = new Set();
  private isEmpty = false;

  /** @param clock milliseconds that never step backwards */
  constructor(
    private readonly log: Logger,
    private readonly clock: () => number,
  ) {}

  take(report: RoundReport): void {
    this.takeSocket(report);
    const { restart } = report;
    if (restart) {
      this.log.warn(
        { pid: restart.now.pid, pidBefore: restart.before.pid },
        'HAProxy restarted: weights are set again',
      );
    }
    this.takeChanges(report);
    this.takeHealth(report);
  }

  private takeSocket({ error, view }: RoundReport): void {
    if (error?.code === 'ABORTED') return;
    if (error && this.down?.code !== error.code) {
      this.log.error({ code: error.code, reason: error.message }, 'admin socket down: weights stay as they are');
      this.down = { code: error.code, since: this.down?.since ?? this.clock() };
    } else if (!error && this.down && view) {
      const seconds = Math.round((this.clock() - this.down.since) / 1000);
      this.log.info({ seconds }, 'admin socket back');
      this.down = undefined;
    }
  }

  private takeChanges({ servers, changes, error }: RoundReport): void {
    const reasons = new Map(servers.map(({ target, weighing }) => [nameOf(target), weighing.reason]));
    const refused = new Map<string, string>();
    for (const { name: server, from, to, refusal } of changes) {
      if (refusal === undefined) {
        this.log.info({ server, from, to, reason: reasons.get(server) }, 'weight changed');
        continue;
      }
      const { code, message } = refusal;
      refused.set(server, code);
      if (this.refused.get(server) !== code) this.log.error({ server, code, reason: message }, 'weight refused');
    }
    // A round that did not get as far as HAProxy's answers says nothing about them.
    if (error === undefined) this.refused = refused;
  }

  private takeHealth({ servers }: RoundReport): void {
    const backends = new Set(servers.map(({ target }) => target.backend));
    const isHealthy = (backend: string): boolean =>
      servers.some(({ target, weighing }) => target.backend === backend && weighing.healthy);
    const without = new Set([...backends].filter((backend) => !isHealthy(backend)));
    for (const backend of without) {
      if (!this.withoutHealthy.has(backend)) this.log.error({ backend }, 'no server is healthy: all weigh the same');
    }
    for (const backend of this.withoutHealthy) {
      if (backends.has(backend) && !without.has(backend)) this.log.info({ backend }, 'a server is healthy again');
    }
    this.withoutHealthy = without;
    const isEmpty = servers.length === 0;
    if (isEmpty && !this.isEmpty) this.log.warn('no servers found: there is nothing to weigh');
    this.isEmpty = isEmpty;
  }
}
