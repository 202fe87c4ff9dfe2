import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ENVIRONMENTS } from '../../lib/settings';
import { commandsOf, type DocCommand } from './docs-commands';

const ROOT = join(__dirname, '..', '..');
const PAGES = ['docs/deploy.md', 'docs/runbook.md', 'docs/upgrade.md', 'docs/teardown.md', 'docs/from-the-guide.md'];
const CDK_COMMANDS = PAGES.flatMap((page) => commandsOf(page, 'npx cdk'));
const NPM_COMMANDS = PAGES.flatMap((page) => commandsOf(page, 'npm run'));

/** Milliseconds for a command on a machine that is busy with other things. */
const PATIENCE_MS = 120_000;

/** What a page says to do, done as its reader would, but for credentials: there are none. */
function run(command: string, cwd: string): { code: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync('bash', ['-c', command], {
    cwd,
    env: { PATH: process.env['PATH'], HOME: '/nonexistent', CI: 'true' },
    encoding: 'utf8',
    timeout: PATIENCE_MS,
  });
  return { code: status, output: stdout + stderr };
}

/** A command of the pages that begins so, word for word. */
function told(start: string): string {
  const found = [...CDK_COMMANDS, ...NPM_COMMANDS].find(({ command }) => command.startsWith(start));
  if (found === undefined) throw new Error(`no page says ${start}`);
  return found.command;
}

describe('the commands of the pages', () => {
  let folder: string;
  const output = (command: string, name: string): string =>
    command.replace(/--output \S+/, `--output ${join(folder, name)}`);

  beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'docs-'))));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('are some', () => {
    expect(CDK_COMMANDS.length).toBeGreaterThan(8);
    expect(NPM_COMMANDS.length).toBeGreaterThan(3);
  });

  it.each(CDK_COMMANDS)('$page: $command is a command of the CDK, of an environment that there is', ({ command }) => {
    const { words, options } = parsed(command, 2);
    expect(['bootstrap', 'deploy', 'destroy', 'diff', 'gc', 'synth']).toContain(words[0]);
    const environments = ENVIRONMENTS.map(({ name }) => name);
    const environment = /env=(\w+)/.exec(options.join(' '))?.[1];
    // One command shows what is told of a wrong name.
    if (environment !== undefined && environment !== 'production') expect(environments).toContain(environment);
    for (const stack of words.slice(1).filter((word) => word.startsWith('rpc-'))) {
      expect(stack).toMatch(/^rpc-(staging|prod)-(network|cluster|cache|app|observability)$/);
    }
  });

  it.each(NPM_COMMANDS)('$page: $command is a script that there is', ({ command }: DocCommand) => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    expect(scripts).toHaveProperty([parsed(command, 2).words[0] ?? '']);
  });

  it(
    'show what would change: nothing twice, and what did',
    () => {
      const page = readFileSync(join(ROOT, 'docs/deploy.md'), 'utf8');
      const [before, after] = [...page.matchAll(/^npx cdk synth .* --output (?:before|after)\/staging$/gm)].map(
        ([command]) => command,
      );
      expect(run(output(before ?? '', 'before/staging'), ROOT)).toMatchObject({ code: 0 });
      expect(run(output(after ?? '', 'after/staging'), ROOT)).toMatchObject({ code: 0 });
      const compare = told('npm run --silent diff:templates').replace(
        'before after',
        `${folder}/before ${folder}/after`,
      );
      expect(run(compare, ROOT)).toEqual({
        code: 0,
        output: '### What this changes on AWS\n\nNothing: all templates are the same.\n',
      });
      const template = `${folder}/before/staging/rpc-staging-cache.template.json`;
      run(`sed -i 's/Limits, answers/Other words/' ${template} && rm ${template.replace('cache', 'network')}`, ROOT);
      const { code, output: text } = run(compare, ROOT);
      expect(code).toBe(0);
      expect(text).toContain('**rpc-staging-network** is new.');
      expect(text).toMatch(/<summary>rpc-staging-cache<\/summary>[^]*\[-\] Other words[^]*\[\+\] Limits, answers/);
      expect(text).not.toMatch(/<summary>rpc-staging-(app|cluster|observability)/);
    },
    3 * PATIENCE_MS,
  );

  it(
    'tell of wrong settings what the page says',
    () => {
      const page = readFileSync(join(ROOT, 'docs/deploy.md'), 'utf8');
      const { code, output: text } = run(told('npx cdk synth --quiet -c env=production'), ROOT);
      const [, shown = 'nothing is shown'] = /```text\n(the settings cannot[^]*?)```/.exec(page) ?? [];
      const names = ENVIRONMENTS.map(({ name }) => name).join(', ');
      expect(code).toBe(1);
      // The page shows those that come with it.
      expect(text).toContain(shown.replace('staging, prod', names));
    },
    PATIENCE_MS,
  );

  it(
    'know the stack of GitHub',
    () => {
      const synth = told('npm run cdk:ci -- deploy').replace('deploy', `synth --quiet --output ${join(folder, 'ci')}`);
      expect(run(synth, ROOT)).toMatchObject({ code: 0 });
      expect(readFileSync(join(folder, 'ci', 'rpc-ci.template.json'), 'utf8')).toContain('environment:staging');
    },
    PATIENCE_MS,
  );
});

/** Words after the first ones, and options apart. */
function parsed(command: string, skip: number): { words: string[]; options: string[] } {
  const all = command.split(' ').slice(skip);
  const isOption = (word: string, index: number): boolean => word.startsWith('-') || all[index - 1] === '-c';
  return { words: all.filter((word, index) => !isOption(word, index)), options: all.filter(isOption) };
}
