import { assertSettings, ENVIRONMENTS } from '../../lib/settings';
import { pinnedImage } from '../../lib/pinned-image';

const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;

describe('an image by its digest', () => {
  it.each(ENVIRONMENTS)('is the same in $name, from a registry of its own', (settings) => {
    const { account, region } = settings;
    const { image } = assertSettings(pinnedImage(settings, DIGEST)).workload;
    expect(image).toEqual({
      kind: 'registry',
      uri: `${account}.dkr.ecr.${region}.amazonaws.com/cdk-hnb659fds-container-assets-${account}-${region}@${DIGEST}`,
    });
  });

  it('is left to the settings where none is told', () => {
    for (const settings of ENVIRONMENTS) expect(pinnedImage(settings, undefined)).toBe(settings);
  });

  it.each(['latest', 'sha256:1234', 7])('is refused where it is none: %s', (digest) => {
    for (const settings of ENVIRONMENTS) {
      expect(() => assertSettings(pinnedImage(settings, digest))).toThrow(/workload\.image must be/);
    }
  });
});
