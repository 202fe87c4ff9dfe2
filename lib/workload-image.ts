import { join } from 'node:path';
import { DockerImageAsset } from 'aws-cdk-lib/aws-ecr-assets';
import type { Construct } from 'constructs';
import { ARCH } from './arch';
import type { Settings } from './settings';

/** Of the repository: what `docker build` gets to see, `.dockerignore` taken away. */
const CONTEXT = join(__dirname, '..');

/**
 * The image of our three programs. As an asset it is built when it is deployed, by Docker, for the nodes' architecture, and
 * again only when something that `.dockerignore` lets in has changed. By its digest it is taken as it is.
 *
 * @returns what a manifest names it by
 */
export function workloadImage(scope: Construct, settings: Settings): string {
  const { image } = settings.workload;
  if (image.kind === 'registry') return image.uri;
  const asset = new DockerImageAsset(scope, 'image', {
    directory: CONTEXT,
    file: 'runtime/Dockerfile',
    platform: ARCH[settings.nodes.arch].platform,
    displayName: 'eth-rpc-balancer',
  });
  return asset.imageUri;
}
