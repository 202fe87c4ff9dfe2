import { ofItsAccount } from '../../lib/ci-stack';
import { bootstrapRoleArns, ciRoleName, subjectOf } from '../../lib/ci-role';
import { ENVIRONMENTS } from '../../lib/settings';
import { example } from './example';
import { policiesOf, type Statement } from './digest-iam';
import { changed } from './rejected';
import { isAllowed } from './simulate';
import { resourcesOf } from './synth';
import { synthesiseCi } from './synth-ci';

const qa = changed(example, { name: 'qa' });

const ROLE = (name: string): string => `arn:aws:iam::111122223333:role/${name}`;
const ALLOWED = ['deploy', 'file-publishing', 'image-publishing'].map((role) =>
  ROLE(`cdk-hnb659fds-${role}-role-111122223333-ap-northeast-1`),
);

/** What a stolen token of CI must not do. */
const DENIED: readonly (readonly [string, string])[] = [
  ['sts:AssumeRole', ROLE('cdk-hnb659fds-cfn-exec-role-111122223333-ap-northeast-1')],
  ['sts:AssumeRole', ROLE('cdk-hnb659fds-lookup-role-111122223333-ap-northeast-1')],
  ['sts:AssumeRole', ROLE('cdk-hnb659fds-deploy-role-111122223333-us-east-1')],
  ['sts:AssumeRole', ROLE('rpc-admin')],
  ['sts:AssumeRole', 'arn:aws:iam::444455556666:role/cdk-hnb659fds-deploy-role-444455556666-ap-northeast-1'],
  ['iam:PassRole', ALLOWED[0] ?? ''],
  ['cloudformation:CreateStack', 'arn:aws:cloudformation:ap-northeast-1:111122223333:stack/rpc-staging-app/1'],
  [
    'secretsmanager:GetSecretValue',
    'arn:aws:secretsmanager:ap-northeast-1:111122223333:secret:rpc-staging/providers-1',
  ],
];

describe("CI's roles", () => {
  const synthesised = synthesiseCi(example);
  const policies = policiesOf(synthesised).filter(({ type }) => type === 'AWS::IAM::Policy');

  it.each(ALLOWED)('may take %s', async (resource) => {
    const documents = policies.map(({ document }) => document);
    expect(await isAllowed(documents, { action: 'sts:AssumeRole', resource })).toBe(true);
  });

  it.each(DENIED)('may not: %s on %s', async (action, resource) => {
    const documents = policies.map(({ document }) => document);
    expect(await isAllowed(documents, { action, resource })).toBe(false);
  });

  it('are taken by jobs of their environment of this repository alone', () => {
    const [trust] = policiesOf(synthesised)
      .filter(({ type }) => type === 'AWS::IAM::Role')
      .map(({ document }) => document.Statement);
    const own = 'repo:example@1000001/eth-rpc-balancer@2000001:environment:staging';
    expect(subjectOf(example)).toBe(own);
    const takes = (sub: string, aud = 'sts.amazonaws.com'): boolean => mayAssume(trust ?? [], { sub, aud });
    expect(takes(own)).toBe(true);
    for (const other of [
      own.replace('staging', 'prod'),
      own.replace(':environment:staging', ':ref:refs/heads/main'),
      own.replace(':environment:staging', ':pull_request'),
      // Another owner who took the name, another repository of the name, and the form without ids.
      own.replace('1000001', '1000009'),
      own.replace('2000001', '2000009'),
      'repo:example/eth-rpc-balancer:environment:staging',
      `${own}-2`,
    ]) {
      expect({ other, takes: takes(other) }).toEqual({ other, takes: false });
    }
    expect(takes(own, 'https://github.com/example')).toBe(false);
  });

  it('are one for each environment of the account, beside one provider', () => {
    const both = synthesiseCi(example, qa);
    const names = resourcesOf(both, 'AWS::IAM::Role').map(({ Properties }) => Properties?.['RoleName']);
    expect(names).toEqual(['rpc-staging-ci', 'rpc-qa-ci']);
    expect(resourcesOf(both, 'AWS::IAM::OIDCProvider').map(({ Properties }) => Properties)).toEqual([
      expect.objectContaining({
        Url: 'https://token.actions.githubusercontent.com',
        ClientIdList: ['sts.amazonaws.com'],
      }),
    ]);
  });

  // The provider is the account's, in all of its regions: a second stack of it would fail.
  it('stand in one stack of the account, wherever its environments are', () => {
    const elsewhere = changed(qa, { region: 'us-east-1', zones: ['us-east-1a', 'us-east-1b'] });
    const other = changed(example, { name: 'prod', account: '444455556666' });
    for (const chosen of [example, elsewhere]) {
      expect(ofItsAccount(chosen, [example, other, elsewhere]).map(({ name }) => name)).toEqual(['staging', 'qa']);
    }
    const both = synthesiseCi(...ofItsAccount(elsewhere, [example, other, elsewhere]));
    expect(both.stacks.size).toBe(1);
    expect(resourcesOf(both, 'AWS::IAM::OIDCProvider')).toHaveLength(1);
    const taken = policiesOf(both)
      .filter(({ type }) => type === 'AWS::IAM::Policy')
      .flatMap(({ document }) => document.Statement.map(({ Resource: resource }) => [resource ?? []].flat()));
    expect(taken.map((roles) => roles.map((role) => role.replace(/^.*-111122223333-/, '')))).toEqual([
      ['ap-northeast-1', 'ap-northeast-1', 'ap-northeast-1'],
      ['us-east-1', 'us-east-1', 'us-east-1'],
    ]);
  });

  it('of production are protected', () => {
    for (const settings of ENVIRONMENTS) {
      const stack = synthesiseCi(settings).stacks.get('ci');
      expect(stack).toMatchObject({ name: 'rpc-ci', terminationProtection: settings.protect });
      expect(ciRoleName(settings)).toBe(`rpc-${settings.name}-ci`);
      expect(bootstrapRoleArns(settings)).toHaveLength(3);
    }
  });
});

function mayAssume(statements: readonly Statement[], token: { readonly sub: string; readonly aud: string }): boolean {
  return statements.some(({ Effect, Action, Condition = {} }) => {
    const { StringEquals, ...others } = Condition as Record<string, Record<string, string>>;
    if (Object.keys(others).length > 0 || StringEquals === undefined) throw new Error('a condition not known here');
    expect(Object.keys(StringEquals).sort()).toEqual(
      ['aud', 'sub'].map((claim) => `token.actions.githubusercontent.com:${claim}`),
    );
    const matches = Object.entries(StringEquals).every(
      ([key, value]) => token[key.endsWith(':sub') ? 'sub' : 'aud'] === value,
    );
    return Effect === 'Allow' && Action === 'sts:AssumeRoleWithWebIdentity' && matches;
  });
}
