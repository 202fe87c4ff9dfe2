import { HaproxySocketError } from '../haproxy/socket-error';

/** One server as `show servers state` tells it. */
export interface ServerState {
  readonly backend: string;
  readonly server: string;
  /** An IP address; undefined where HAProxy has none (a name it could not resolve, a unix socket). */
  readonly address: string | undefined;
  /** 0 where it has none. */
  readonly port: number;
  /** What it weighs now, 0 to 256. */
  readonly weight: number;
  /** What it weighs in haproxy.cfg. */
  readonly initialWeight: number;
  /** Somebody put it in `maint` or `drain`, or HAProxy has no address for it: it gets nothing new, whatever it weighs. */
  readonly isAway: boolean;
  /** Taken out by HAProxy's own checks. */
  readonly isDown: boolean;
}

/** What `show info` tells of the process. */
export interface ProcessInfo {
  readonly pid: number;
  readonly uptimeSeconds: number;
  readonly version: string;
}

/** What HAProxy reports, read in one line of commands. */
export interface HaproxyView {
  readonly process: ProcessInfo;
  readonly servers: readonly ServerState[];
}

export const VIEW_COMMANDS = ['show info', 'show servers state'] as const;

/** @throws HaproxySocketError BAD_ANSWER when these are not HAProxy's answers to {@link VIEW_COMMANDS} */
export function parseView([info = '', state = '']: readonly string[]): HaproxyView {
  return { process: parseInfo(info), servers: parseServersState(state) };
}

export function parseInfo(text: string): ProcessInfo {
  const valueOf = (key: string): string => new RegExp(`^${key}: (.*)$`, 'm').exec(text)?.[1]?.trim() ?? '';
  return {
    pid: wholeOf(valueOf('Pid'), 'show info: Pid'),
    uptimeSeconds: wholeOf(valueOf('Uptime_sec'), 'show info: Uptime_sec'),
    version: valueOf('Version'),
  };
}

/** Columns are found by their names: later versions have more of them. */
export function parseServersState(text: string): ServerState[] {
  const [version, head = '', ...rows] = text.split('\n');
  if (version?.trim() !== '1' || !head.startsWith('# ')) throw unreadable('show servers state: its head');
  const columns = head.slice(2).trim().split(' ');
  return rows
    .filter((row) => row.trim() !== '')
    .map((row) => {
      const values = row.trim().split(' ');
      const valueOf = (column: string): string => values[columns.indexOf(column)] ?? '';
      const address = valueOf('srv_addr');
      return {
        backend: valueOf('be_name'),
        server: valueOf('srv_name'),
        address: address === '-' || address === '' ? undefined : address,
        port: wholeOf(valueOf('srv_port'), 'show servers state: srv_port'),
        weight: wholeOf(valueOf('srv_uweight'), 'show servers state: srv_uweight'),
        initialWeight: wholeOf(valueOf('srv_iweight'), 'show servers state: srv_iweight'),
        isDown: wholeOf(valueOf('srv_op_state'), 'show servers state: srv_op_state') === 0,
        // Flags of maint and drain, each by hand, by the file or by tracking (HAProxy management guide, 9.3).
        isAway: wholeOf(valueOf('srv_admin_state'), 'show servers state: srv_admin_state') !== 0,
      };
    });
}

/** A new process has the weights of its file. A pid alone does not tell: in a container it is often the same again. */
export function isRestart(before: ProcessInfo, now: ProcessInfo): boolean {
  return before.pid !== now.pid || now.uptimeSeconds < before.uptimeSeconds;
}

function wholeOf(text: string, what: string): number {
  if (!/^\d{1,15}$/.test(text)) throw unreadable(what);
  return Number(text);
}

function unreadable(what: string): HaproxySocketError {
  return new HaproxySocketError('BAD_ANSWER', `cannot read HAProxy's answer to ${what}`);
}
