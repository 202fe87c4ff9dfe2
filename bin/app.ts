import { App } from 'aws-cdk-lib';
import { pinnedImage } from '../lib/pinned-image';
import { createRpcStage } from '../lib/rpc-stage';
import { chooseSettings, ENVIRONMENTS, SettingsError } from '../lib/settings';

/**
 * What `cdk` runs: the environment that `-c env=` names, staging where it names none. Nothing is looked up. With
 * `-c imageDigest=sha256:…` the image is one that was brought to the environment's registry before, and Docker is not needed.
 */
try {
  const app = new App();
  const chosen: unknown = app.node.tryGetContext('env') ?? 'staging';
  createRpcStage(app, pinnedImage(chooseSettings(chosen, ENVIRONMENTS), app.node.tryGetContext('imageDigest')));
} catch (error) {
  if (!(error instanceof SettingsError)) throw error;
  // The operator's mistake, not ours: no stack trace.
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
