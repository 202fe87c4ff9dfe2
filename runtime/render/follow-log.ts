import type { Logger } from '../telemetry/logger';
import type { Cfg } from './cfg-file';
import type { Inputs } from './inputs';
import type { Settled } from './settle';
import { reasonsOf } from './startup-log';

/** Turns what becomes of changes into log lines: one an event, and none for what goes on as it was. */
export class FollowLog {
  /** What the configuration was refused for; empty while it is good. */
  private refused = '';
  /** What keeps HAProxy from running it; empty while nothing does. */
  private trouble = '';
  /** The revision HAProxy was last said to run. */
  private runs = '';

  constructor(private readonly log: Logger) {}

  took(inputs: Inputs): void {
    const refused = inputs.ok ? '' : inputs.error.message;
    if (refused === this.refused) return;
    this.refused = refused;
    if (inputs.ok) this.log.info('configuration is good again');
    else this.log.error({ problems: inputs.error.problems }, 'configuration refused: the old one stays');
  }

  wrote(revision: string): void {
    // While HAProxy does not load it, it is written again and again.
    if (!this.trouble.startsWith('refused')) this.log.info({ revision }, 'haproxy.cfg written');
  }

  notWritten(code: string): void {
    this.isNew(`write ${code}`, () => this.log.error({ code }, 'haproxy.cfg cannot be written: it is tried again'));
  }

  /** @param where the master's socket */
  settled(settled: Exclude<Settled, { kind: 'stopped' }>, { text, revision }: Cfg, where: string): void {
    switch (settled.kind) {
      case 'runs': {
        const { worker, reload } = settled;
        this.trouble = '';
        if (reload) {
          const { before, ms } = reload;
          this.log.info({ worker, workerBefore: before, ms, revision }, 'HAProxy reloaded');
        } else if (this.runs !== revision) this.log.info({ worker, revision }, 'HAProxy runs the file');
        this.runs = revision;
        return;
      }
      case 'refused': {
        const reasons = settled.log === undefined ? ['see the output of HAProxy'] : reasonsOf(settled.log, text);
        this.isNew(`refused ${reasons.join()}`, () =>
          this.log.error({ reasons }, 'HAProxy could not load the file: its worker goes on as before'),
        );
        return;
      }
      case 'elsewhere': {
        const { worker } = settled;
        this.isNew('elsewhere', () =>
          this.log.error({ worker }, 'HAProxy was reloaded and runs something else: it reads another file'),
        );
        return;
      }
      case 'away': {
        const { code } = settled.error;
        this.isNew('away', () =>
          this.log.warn({ code, masterSocket: where }, 'HAProxy does not answer: it is asked again'),
        );
      }
    }
  }

  private isNew(trouble: string, say: () => void): void {
    if (this.trouble === trouble) return;
    this.trouble = trouble;
    say();
  }
}
