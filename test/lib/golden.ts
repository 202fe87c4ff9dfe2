import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';

const FOLDER = join(__dirname, '..', 'golden', 'aws');

/**
 * The value, written as YAML, is as in its golden file, line by line. UPDATE_GOLDEN=1 npx jest test/lib/golden writes all of
 * them anew; then look at what git shows.
 */
export function expectGolden(name: string, value: unknown): void {
  const file = join(FOLDER, `${name}.yaml`);
  const text = stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });
  if (process.env['UPDATE_GOLDEN'] === '1') {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  expect({ file, exists: existsSync(file) }).toEqual({ file, exists: true });
  expect(text.split('\n')).toEqual(readFileSync(file, 'utf8').split('\n'));
}
