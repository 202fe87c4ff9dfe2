import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { plain } from './plain';
import { environments, resourcesOf, type Synthesised } from './synth';

/**
 * A metric of a name that nobody writes is no error to AWS: its alarm stays good for ever. AWS's own names are in the
 * tables that the CDK makes of what the services tell; those of the CloudWatch agent are in none.
 */
const OF_THE_AGENT = ['service_number_of_running_pods', 'cluster_node_count', 'cluster_failed_node_count'].map(
  (name) => `ContainerInsights ${name}`,
);

const OF_AWS = (() => {
  const root = dirname(require.resolve('aws-cdk-lib/package.json'));
  const tables = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('-canned-metrics.generated.js'),
  );
  const texts = tables.map((file) => readFileSync(join(root, file), 'utf8'));
  return texts.flatMap((text) =>
    [...text.matchAll(/namespace:"([^"]+)",metricName:"([^"]+)"/g)].map(
      ([, namespace, name]) => `${namespace} ${name}`,
    ),
  );
})();

describe.each(environments())('%s', (_, synthesised) => {
  const counted = resourcesOf(synthesised, 'AWS::Logs::MetricFilter').flatMap(({ Properties }) =>
    (Properties?.['MetricTransformations'] as { MetricNamespace: string; MetricName: string }[]).map(
      ({ MetricNamespace, MetricName }) => `${MetricNamespace} ${MetricName}`,
    ),
  );
  const known = new Set([...OF_AWS, ...OF_THE_AGENT, ...counted]);

  it.each(['AWS::CloudWatch::Alarm', 'AWS::CloudWatch::Dashboard'])('asks in %s for metrics that there are', (type) => {
    const asked = metricsOf(synthesised, type);
    expect(asked.length).toBeGreaterThan(15);
    expect(asked.filter((metric) => !known.has(metric))).toEqual([]);
  });
});

/** Of metrics by themselves, in expressions, in queries, and in widgets. */
function metricsOf(synthesised: Synthesised, type: string): string[] {
  const text = resourcesOf(synthesised, type)
    .map(({ Properties }) => JSON.stringify(plain(Properties)).replaceAll('\\"', '"').replaceAll('\\"', '"'))
    .join('\n');
  const forms = [
    /"MetricName":"(?<name>[^"]+)","Namespace":"(?<namespace>[^"]+)"/g,
    /"Namespace":"(?<namespace>[^"]+)",(?:"Period":\d+,)?"MetricName":"(?<name>[^"]+)"/g,
    /\((?<name>\w+)\) FROM SCHEMA\(\\*"(?<namespace>[^"\\]+)/g,
    /\["(?<namespace>[A-Z][\w/-]+)","(?<name>\w+)"/g,
  ];
  return forms.flatMap((form) =>
    [...text.matchAll(form)].map(({ groups }) => `${groups?.['namespace']} ${groups?.['name']}`),
  );
}
