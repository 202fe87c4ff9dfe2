import { ENVIRONMENTS } from './environments';
import { schemaFaults } from './kubernetes-schema';
import { find, type Manifest, synthesise } from './manifests';

describe.each(Object.entries(ENVIRONMENTS))('%s', (_, props) => {
  it.each(synthesise(props).map((manifest) => [`${manifest.kind} ${manifest.metadata.name}`, manifest]))(
    'has a valid %s',
    (_name, manifest) => {
      expect(schemaFaults(manifest)).toEqual([]);
    },
  );
});

describe('the validation itself finds', () => {
  const deployment = find(synthesise(ENVIRONMENTS.staging), 'Deployment');

  it.each([
    ['an unknown field', { replica: 2 }, 'replica is unknown'],
    [
      'a field of another case',
      { template: { spec: { hostnetwork: true, containers: [] } } },
      'hostnetwork is unknown',
    ],
    ['a wrong type', { revisionHistoryLimit: '3' }, 'revisionHistoryLimit is string, not number'],
    ['a text where a list belongs', { template: { spec: { containers: 'x' } } }, 'containers is string, not a list'],
    ['what is missing', { selector: undefined }, 'must have required property selector'],
    [
      'a container without a name',
      { template: { spec: { containers: [{ image: 'x' }] } } },
      'must have required property name',
    ],
  ])('%s', (_, spec, fault) => {
    const changed = { ...deployment, spec: { ...(deployment.spec as object), ...spec } };
    expect(schemaFaults(JSON.parse(JSON.stringify(changed)) as Manifest).join('\n')).toContain(fault);
  });

  it('a kind nobody looked at', () => {
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'keys' } };
    expect(schemaFaults(secret)).toEqual(['Secret keys: v1 Secret is in no table']);
  });
});
