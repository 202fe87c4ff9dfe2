/**
 * One argument for haproxy.cfg that means exactly this text, whatever is in it. Strong quotes take everything but
 * themselves (configuration manual, 2.2).
 *
 * @throws TypeError for control characters, which have no place in a configuration
 */
export function quote(text: string): string {
  // eslint-disable-next-line no-control-regex -- they are what is looked for
  if (/[\x00-\x1f\x7f]/.test(text)) throw new TypeError('haproxy.cfg holds no control characters');
  if (/^[\w./:@^*+=-]+$/.test(text)) return text;
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** The same for an argument that HAProxy reads as a log format (8.2.4), where `%` begins a variable. */
export function quoteFormat(text: string): string {
  return quote(text.replaceAll('%', '%%'));
}
