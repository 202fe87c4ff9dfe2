import { type Manifest, podSpec } from '../constructs/manifests';
import { example } from './example';
import { manifestsOf } from './manifests';
import { changed } from './rejected';
import { synthesise, type Synthesised } from './synth';

describe('the image', () => {
  const uri = `111122223333.dkr.ecr.ap-northeast-1.amazonaws.com/rpc@sha256:${'0123456789abcdef'.repeat(4)}`;
  const imagesOf = (synthesised: Synthesised): Set<string> => {
    const { initContainers, containers } = podSpec(manifestsOf(synthesised, 'app') as unknown as Manifest[]);
    const ours = [...initContainers, ...containers].filter(({ name }) => name !== 'haproxy');
    expect(ours).toHaveLength(4);
    return new Set(ours.map(({ image }) => image));
  };

  it('is one for all our programs, built when it is deployed', () => {
    expect([...imagesOf(synthesise(example))]).toEqual([
      expect.stringMatching(/\/cdk-\w+-container-assets-\d{12}-.*:<hash>$/),
    ]);
  });

  it('is taken by its digest where there is one, and nothing is built', () => {
    const synthesised = synthesise(changed(example, { 'workload.image': { kind: 'registry', uri } }));
    expect([...imagesOf(synthesised)]).toEqual([uri]);
    expect(synthesised.stacks.get('app')?.images).toEqual([]);
  });

  it('is built for the architecture of the nodes', () => {
    const x86 = changed(example, { 'nodes.arch': 'x86_64', 'nodes.instanceTypes': ['m7i.large'] });
    expect(synthesise(x86).stacks.get('app')?.images).toEqual([
      { platform: 'linux/amd64', file: 'runtime/Dockerfile' },
    ]);
  });
});
