import type { Settings } from './settings';

/**
 * The environment with the image that was built once for all of them, named by its digest in the environment's own
 * registry (bin/push-image.sh brings it there). Without a digest, the settings as they are.
 */
export function pinnedImage(settings: Settings, digest: unknown): Settings {
  if (digest === undefined) return settings;
  const uri = `${imageRepository(settings)}@${typeof digest === 'string' ? digest : JSON.stringify(digest)}`;
  return { ...settings, workload: { ...settings.workload, image: { kind: 'registry', uri } } };
}

/** The registry that `cdk bootstrap` made: nodes may pull from it, and the role that brings images may push to it. */
export function imageRepository({ account, region }: Settings): string {
  return `${account}.dkr.ecr.${region}.amazonaws.com/cdk-hnb659fds-container-assets-${account}-${region}`;
}
