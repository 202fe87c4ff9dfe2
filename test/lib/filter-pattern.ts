/**
 * Whether CloudWatch's filter takes a log line, for the patterns we write: comparisons of texts by `=`, a `*` at the end
 * for anything, `&&`, `||` and brackets. What else stands there is an error, not a match.
 */
export function takes(pattern: string, line: unknown): boolean {
  const inside = /^\{ (.*) \}$/.exec(pattern)?.[1];
  if (inside === undefined) throw new Error(`not a pattern for JSON: ${pattern}`);
  let left = inside.replaceAll(/(\$[\w.]+) = "([^"]*)"/g, (_, path: string, text: string) =>
    isText(valueAt(line, path), text) ? 'yes' : 'no',
  );
  for (let before = ''; before !== left;) {
    before = left;
    left = left
      .replace(/\((yes|no)\)/, '$1')
      .replace(/\b(yes|no) && (yes|no)\b/, (both) => (both.includes('no') ? 'no' : 'yes'))
      .replace(/\b(yes|no) \|\| (yes|no)\b(?! &&)/, (either) => (either.includes('yes') ? 'yes' : 'no'));
  }
  if (left !== 'yes' && left !== 'no') throw new Error(`not understood: ${left}`);
  return left === 'yes';
}

function valueAt(line: unknown, path: string): unknown {
  return path
    .split('.')
    .slice(1)
    .reduce((value, key) => (value as Record<string, unknown> | undefined)?.[key], line);
}

function isText(value: unknown, text: string): boolean {
  if (typeof value !== 'string') return false;
  return text.endsWith('*') ? value.startsWith(text.slice(0, -1)) : value === text;
}
