import { type App, CfnOutput, Stack, Tags } from 'aws-cdk-lib';
import { CfnOIDCProvider } from 'aws-cdk-lib/aws-iam';
import { CiRole, GITHUB } from './ci-role';
import { assertSettings, type Settings } from './settings';

/**
 * What lets GitHub deploy, once per account: AWS trusts GitHub's tokens, and each environment of the account has a role.
 * It is deployed by a person (docs/deploy.md): no role of it can change it.
 */
export class CiStack extends Stack {
  /**
   * @param environments all of one account, in whatever regions: AWS has one provider, and one set of roles, in all of
   * them. The stack stands in the first one's.
   */
  constructor(app: App, environments: readonly [Settings, ...Settings[]]) {
    const [{ account, region }] = environments;
    super(app, 'rpc-ci', {
      description: 'What lets GitHub deploy the Ethereum RPC balancer',
      env: { account, region },
      terminationProtection: environments.some(({ protect }) => protect),
    });
    Tags.of(this).add('environment', 'ci');
    // AWS knows GitHub's certificates by itself: no thumbprints.
    const provider = new CfnOIDCProvider(this, 'github', {
      url: `https://${GITHUB.host}`,
      clientIdList: [GITHUB.audience],
    });
    for (const settings of environments) {
      const { role } = new CiRole(this, settings.name, { settings, provider });
      new CfnOutput(this, `${settings.name}-role`, { value: role.roleArn });
    }
  }
}

/**
 * All environments of the account, the same and in the same order whichever of them is chosen, so that the stack stays one.
 *
 * @throws SettingsError with all that is wrong with the first that is
 */
export function ofItsAccount({ account }: Settings, environments: readonly Settings[]): [Settings, ...Settings[]] {
  const [first, ...others] = environments.filter((settings) => settings.account === account).map(assertSettings);
  if (first === undefined) throw new Error(`no environment has the account ${account}`);
  return [first, ...others];
}
