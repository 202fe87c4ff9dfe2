import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SOURCES } from '../../lib/alarms/sources';
import { type AlarmProperties, alarmsOf } from './digest-alarms';
import { policiesOf } from './digest-iam';
import { environments, resourcesOf } from './synth';

const RUNBOOK = readFileSync(join(__dirname, '..', '..', 'docs', 'runbook.md'), 'utf8');

describe.each(environments())('%s', (name, synthesised) => {
  const prefix = `rpc-${name}: `;
  const alarms = alarmsOf(synthesised);

  it('has a page of the runbook for each alarm, and an alarm for each page', () => {
    const headings = [...RUNBOOK.matchAll(/^### (.+)$/gm)].map(([, heading]) => heading);
    expect(alarms.map(({ AlarmName }) => AlarmName.replace(prefix, '')).sort()).toEqual(headings.sort());
    for (const { AlarmName, AlarmDescription } of alarms) {
      const heading = AlarmName.replace(prefix, '');
      const anchor = heading.toLowerCase().replaceAll(' ', '-');
      expect(AlarmDescription).toMatch(new RegExp(`/docs/runbook\\.md#${anchor}$`));
    }
  });

  it('tells of each alarm how urgent it is, and where its metric really comes from', () => {
    for (const alarm of alarms) {
      const [severity, told] = alarm.AlarmDescription.split(' | ');
      expect(['now', 'today']).toContain(severity);
      const source = Object.values(SOURCES).find((each) => `from ${each.told}` === told);
      expect({ alarm: alarm.AlarmName, told, source }).toMatchObject({ source: expect.anything() as unknown });
      const namespaces = namespacesOf(alarm);
      expect(namespaces.length).toBeGreaterThan(0);
      for (const namespace of namespaces) expect(namespace.split('/rpc-')[0]).toBe(source?.namespace);
    }
  });

  it('tells of the beginning and of the end', () => {
    for (const { AlarmActions, OKActions } of alarms) {
      expect(AlarmActions).toHaveLength(1);
      expect(OKActions).toEqual(AlarmActions);
    }
  });

  it('looks at the load balancer that was looked up, and at every node of the cache', () => {
    const texts = JSON.stringify(alarms.map(({ Metrics }) => Metrics));
    expect(texts).toMatch(/WHERE LoadBalancer = .split\(\$\{rpc-\w+-app:loadbalancerlookup\w+LoadBalancerArn/);
    const nodes = new Set(texts.match(/rpc-\w+-00\d/g));
    expect(nodes.size).toBe(1 + synthesised.settings.cache.replicas);
  });

  it('has a topic that CloudWatch can write to, in this account only, and by TLS', () => {
    const [topic, key] = ['AWS::SNS::TopicPolicy', 'AWS::KMS::Key'].map(
      (type) =>
        policiesOf(synthesised).find((policy) => policy.stack === 'observability' && policy.type === type)?.document,
    );
    const account = { StringEquals: { 'aws:SourceAccount': synthesised.settings.account } };
    const cloudwatch = { Effect: 'Allow', Principal: { Service: 'cloudwatch.amazonaws.com' }, Condition: account };
    expect(topic?.Statement).toContainEqual(expect.objectContaining({ ...cloudwatch, Action: 'sns:Publish' }));
    expect(topic?.Statement).toContainEqual(
      expect.objectContaining({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
    );
    expect(key?.Statement).toContainEqual(
      expect.objectContaining({ ...cloudwatch, Action: ['kms:Decrypt', 'kms:GenerateDataKey*'] }),
    );
    expect(resourcesOf(synthesised, 'AWS::SNS::Topic')[0]?.Properties).toHaveProperty('KmsMasterKeyId');
  });

  it('has a budget, told to a person', () => {
    const { alarmEmail, budgetUsd } = synthesised.settings.operations;
    expect(resourcesOf(synthesised, 'AWS::Budgets::Budget').map(({ Properties }) => Properties)).toEqual([
      expect.objectContaining({
        Budget: expect.objectContaining({ BudgetLimit: { Amount: budgetUsd, Unit: 'USD' } }) as unknown,
      }),
    ]);
    expect(JSON.stringify(resourcesOf(synthesised, 'AWS::Budgets::Budget'))).toContain(alarmEmail);
  });

  it('shows every alarm on the dashboard', () => {
    const body = JSON.stringify(resourcesOf(synthesised, 'AWS::CloudWatch::Dashboard'));
    for (const { id } of resourcesOf(synthesised, 'AWS::CloudWatch::Alarm')) expect(body).toContain(id);
  });

  it('comes after what it watches', () => {
    expect(synthesised.stacks.get('observability')?.after.slice().sort()).toEqual(
      ['app', 'cache', 'cluster', 'network'].map((part) => `rpc-${name}-${part}`),
    );
  });
});

/** Of a metric, of those in an expression, or of the one a query names. */
function namespacesOf({ Namespace, Metrics = [] }: AlarmProperties): string[] {
  const queried = Metrics.flatMap(({ Expression = '' }) => /SCHEMA\("([^"]+)"/.exec(Expression)?.[1] ?? []);
  const inExpressions = Metrics.flatMap(({ MetricStat }) => MetricStat?.Metric.Namespace ?? []);
  return [...(Namespace === undefined ? [] : [Namespace]), ...queried, ...inExpressions];
}
