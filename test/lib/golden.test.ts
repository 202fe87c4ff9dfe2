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
