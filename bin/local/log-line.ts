/** One of the proxy's JSON log lines as a line for people; what is no such line stays as it is. */
export function describeEvent(line: string): string {
  const event = parse(line);
  if (event === undefined) return line;
  const { level, time, msg, ...fields } = event;
  const clock = typeof time === 'string' ? time.slice(11, 19) : '';
  const details = Object.entries(fields)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join('  ');
  return `${clock} ${String(level).padEnd(5)} ${String(msg)}${details === '' ? '' : `  ${details}`}`;
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && 'msg' in value
      ? (value)
      : undefined;
  } catch {
    return undefined;
  }
}
