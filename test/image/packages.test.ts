import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FOLDER, imagePackages } from '../../bin/image-packages';

it('runtime/image holds what bin/image-packages.ts writes', async () => {
  for (const [file, text] of Object.entries(await imagePackages())) {
    expect(readFileSync(join(FOLDER, file), 'utf8')).toBe(text);
  }
});
