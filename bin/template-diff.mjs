// What a change does to the templates, as Markdown for a comment on a pull request:
//
//     node bin/template-diff.mjs BEFORE AFTER > diff.md
//
// BEFORE and AFTER are folders with an assembly (`cdk synth --output`) for each environment. Without credentials: what is
// deployed is not asked, only what would be written.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CDK = fileURLToPath(new URL('../node_modules/aws-cdk/bin/cdk', import.meta.url));
/** GitHub takes 65 536 characters in a comment. */
const MOST = 60_000;
const SUFFIX = '.template.json';

const [before, after] = process.argv.slice(2);
if (before === undefined || after === undefined) {
  console.error('Usage: template-diff BEFORE AFTER');
  process.exit(2);
}

const changes = environmentsOf(after).flatMap((environment) => diffOf(environment));
const gone = environmentsOf(before).flatMap((environment) =>
  stacksOf(join(before, environment)).filter((stack) => !existsSync(join(after, environment, stack + SUFFIX))),
);
const text = [
  '### What this changes on AWS',
  changes.length + gone.length === 0 ? 'Nothing: all templates are the same.' : '',
  ...gone.map((stack) => `**${stack}** is not there any more. Nothing deletes it by itself.`),
  ...changes,
].join('\n\n');
console.log(
  text.length <= MOST ? text : `${text.slice(0, MOST)}\n\`\`\`\n</details>\n\nCut: run \`cdk diff\` for the rest.`,
);

function environmentsOf(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? entry.name : []));
}

function stacksOf(assembly) {
  if (!existsSync(assembly)) return [];
  return readdirSync(assembly).flatMap((file) => (file.endsWith(SUFFIX) ? file.slice(0, -SUFFIX.length) : []));
}

function diffOf(environment) {
  return stacksOf(join(after, environment)).flatMap((stack) => {
    const old = join(before, environment, stack + SUFFIX);
    if (!existsSync(old)) return `**${stack}** is new.`;
    const args = ['diff', stack, '--exclusively', '--app', join(after, environment), '--template', old, '--no-color'];
    const { status, stdout, stderr } = spawnSync(process.execPath, [CDK, ...args], {
      encoding: 'utf8',
      env: { ...process.env, CI: 'true' },
    });
    if (status !== 0) {
      console.error(stdout + stderr);
      process.exit(1);
    }
    // In CI, the CLI tells of differences on standard output.
    const output = `${stdout}${stderr}`.trim();
    if (output.includes('There were no differences')) return [];
    return `<details><summary>${stack}</summary>\n\n\`\`\`text\n${output}\n\`\`\`\n</details>`;
  });
}
