import { policiesOf, type Statement } from './digest-iam';
import { environments, resourcesOf } from './synth';

/** Who may take which role, by the start of its logical id without the controller's long prefix. */
const serviceAccounts = (namespace: string): Record<string, string> => ({
  clusterautoscaleraccountRole: 'kube-system:cluster-autoscaler',
  AlbControlleralbsaRole: 'kube-system:aws-load-balancer-controller',
  vpccnirole: 'kube-system:aws-node',
  cloudwatchrole: 'amazon-cloudwatch:cloudwatch-agent',
  role: `${namespace}:rpc-proxy`,
});

describe.each(environments())('%s', (_, synthesised) => {
  const trusts = policiesOf(synthesised)
    .filter(({ type }) => type === 'AWS::IAM::Role')
    .filter(({ document }) => JSON.stringify(document).includes('WebIdentity'));

  it('gives every role of a service account to that account alone', () => {
    const found = trusts.map(({ id, document }) => [
      id.replace(/^rpc\w+?cluster[0-9A-F]{8}/, '').replace(/[0-9A-F]{8}$/, ''),
      document.Statement.map(accountOf),
    ]);
    expect(Object.fromEntries(found)).toEqual(
      Object.fromEntries(
        Object.entries(serviceAccounts(synthesised.settings.workload.namespace)).map(([role, account]) => [
          role,
          [`system:serviceaccount:${account}`],
        ]),
      ),
    );
  });

  it.each(trusts.map(({ id, document }) => [id, document.Statement] as const))(
    '%s refuses others',
    (_id, statements) => {
      const own = statements.map(accountOf)[0] ?? '';
      const token = { 'OIDC:aud': 'sts.amazonaws.com', 'OIDC:sub': own };
      expect(mayAssume(statements, token)).toBe(true);
      expect(mayAssume(statements, { ...token, 'OIDC:sub': `${own}-2` })).toBe(false);
      expect(mayAssume(statements, { ...token, 'OIDC:sub': 'system:serviceaccount:rpc:default' })).toBe(false);
      expect(mayAssume(statements, { ...token, 'OIDC:aud': 'kubernetes.default.svc' })).toBe(false);
      expect(mayAssume(statements, { 'OIDC:aud': 'sts.amazonaws.com' })).toBe(false);
    },
  );

  it('lets services only take the other roles', () => {
    const others = policiesOf(synthesised).filter(
      (policy) => policy.type === 'AWS::IAM::Role' && !trusts.includes(policy),
    );
    const byRole = new Set(trusts.map(({ id }) => id));
    for (const { id, document } of others.filter((policy) => !byRole.has(policy.id))) {
      expect({ id, statements: document.Statement }).toEqual({
        id,
        statements: [
          { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: expect.any(String) as string } },
        ],
      });
    }
    expect(others.length + trusts.length).toBeGreaterThanOrEqual(resourcesOf(synthesised, 'AWS::IAM::Role').length);
  });
});

/** Only what trusts of service accounts need: one operator, exact texts, all of them. */
function mayAssume(statements: readonly Statement[], token: Readonly<Record<string, string>>): boolean {
  return statements.some(({ Effect, Action, Condition = {} }) => {
    const { StringEquals, ...others } = Condition as Record<string, Record<string, string>>;
    if (Object.keys(others).length > 0 || StringEquals === undefined) throw new Error('a condition not known here');
    if (Effect !== 'Allow' || Action !== 'sts:AssumeRoleWithWebIdentity') return false;
    return Object.entries(StringEquals).every(([key, value]) => token[key] === value);
  });
}

function accountOf({ Condition }: Statement): string {
  const { StringEquals } = Condition as { StringEquals: Record<string, string> };
  return StringEquals['OIDC:sub'] ?? 'anybody';
}
