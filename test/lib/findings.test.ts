import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type App, Validations } from 'aws-cdk-lib';
import { ManagedPolicy } from 'aws-cdk-lib/aws-iam';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { AwsSolutionsChecks } from 'cdk-nag';
import { createRpcStage, type RpcStage } from '../../lib/rpc-stage';
import { ENVIRONMENTS } from '../../lib/settings';
import { example } from './example';
import { changed } from './rejected';
import { withApp } from './synth';

interface Report {
  readonly pluginReports: readonly {
    readonly pluginName: string;
    readonly violations: readonly {
      readonly ruleName: string;
      readonly violatingConstructs: { constructPath: string }[];
    }[];
  }[];
}

/** What CloudFormation Validate and cdk-nag find that has no reason beside it. */
function findings(build: (app: App) => RpcStage): string[] {
  // What is found is also printed; the report says the same.
  const silent = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
  try {
    return withApp((app, outdir) => {
      build(app);
      Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
      const failure = thrownBy(() => app.synth());
      const { pluginReports } = JSON.parse(readFileSync(join(outdir, 'validation-report.json'), 'utf8')) as Report;
      const found = pluginReports.flatMap(({ violations }) =>
        violations.flatMap(({ ruleName, violatingConstructs }) =>
          violatingConstructs.map(({ constructPath }) => `${ruleName} ${constructPath}`),
        ),
      );
      // Errors fail the synth itself.
      expect(failure !== undefined).toBe(found.length > 0);
      return found;
    });
  } finally {
    silent.mockRestore();
  }
}

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return undefined;
}

it.each(ENVIRONMENTS)('finds nothing without a reason in $name', (settings) => {
  expect(findings((app) => createRpcStage(app, settings))).toEqual([]);
});

it('finds nothing in what is a switch either', () => {
  const switched = changed(example, {
    protect: true,
    'cache.snapshotDays': 1,
    'workload.waf': { requestsPerFiveMinutes: 3000 },
    'workload.hosts': example.workload.hosts.slice(0, 1),
    'workload.image': { kind: 'registry', uri: `registry.example/rpc@sha256:${'0'.repeat(64)}` },
  });
  expect(findings((app) => createRpcStage(app, switched))).toEqual([]);
});

it('would find a bucket that is open, and a policy that allows everything', () => {
  const found = findings((app) => {
    const stage = createRpcStage(app, example);
    new Bucket(stage.cache, 'open');
    const everything = 'arn:aws:iam::aws:policy/AdministratorAccess';
    stage.cluster.cluster.role.addManagedPolicy(
      ManagedPolicy.fromManagedPolicyArn(stage.cluster, 'everything', everything),
    );
    return stage;
  });
  expect(found.some((finding) => finding.includes('S10'))).toBe(true);
  expect(found.some((finding) => finding.includes('IAM4[Policy::arn:aws:iam::aws:policy/AdministratorAccess]'))).toBe(
    true,
  );
});
