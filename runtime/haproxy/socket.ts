import { createConnection, type Socket } from 'node:net';
import { splitAnswers } from './answers';
import { formatSocketAddress, type SocketAddress } from './socket-address';
import { HaproxySocketError, type SocketErrorCode } from './socket-error';

export interface HaproxySocketOptions {
  readonly address: SocketAddress;
  /** Milliseconds one line of commands may take, from dialling to the last answer. */
  readonly timeoutMs: number;
}

/**
 * HAProxy's admin socket, or the master's: asks commands and gives one answer for each. Every line is a connection of
 * its own, so that there is no state to lose when HAProxy restarts.
 */
export class HaproxySocket {
  constructor(private readonly options: HaproxySocketOptions) {}

  /** Where it dials, for messages. */
  get where(): string {
    return formatSocketAddress(this.options.address);
  }

  /**
   * @param commands without line feeds and semicolons
   * @returns the answers in the order of the commands, without the line feeds at their ends; whether an answer is a
   * refusal only its reader knows: see `refusalOf`
   * @throws HaproxySocketError when not every command was answered; some may have been done
   */
  async ask(commands: readonly string[], signal?: AbortSignal): Promise<readonly string[]> {
    for (const command of commands) checkCommand(command);
    const answers: string[] = [];
    for (const line of toLines(commands)) answers.push(...(await this.askLine(line, signal)));
    return answers;
  }

  private askLine(commands: readonly string[], signal?: AbortSignal): Promise<readonly string[]> {
    const { address, timeoutMs } = this.options;
    return new Promise((resolve, reject) => {
      let received = '';
      const socket: Socket = createConnection('path' in address ? { path: address.path } : { ...address });
      const end = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        socket.destroy();
      };
      const fail = (code: SocketErrorCode, reason: string, cause?: unknown): void => {
        end();
        reject(
          new HaproxySocketError(code, `HAProxy at ${this.where} ${reason}`, cause === undefined ? {} : { cause }),
        );
      };
      const abort = (): void => fail('ABORTED', 'was not waited for');
      const timer = setTimeout(() => fail('TIMEOUT', `did not answer within ${timeoutMs} ms`), timeoutMs);
      signal?.addEventListener('abort', abort);
      if (signal?.aborted === true) {
        abort();
        return;
      }

      // All on one line: from HAProxy 3.0 on the lines after the first are not read where no prompt was asked for. And
      // it is not ended: some versions take that for the end of a client that wants no answer.
      socket.setEncoding('utf8').once('connect', () => socket.write(`${['prompt', ...commands].join(';')}\n`));
      socket.on('data', (chunk: string) => {
        received += chunk;
        if (received.length > MAX_ANSWER_CHARS) fail('BAD_ANSWER', 'answered more than anybody asked for');
        else if (received.endsWith('> ')) finishIfWhole();
      });
      const finishIfWhole = (): void => {
        const { answers, rest } = splitAnswers(received);
        if (rest !== '' || answers.length <= commands.length) return;
        end();
        // The first one is that of `prompt`.
        if (answers[0] === '' && answers.length === commands.length + 1) resolve(answers.slice(1));
        else fail('BAD_ANSWER', 'gave other answers than it was asked for');
      };
      socket.once('end', () => {
        const { answers } = splitAnswers(received);
        if (answers.length === 0 && received !== '') fail('BAD_ANSWER', 'does not answer as HAProxy does');
        else fail('HALF_ANSWER', `answered ${Math.max(0, answers.length - 1)} of ${commands.length} commands`);
      });
      socket.once('error', (error: NodeJS.ErrnoException) => {
        const code = error.code ?? 'unknown';
        if (NOBODY_THERE.has(code)) fail('REFUSED', `cannot be reached: ${code}`, error);
        else if (received !== '') fail('HALF_ANSWER', `broke off: ${code}`, error);
        else fail('UNREACHABLE', `cannot be reached: ${code}`, error);
      });
    });
  }
}

const NOBODY_THERE: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOENT']);

/** Far more than the state of ten thousand servers. */
const MAX_ANSWER_CHARS = 16 * 2 ** 20;

/** HAProxy refuses lines that do not fit its `tune.bufsize`, 16 KiB where nothing else is configured. */
const MAX_LINE_CHARS = 8 * 1024;

function checkCommand(command: string): void {
  // A name with one of these in it would be a command of its own; a last `<<` announces more lines to come.
  if (/^[\x20-\x3a\x3c-\x7e]+$/.test(command) && !command.includes('<<') && command.length <= MAX_LINE_CHARS) return;
  throw new HaproxySocketError(
    'BAD_COMMAND',
    `a command must be one line of printable ASCII without ; and <<, got ${JSON.stringify(command.slice(0, 100))}`,
  );
}

function toLines(commands: readonly string[]): string[][] {
  const lines: string[][] = [];
  let chars = Infinity;
  for (const command of commands) {
    if (chars + command.length + 1 > MAX_LINE_CHARS) {
      lines.push([]);
      chars = 'prompt\n'.length;
    }
    lines.at(-1)?.push(command);
    chars += command.length + 1;
  }
  return lines;
}
