import { type App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { CiStack } from '../../lib/ci-stack';
import type { Settings } from '../../lib/settings';
import { type Synthesised, type Template, withApp } from './synth';

/** The stack of GitHub's roles, asked by cdk-nag on the way: what it finds fails it. */
export function synthesiseCi(...environments: readonly [Settings, ...Settings[]]): Synthesised {
  return withApp((app: App) => {
    new CiStack(app, environments);
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    const stacks = app.synth().stacks.map(({ stackName, template, terminationProtection }) => ({
      name: stackName,
      template: template as Template,
      terminationProtection: terminationProtection === true,
      after: [],
      images: [],
    }));
    return { settings: environments[0], stacks: new Map(stacks.map((stack) => ['ci', stack])) };
  });
}
