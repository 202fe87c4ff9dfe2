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
  const names = environments.map((settings) => settings.name);
  const [twice] = names.filter((each, index) => names.indexOf(each) !== index);
  if (twice !== undefined) throw new SettingsError([`names of environments must be different, got ${twice} twice`]);
  const chosen = environments.find((settings) => settings.name === name);
  if (chosen === undefined) {
    throw new SettingsError([`-c env must be one of ${names.join(', ')}, got ${JSON.stringify(name)}`]);
  }
  return assertSettings(chosen);
}

/** @throws SettingsError with all problems */
export function assertSettings(settings: Settings): Settings {
  const { problems: wrong, harmless } = checkSettings(settings);
  const ofChart = chartProblems(
    harmless,
    wrong.map(({ path }) => path),
  );
  const name: unknown = settings.name;
  const whose = typeof name === 'string' ? name : 'settings';
  const problems = [...wrong.map(formatProblem), ...ofChart].map((problem) => `${whose}.${problem}`);
  if (problems.length > 0) throw new SettingsError(problems);
  return settings;
}
