import { App } from 'aws-cdk-lib';
import { CiStack, ofItsAccount } from '../lib/ci-stack';
import { chooseSettings, ENVIRONMENTS, SettingsError } from '../lib/settings';

/** The stack of GitHub's roles, for the account of the environment that `-c env=` names: `npm run cdk:ci -- deploy -c env=prod`. */
try {
  const app = new App();
  const chosen = chooseSettings(app.node.tryGetContext('env') ?? 'staging', ENVIRONMENTS);
  new CiStack(app, ofItsAccount(chosen, ENVIRONMENTS));
} catch (error) {
  if (!(error instanceof SettingsError)) throw error;
  // The operator's mistake, not ours: no stack trace.
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
