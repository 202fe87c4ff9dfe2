import { HaproxySocketError, type RefusalCode } from './socket-error';

/**
 * How HAProxy's answers are told apart. Without a prompt it ends each with a line feed and nothing else:
 *
 *     set weight pool/a 10 ; set weight pool/none 1 ; get weight pool/a
 *     ⏎                      No such server.⏎⏎        10 (initial 100)⏎⏎
 *
 * Success is an empty answer, some texts end with a line feed of their own and some do not ("Empty weight string…"), so
 * neither where one answer ends nor whether the last one is whole can be seen. After the command `prompt` each answer is
 * followed by `> ` at the start of a line instead (`master> ` on the master socket, without an empty line before it, and
 * `master[ReloadFailed]> ` while its last reload has failed), in all versions from 2.6 to 3.x, also for commands on one
 * line; and as many prompts as commands is the whole of it.
 */
const PROMPT = /(?:^|\n)(?:master(?:\[\w+\])?)?> /g;

/** Splits what came after `prompt;…`: one text for each prompt, and what has no prompt behind it yet. */
export function splitAnswers(received: string): { readonly answers: readonly string[]; readonly rest: string } {
  const answers: string[] = [];
  let from = 0;
  for (const { 0: prompt, index } of received.matchAll(PROMPT)) {
    answers.push(received.slice(from, index).trimEnd());
    from = index + prompt.length;
  }
  return { answers, rest: received.slice(from) };
}

/**
 * What an answer to `set weight` and its like says went wrong; they answer nothing when it went right.
 *
 * @param command for the message
 */
export function refusalOf(command: string, answer: string): HaproxySocketError | undefined {
  if (answer === '') return undefined;
  const line = answer.split('\n', 1)[0] ?? '';
  const [code] = REFUSALS.find(([, start]) => line.startsWith(start)) ?? (['COMMAND_REFUSED'] as const);
  // Only HAProxy's first line: after an unknown command it lists all it knows.
  return new HaproxySocketError(code, `${command}: ${printable(line.slice(0, MAX_SHOWN_CHARS))}`);
}

/** The texts of HAProxy 2.6, which 3.x still has ("Unknown command: 'x', but …" is newer than "Unknown command, but …"). */
const REFUSALS: readonly (readonly [RefusalCode, string])[] = [
  ['NO_SUCH_SERVER', 'No such server'],
  ['NO_SUCH_BACKEND', 'No such backend'],
  ['STATIC_WEIGHTS', 'Backend is using a static LB algorithm'],
  ['PERMISSION_DENIED', 'Permission denied'],
  ['UNKNOWN_COMMAND', 'Unknown command'],
];

const MAX_SHOWN_CHARS = 200;

/** Whatever answers there, it may not draw in our logs. */
export function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}
