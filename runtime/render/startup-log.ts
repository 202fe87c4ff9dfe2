import { printable } from '../haproxy/answers';

const MAX_LINES = 5;
const MAX_CHARS = 300;
const MIN_SECRET_CHARS = 4;

/**
 * Why HAProxy did not load a text: its alerts, without what they quote of the text's secrets. Those stand in paths and
 * in `authorization`, so no word of these lines may be shown.
 *
 * @param log what HAProxy wrote
 * @param text haproxy.cfg
 */
export function reasonsOf(log: string, text: string): string[] {
  const secrets = text.split('\n').filter((line) => SECRET.test(line));
  const masked = (word: string): string =>
    word.length >= MIN_SECRET_CHARS && secrets.some((line) => line.replace(SECRET, '').includes(word)) ? '…' : word;
  return log
    .split('\n')
    .flatMap((line) => /^\[ALERT\]\s+\(\d+\) : (.*)$/.exec(line)?.[1] ?? [])
    .filter((line) => !SAYS_NOTHING.test(line))
    .slice(0, MAX_LINES)
    .map((line) =>
      printable(line)
        .replace(/[^\s'"`[\](),:]+/g, masked)
        .slice(0, MAX_CHARS),
    );
}

/** What comes of a provider's URL; see render-node.ts. */
const SECRET = /^\s*http-request set-(?:uri|header authorization) /;

/** These follow the line that tells. */
const SAYS_NOTHING = /^config : (?:Error\(s\) found in configuration file|Fatal errors found in configuration)/;
