import { deployment } from '../lib/deployment';
import { chooseSettings, ENVIRONMENTS, SettingsError } from '../lib/settings';

/**
 * `npm run deployment staging` prints what its deployment needs to know, a `name=value` a line, as GitHub's outputs are;
 * `npm run deployment` the names of all environments, a line each.
 */
try {
  const [name] = process.argv.slice(2);
  const lines =
    name === undefined
      ? ENVIRONMENTS.map((settings) => settings.name)
      : Object.entries(deployment(chooseSettings(name, ENVIRONMENTS))).map(([key, value]) => `${key}=${value}`);
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
} catch (error) {
  if (!(error instanceof SettingsError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
