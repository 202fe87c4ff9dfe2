import { fullVersion } from '../../runtime/proxy/full-version';

describe('the version', () => {
  it('has the revision that the image was told', () => {
    expect(fullVersion('0.1.0', { RPC_REVISION: '3f2a91c' })).toBe('0.1.0+3f2a91c');
  });

  it.each([undefined, '', '"><script>', 'a'.repeat(41)])('stands alone without a right one: %j', (revision) => {
    expect(fullVersion('0.1.0', { RPC_REVISION: revision })).toBe('0.1.0');
  });
});
