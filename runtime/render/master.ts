import { refusalOf } from '../haproxy/answers';
import type { HaproxySocket } from '../haproxy/socket';
import { HaproxySocketError } from '../haproxy/socket-error';

/** HAProxy's processes, as its master tells. */
export interface ProcessView {
  /** How often the master was told to reload. */
  readonly reloads: number;
  /** The last of these failed: the worker is that of before. */
  readonly lastFailed: boolean;
  readonly worker: number;
  /** The `description` of the worker's haproxy.cfg. */
  readonly revision: string | undefined;
}

/** HAProxy's master, which starts workers and has another take their place on a reload. */
export class Master {
  constructor(private readonly socket: Pick<HaproxySocket, 'ask' | 'where'>) {}

  get where(): string {
    return this.socket.where;
  }

  /**
   * @throws HaproxySocketError when it does not answer: it is not there, or is loading. Its socket listens but rarely
   * then, and what it is told is lost.
   */
  async look(signal: AbortSignal): Promise<ProcessView> {
    const [answer = ''] = await this.socket.ask(['show proc'], signal);
    const processes = parseProcesses(answer);
    const [info = ''] = await this.socket.ask([`@!${processes.worker} show info`], signal);
    return { ...processes, revision: /^description: (.*?)\r?$/m.exec(info)?.[1] };
  }

  /**
   * Says `reload`; what came of it {@link look} tells. The master starts itself anew for it, so HAProxy 2.6 ends the
   * connection without a word. Since 2.7 it tells how it went, but not to those who do not wait long enough.
   */
  async reload(signal: AbortSignal): Promise<void> {
    try {
      await this.socket.ask(['reload'], signal);
    } catch (error) {
      const isUnderWay = error instanceof HaproxySocketError && ENDS_OF_A_RELOAD.has(error.code);
      if (!isUnderWay) throw error;
    }
  }

  /** What HAProxy wrote when it last loaded; undefined before 2.7, where only its own output has it. */
  async startupLog(signal: AbortSignal): Promise<string | undefined> {
    const [answer = ''] = await this.socket.ask([STARTUP_LOG], signal);
    return refusalOf(STARTUP_LOG, answer)?.code === 'UNKNOWN_COMMAND' ? undefined : answer;
  }
}

const STARTUP_LOG = 'show startup-logs';

const ENDS_OF_A_RELOAD: ReadonlySet<string> = new Set(['HALF_ANSWER', 'UNREACHABLE', 'TIMEOUT']);

/**
 * The answer to `show proc`: below the master its worker, and below `# old workers` those that still finish something.
 *
 *     #<PID>          <type>          <reloads>       <uptime>        <version>
 *     15666           master          3 [failed: 1]   0d00h00m33s     2.6.12
 *     # workers
 *     16028           worker          1               0d00h00m05s     2.6.12
 */
export function parseProcesses(answer: string): Pick<ProcessView, 'reloads' | 'lastFailed' | 'worker'> {
  const master = /^\d+\s+master\s+(\d+)(?: \[failed: (\d+)\])?/m.exec(answer);
  const [, current = ''] = /^# workers$([^#]*)/m.exec(answer) ?? [];
  const worker = /^(\d+)\s+worker\s/m.exec(current);
  if (master?.[1] === undefined || worker?.[1] === undefined) {
    throw new HaproxySocketError('BAD_ANSWER', "HAProxy's master does not tell of a worker");
  }
  return { reloads: Number(master[1]), lastFailed: Number(master[2] ?? 0) > 0, worker: Number(worker[1]) };
}
