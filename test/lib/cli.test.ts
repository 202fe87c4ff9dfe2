import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ENVIRONMENTS } from '../../lib/settings';

const ROOT = join(__dirname, '..', '..');
const CDK = join(ROOT, 'node_modules', 'aws-cdk', 'bin', 'cdk');

/** Milliseconds for a command on a machine that is busy with other things; alone it takes about 5 s. */
const PATIENCE_MS = 120_000;

interface Outcome {
  readonly code: number | null;
  readonly output: string;
}

/** The CDK's own CLI, with nothing of the machine around it: no home, no credentials, and no network where we may cut it. */
function cdk(...args: string[]): Outcome {
  const command = [process.execPath, CDK, ...args];
  const [program = '', ...rest] = canCutNetwork() ? ['unshare', '--net', ...command] : command;
  const { status, stdout, stderr } = spawnSync(program, rest, {
    cwd: ROOT,
    env: { PATH: process.env['PATH'], HOME: '/nonexistent', CI: 'true' },
    encoding: 'utf8',
    timeout: PATIENCE_MS,
  });
  return { code: status, output: stdout + stderr };
}

function canCutNetwork(): boolean {
  return spawnSync('unshare', ['--net', 'true']).status === 0;
}

describe('cdk', () => {
  let outdir: string;

  beforeAll(() => (outdir = mkdtempSync(join(tmpdir(), 'cdk-cli-'))));
  afterAll(() => rmSync(outdir, { recursive: true }));

  it.each([
    ['prod', ['-c', 'env=prod']],
    ['staging', []],
  ])(
    'writes %s without credentials, network or Docker',
    (name, args) => {
      expect(cdk('synth', '--quiet', '--output', outdir, ...args)).toMatchObject({ code: 0 });
      const { artifacts, missing } = JSON.parse(readFileSync(join(outdir, 'manifest.json'), 'utf8')) as {
        artifacts: Record<string, { type: string }>;
        missing?: unknown;
      };
      const stacks = Object.keys(artifacts).filter((id) => artifacts[id]?.type === 'aws:cloudformation:stack');
      const parts = ['app', 'cache', 'cluster', 'network', 'observability'];
      expect(stacks.sort()).toEqual(parts.map((part) => `rpc-${name}-${part}`));
      expect(missing).toBeUndefined();
    },
    PATIENCE_MS,
  );

  it('gives Docker what the image is made of, and nothing else', () => {
    const { dockerImages } = JSON.parse(readFileSync(join(outdir, 'rpc-staging-app.assets.json'), 'utf8')) as {
      dockerImages: Record<string, { source: { directory: string } }>;
    };
    const [image, ...others] = Object.values(dockerImages);
    expect(others).toEqual([]);
    const context = join(outdir, image?.source.directory ?? '');
    expect(readdirSync(context).sort()).toEqual(['.dockerignore', 'LICENSE', 'runtime']);
    expect(readdirSync(join(context, 'runtime'))).toEqual(readdirSync(join(ROOT, 'runtime')));
  });

  it(
    'shows what would change, against a saved template',
    () => {
      const template = join(outdir, 'rpc-staging-cache.template.json');
      const saved = join(outdir, 'saved.json');
      const diff = (): Outcome =>
        cdk('diff', 'rpc-staging-cache', '--exclusively', '--app', outdir, '--template', saved);
      writeFileSync(saved, readFileSync(template));
      expect(diff().output).toContain('There were no differences');
      writeFileSync(saved, readFileSync(template, 'utf8').replace('Limits, answers', 'Other words'));
      expect(diff().output).toMatch(/\[-\] Other words[^]*\[\+\] Limits, answers/);
    },
    PATIENCE_MS,
  );

  it(
    'tells which environments there are',
    () => {
      const { code, output } = cdk('synth', '--quiet', '--output', outdir, '-c', 'env=production');
      expect(code).toBe(1);
      const names = ENVIRONMENTS.map(({ name }) => name).join(', ');
      expect(output).toContain(`-c env must be one of ${names}, got "production"`);
      expect(output).not.toMatch(/\n\s+at /);
    },
    PATIENCE_MS,
  );
});

it('has the flags that the CDK recommends, word for word', () => {
  const { context, app } = JSON.parse(readFileSync(join(ROOT, 'cdk.json'), 'utf8')) as Record<string, unknown>;
  const recommended: unknown = JSON.parse(
    readFileSync(join(ROOT, 'node_modules/aws-cdk-lib/recommended-feature-flags.json'), 'utf8'),
  );
  expect(context).toEqual(recommended);
  expect(context).toMatchObject({
    // Findings of CloudFormation Validate are errors.
    '@aws-cdk/core:validateAgainstDefaultRules': true,
    '@aws-cdk/core:defaultCrossStackReferences': 'weak',
  });
  expect(app).toBe('node --import tsx bin/app.ts');
});
