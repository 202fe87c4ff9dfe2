import { chartProblems } from './settings/chart-problems';
import { checkSettings, formatProblem } from './settings/checks';
import type { Settings } from './settings/types';

export { ENVIRONMENTS } from './settings/environments';
export type * from './settings/types';
export type * from './settings/workload';

/** The settings are not usable; `problems` are all there are, each a sentence. */
export class SettingsError extends Error {
  readonly code = 'SETTINGS';

  constructor(readonly problems: readonly string[]) {
    super(['the settings cannot be used:', ...problems.map((problem) => `  - ${problem}`)].join('\n'));
    this.name = 'SettingsError';
  }
}

/**
 * The environment of this name, checked.
 *
 * @throws SettingsError with all problems, or where there is none of this name
 */
export function chooseSettings(name: unknown, environments: readonly Settings[]): Settings {
  const chosen = environments.find((settings) => settings.name === name);
  const names = environments.map((settings) => settings.name).join(', ');
  if (chosen === undefined) throw new SettingsError([`-c env must be one of ${names}, got ${JSON.stringify(name)}`]);
  return assertSettings(chosen);
}

/** @throws SettingsError with all problems */
export function assertSettings(settings: Settings): Settings {
  const wrong = checkSettings(settings);
  const ofChart = chartProblems(
    settings,
    wrong.map(({ path }) => path),
  );
  const problems = [...wrong.map(formatProblem), ...ofChart].map((problem) => `${settings.name}.${problem}`);
  if (problems.length > 0) throw new SettingsError(problems);
  return settings;
}
