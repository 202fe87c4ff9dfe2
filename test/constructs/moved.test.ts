import { App, Chart } from 'cdk8s';
import { Construct } from 'constructs';
import { NamespaceChart } from '../../constructs/namespace-chart';
import { RpcChart } from '../../constructs/rpc-chart';
import { ENVIRONMENTS } from './environments';
import { manifestsOf, synthesise, toYaml } from './manifests';

/** Callers, operators and other manifests rely on names; so they must not come of where a construct stands. */
it.each(Object.entries(ENVIRONMENTS))('%s is the same wherever its charts stand', (_, props) => {
  const parent = new Construct(new Construct(new App(), 'somewhere'), 'else');
  const elsewhere = new Chart(parent, 'outer', { namespace: 'other', labels: {} });
  const moved = [
    ...manifestsOf(new NamespaceChart(elsewhere, 'another', { name: props.namespace })),
    ...manifestsOf(new RpcChart(elsewhere, 'renamed', props)),
  ];
  expect(toYaml(moved)).toBe(toYaml(synthesise(props)));
});

it('two charts of one app can be in two namespaces', () => {
  const app = new App();
  const [one, other] = ['a', 'b'].map(
    (namespace) => new RpcChart(app, namespace, { ...ENVIRONMENTS.staging, namespace }),
  );
  if (one === undefined || other === undefined) throw new Error('no charts');
  const namesOf = (chart: RpcChart): string[] => manifestsOf(chart).map(({ kind, metadata: { name } }) => kind + name);
  expect(namesOf(one)).toEqual(namesOf(other));
  expect(manifestsOf(other).map(({ metadata }) => metadata.namespace)).toEqual(namesOf(other).map(() => 'b'));
});
