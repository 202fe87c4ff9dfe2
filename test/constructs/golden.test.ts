import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ENVIRONMENTS } from './environments';
import { synthesise, toYaml } from './manifests';

const GOLDEN = join(__dirname, '..', 'golden', 'kubernetes');

it.each(Object.entries(ENVIRONMENTS))('%s is as in its golden file', (name, props) => {
  const file = join(GOLDEN, `${name}.yaml`);
  const text = toYaml(synthesise(props));
  // UPDATE_GOLDEN=1 npx jest test/constructs writes the files anew; then look at what git shows.
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, text);
  expect(existsSync(file)).toBe(true);
  expect(text.split('\n')).toEqual(readFileSync(file, 'utf8').split('\n'));
});
