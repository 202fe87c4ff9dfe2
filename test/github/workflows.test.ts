import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deployment } from '../../lib/deployment';
import { ENVIRONMENTS } from '../../lib/settings';
import { type Permissions, ROOT, type Step, stepsOf, workflow, workflows } from './workflow';

const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};

/** What a job may do; one that is not here may read the repository at most. */
const PERMISSIONS: Readonly<Record<string, Permissions>> = {
  'ci.yml comment': { 'pull-requests': 'write' },
  'deploy.yml checks': { contents: 'read', 'pull-requests': 'write' },
  'deploy.yml staging': { contents: 'read', 'id-token': 'write' },
  'deploy.yml prod': { contents: 'read', 'id-token': 'write' },
  'deploy-environment.yml deploy': { contents: 'read', 'id-token': 'write' },
};

describe.each(workflows())('%s', (file, { name, on, permissions, jobs }, text) => {
  const steps = stepsOf({ jobs });

  it('has what a workflow needs', () => {
    expect(name).toEqual(expect.any(String));
    expect(Object.keys(on ?? {}).length).toBeGreaterThan(0);
    for (const [id, job] of Object.entries(jobs)) {
      // A job has steps and a limit, or is another workflow.
      const own = job.uses === undefined;
      expect({
        id,
        runsOn: typeof job['runs-on'],
        limit: typeof job['timeout-minutes'],
        steps: Array.isArray(job.steps),
      }).toEqual({ id, runsOn: own ? 'string' : 'undefined', limit: own ? 'number' : 'undefined', steps: own });
      for (const needed of [job.needs ?? []].flat()) expect(Object.keys(jobs)).toContain(needed);
    }
  });

  it('gives no job more than it needs', () => {
    expect(permissions).toEqual({});
    for (const [id, job] of Object.entries(jobs)) {
      expect({ id, permissions: job.permissions }).toEqual({
        id,
        permissions: PERMISSIONS[`${file} ${id}`] ?? { contents: 'read' },
      });
    }
  });

  it('pins what others wrote by commit, with the version beside it', () => {
    const used = [...text.matchAll(/uses: (.+)$/gm)].map(([, action = '']) => action);
    expect(used.length).toBeGreaterThan(0);
    for (const action of used) {
      expect(action).toMatch(/^(\.\/\.github\/workflows\/[\w-]+\.yml|[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$/);
      if (action.startsWith('./')) expect(existsSync(join(ROOT, action))).toBe(true);
    }
  });

  it('keeps no token on the disk, and names no secret', () => {
    for (const { uses = '', with: inputs } of steps) {
      if (uses.startsWith('actions/checkout@')) expect(inputs).toMatchObject({ 'persist-credentials': false });
    }
    expect(text).not.toMatch(/secrets\.|AKIA|set -x|printenv|\benv\s*\|/);
  });

  // What an expression becomes is run: a branch may be called `$(…)`.
  it('puts nothing from outside into a script but by the environment', () => {
    for (const { run = '' } of steps) expect(run).not.toContain('${{');
    for (const { run = '', env = {} } of steps) {
      for (const variable of Object.keys(env).filter((key) => key !== 'GH_TOKEN')) {
        expect({ run, uses: run.includes(`$${variable}`) }).toEqual({ run, uses: true });
      }
    }
  });

  it('runs scripts that are there, and shell that is shell', () => {
    const commands = steps.flatMap(({ run = '' }) => run.split('\n'));
    for (const command of commands) {
      const script = /npm run (?:--silent )?([\w:-]+)/.exec(command)?.[1];
      if (script !== undefined) expect(scripts).toHaveProperty([script]);
      const path = /(?:^|\s)(bin\/[\w.-]+)/.exec(command)?.[1];
      if (path !== undefined) accessSync(join(ROOT, path), constants.X_OK);
    }
    for (const { run = '' } of steps) {
      expect(spawnSync('bash', ['-n'], { input: run, encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
    }
  });
});

// Without root `npm test` only names what is missing, and ends: every pull request and every deployment did.
it('the tests find the servers they start, which a runner has not', () => {
  const [, tools = ''] = /^ {2}test: \{(.*)\},$/m.exec(readFileSync(join(ROOT, 'bin', 'test-tools.mjs'), 'utf8')) ?? [];
  const packages = [...tools.matchAll(/: '([\w-]+)'/g)].map(([, name = '']) => name);
  expect(packages).toContain('haproxy');
  const commands = (workflow('ci.yml').jobs['test']?.steps ?? []).map(({ run = '' }) => run);
  const install = commands.findIndex((command) => command.startsWith('sudo apt-get install'));
  expect(install).toBeGreaterThan(-1);
  expect(commands.indexOf('npm test')).toBeGreaterThan(install);
  expect(commands[install]?.split(' ')).toEqual(expect.arrayContaining(packages));
});

describe('the deployment', () => {
  const { jobs, concurrency } = workflow('deploy.yml');
  const { deploy } = workflow('deploy-environment.yml').jobs;

  it('goes to environments that there are, one after the other, production last', () => {
    expect(concurrency).toMatchObject({ 'cancel-in-progress': false });
    const targets = Object.values(jobs).flatMap(({ with: inputs }) => inputs?.['environment'] ?? []);
    expect(targets.length).toBeGreaterThan(0);
    // Another one may be deployed by hand.
    expect(targets).toEqual(ENVIRONMENTS.map(({ name }) => name).filter((name) => targets.includes(name)));
    expect(targets.at(-1)).toBe('prod');
    expect(jobs['prod']?.needs).toContain('staging');
    expect(jobs['build']?.needs).toBe('checks');
    // Its reviewers approve; and AWS gives the role to this environment only.
    expect(deploy?.environment).toBe('${{ inputs.environment }}');
  });

  it('brings one image and one assembly everywhere', () => {
    for (const target of [jobs['staging'], jobs['prod']]) {
      expect(target?.with).toMatchObject({
        digest: '${{ needs.build.outputs.digest }}',
        version: '${{ needs.build.outputs.version }}',
      });
    }
    const scriptsOf = (steps: readonly Step[] = []): string => steps.map(({ run = '' }) => run).join('\n');
    expect(scriptsOf(jobs['build']?.steps)).toContain('-c "imageDigest=$DIGEST"');
    expect(scriptsOf(deploy?.steps)).toContain('--app "assembly/$ENVIRONMENT"');
    expect(scriptsOf(deploy?.steps)).not.toMatch(/docker|synth/);
  });

  // An environment is one object in the settings, and named nowhere else; a failed list would be an empty loop.
  it('has the environments from the settings, in each loop over them', () => {
    const { status, stdout } = spawnSync(process.execPath, ['--import', 'tsx', 'bin/deployment.ts'], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    expect({ status, names: stdout.trim().split('\n') }).toEqual({
      status: 0,
      names: ENVIRONMENTS.map(({ name }) => name),
    });
    const scripts = ['ci.yml', 'deploy.yml'].flatMap((file) => stepsOf(workflow(file)).map(({ run = '' }) => run));
    const loops = scripts.filter((run) => run.includes('for environment in'));
    expect(loops).toHaveLength(3);
    for (const run of loops) {
      expect(run).toMatch(/environments=\$\(.*npm run --silent deployment\)\s+for environment in \$environments; do/);
    }
  });

  it('ends when the URL shows what was brought', () => {
    expect(deploy?.steps?.at(-1)?.run).toMatch(/^npm run --silent smoke -- .*--version "\$VERSION"/);
  });

  it('builds for the architecture of the nodes, without emulation', () => {
    const build = JSON.stringify(jobs['build']?.steps);
    for (const settings of ENVIRONMENTS) {
      const { platform = '' } = deployment(settings);
      expect(build).toContain(`--platform ${platform}`);
      expect(jobs['build']?.['runs-on']?.endsWith('-arm')).toBe(platform === 'linux/arm64');
    }
    expect(workflow('ci.yml').jobs['image']?.['runs-on']).toBe(jobs['build']?.['runs-on']);
  });
});
