/** What was asked for cannot be built. No problem tells a key or more of a URL than scheme and host. */
export class SettingsError extends Error {
  readonly code = 'SETTINGS_INVALID';
  override readonly name = 'SettingsError';

  /**
   * @param source what was to be built, for the first line of the message
   * @param problems one sentence each, `path must be rule, got value`: all that were found
   */
  constructor(
    source: string,
    readonly problems: readonly string[],
  ) {
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
    super([`${source} cannot be built (${count}):`, ...problems.map((problem) => `  - ${problem}`)].join('\n'));
  }
}

/** Something a prop must be. */
export interface Rule {
  readonly path: string;
  /** Ends the sentence `<path> must be …`. */
  readonly rule: string;
  readonly got: string | number | boolean | undefined;
  readonly holds: boolean;
}

export function problemsOf(rules: readonly Rule[]): string[] {
  return rules
    .filter(({ holds }) => !holds)
    .map(({ path, rule, got }) => `${path} must be ${rule}, got ${got === undefined ? 'nothing' : shown(got)}`);
}

/** JSON has no word for what is no number. */
function shown(got: string | number | boolean): string {
  return typeof got === 'number' ? String(got) : JSON.stringify(got);
}
