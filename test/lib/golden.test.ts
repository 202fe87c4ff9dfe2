import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { differences } from './differences';
import { DIGESTS } from './digests';
import { expectGolden } from './golden';
import { environments } from './synth';

const all = environments();

describe.each(all)('%s', (name, synthesised) => {
  it.each(Object.entries(DIGESTS))('has the %s that were reviewed', (digest, describeIt) => {
    expectGolden(`${name}/${digest}`, describeIt(synthesised));
  });
});

it('prod differs from staging where it was reviewed to', () => {
  const [staging, prod] = all.map(([, synthesised]) => synthesised);
  if (staging === undefined || prod === undefined) throw new Error('there must be two environments');
  expectGolden('differences', differences(staging, prod));
});

// A digest that nobody compares says nothing: of an environment that went, or of one that was renamed.
it('no other digests are there', () => {
  const names = all.flatMap(([name]) => Object.keys(DIGESTS).map((digest) => `${name}/${digest}.yaml`));
  const found = readdirSync(join(__dirname, '..', 'golden', 'aws'), { recursive: true, encoding: 'utf8' });
  expect(found.filter((file) => file.endsWith('.yaml')).sort()).toEqual([...names, 'differences.yaml'].sort());
});
