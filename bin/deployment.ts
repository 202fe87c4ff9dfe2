import { deployment } from '../lib/deployment';
import { chooseSettings, ENVIRONMENTS, SettingsError } from '../lib/settings';

/** `npm run deployment staging` prints what its deployment needs to know, a `name=value` a line, as GitHub's outputs are. */
try {
  const lines = Object.entries(deployment(chooseSettings(process.argv[2], ENVIRONMENTS)));
  process.stdout.write(lines.map(([name, value]) => `${name}=${value}\n`).join(''));
} catch (error) {
  if (!(error instanceof SettingsError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
