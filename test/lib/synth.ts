import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { AssetManifestArtifact, type CloudArtifact, CloudFormationStackArtifact } from 'aws-cdk-lib/cx-api';
import { createRpcStage } from '../../lib/rpc-stage';
import { ENVIRONMENTS, type Settings } from '../../lib/settings';

export interface Resource {
  readonly Type: string;
  readonly Properties?: Record<string, unknown>;
  readonly DependsOn?: readonly string[];
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}

export interface Template {
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly [section: string]: unknown;
}

export interface Synthesised {
  readonly settings: Settings;
  /** By the stack's part, such as `network`, in the order of deployment. */
  readonly stacks: ReadonlyMap<string, StackOutput>;
}

export interface StackOutput {
  readonly name: string;
  readonly template: Template;
  readonly terminationProtection: boolean;
  /** Names of the stacks that are deployed before it, and deleted after it. */
  readonly after: readonly string[];
  /** What is built for it by Docker. */
  readonly images: readonly Image[];
}

export interface Image {
  readonly platform: string;
  readonly file: string;
}

/** The environments that can be deployed. */
export function environments(): readonly (readonly [string, Synthesised])[] {
  return ENVIRONMENTS.map((settings) => [settings.name, synthesise(settings)]);
}

const known = new Map<string, Synthesised>();

/** What `cdk synth` writes, by the same context; in memory, and once for each settings. */
export function synthesise(settings: Settings): Synthesised {
  const key = JSON.stringify(settings);
  const synthesised = known.get(key) ?? synthesiseAnew(settings);
  known.set(key, synthesised);
  return synthesised;
}

function synthesiseAnew(settings: Settings): Synthesised {
  const prefix = `rpc-${settings.name}-`;
  return withApp((app) => {
    createRpcStage(app, settings);
    const stacks = app.synth().stacks.map((stack) => ({
      name: stack.stackName,
      template: stack.template as Template,
      terminationProtection: stack.terminationProtection === true,
      after: stack.dependencies.filter(isStack).map(({ stackName }) => stackName),
      images: stack.dependencies.filter(isAssets).flatMap(({ contents: { dockerImages = {} } }) =>
        Object.values(dockerImages).map(({ source: { platform = '', dockerFile = '' } }) => ({
          platform,
          file: dockerFile,
        })),
      ),
    }));
    return { settings, stacks: new Map(stacks.map((stack) => [stack.name.slice(prefix.length), stack])) };
  });
}

function isStack(artifact: CloudArtifact): artifact is CloudFormationStackArtifact {
  return artifact instanceof CloudFormationStackArtifact;
}

function isAssets(artifact: CloudArtifact): artifact is AssetManifestArtifact {
  return artifact instanceof AssetManifestArtifact;
}

/** An app with the context of `cdk.json`, which only the CLI reads; what it writes is gone afterwards. */
export function withApp<T>(use: (app: App, outdir: string) => T): T {
  const outdir = mkdtempSync(join(tmpdir(), 'cdk-'));
  try {
    const { context } = JSON.parse(readFileSync(join(__dirname, '../../cdk.json'), 'utf8')) as {
      context: Record<string, unknown>;
    };
    // Assets are not copied: nothing of them stands in a template but their hash.
    const settings = { ...context, 'aws:cdk:disable-asset-staging': true };
    return use(new App({ context: settings, analyticsReporting: false, outdir }), outdir);
  } finally {
    rmSync(outdir, { recursive: true });
  }
}

/** All resources of an environment, with the stack they stand in. */
export function resourcesOf(synthesised: Synthesised, type?: string): (Resource & { stack: string; id: string })[] {
  return [...synthesised.stacks].flatMap(([stack, { template }]) =>
    Object.entries(template.Resources)
      .filter(([, resource]) => type === undefined || resource.Type === type)
      .map(([id, resource]) => ({ stack, id, ...resource })),
  );
}
