/**
 * One of HAProxy's log lines as a line for people; undefined for those that tell of single requests, or of nothing new.
 *
 *     12:03:45  HAProxy: rpc-backend/node-0 is DOWN, reason: Layer7 wrong status, code: 503
 */
export function describeHaproxyLine(line: string): string | undefined {
  const [, server, state, rest = ''] = /Server (\S+) is (UP|DOWN)(.*)/.exec(line) ?? [];
  if (server === undefined || state === undefined) return undefined;
  const clock = new Date().toTimeString().slice(0, 8);
  // What follows counts sessions and servers left.
  const [reason = ''] = rest.split(/, check duration|\. \d+ active/);
  return `${clock}  HAProxy: ${server} is ${state}${reason.replace(/\.$/, '')}`;
}
