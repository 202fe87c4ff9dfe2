import { Aws, Duration } from 'aws-cdk-lib';
import { type CfnOIDCProvider, PolicyStatement, Role, WebIdentityPrincipal } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { nameOf } from './names';
import type { Settings } from './settings';

/** Whose tokens are taken, and what they have to be meant for. */
export const GITHUB = { host: 'token.actions.githubusercontent.com', audience: 'sts.amazonaws.com' } as const;

export interface CiRoleProps {
  readonly settings: Settings;
  readonly provider: CfnOIDCProvider;
}

/**
 * The roles that `cdk bootstrap` made and that a deployment takes: to start CloudFormation, and to bring files and images.
 * Not the one that looks things up, which may read nearly everything: nothing is looked up.
 */
const BOOTSTRAP_ROLES = ['deploy', 'file-publishing', 'image-publishing'] as const;
/** Of `cdk bootstrap`, unless it was told another. */
const QUALIFIER = 'hnb659fds';

/** The first deployment makes a cluster and waits for it. IAM allows 12 hours at most. */
const LONGEST = Duration.hours(2);

/** What a job of GitHub may do in the account, if it runs for this environment of this repository. */
export class CiRole extends Construct {
  readonly role: Role;

  constructor(scope: Construct, id: string, { settings, provider }: CiRoleProps) {
    super(scope, id);
    this.role = new Role(this, 'role', {
      roleName: ciRoleName(settings),
      description: `GitHub: deploy ${nameOf(settings)}`,
      assumedBy: new WebIdentityPrincipal(provider.attrArn, {
        StringEquals: { [`${GITHUB.host}:aud`]: GITHUB.audience, [`${GITHUB.host}:sub`]: subjectOf(settings) },
      }),
      maxSessionDuration: LONGEST,
    });
    this.role.addToPolicy(new PolicyStatement({ actions: ['sts:AssumeRole'], resources: bootstrapRoleArns(settings) }));
  }
}

export function ciRoleName(settings: Settings): string {
  return `${nameOf(settings)}-ci`;
}

export function bootstrapRoleArns({ account, region }: Settings): string[] {
  return BOOTSTRAP_ROLES.map(
    (role) => `arn:${Aws.PARTITION}:iam::${account}:role/cdk-${QUALIFIER}-${role}-role-${account}-${region}`,
  );
}

/**
 * What GitHub says of a job in a deployment environment. Repositories made after 2026-07-15 are named with their ids, so that
 * who registers a name that became free is not taken for who had it.
 */
export function subjectOf({ name, github: { owner, ownerId, repo, repoId } }: Settings): string {
  return `repo:${owner}@${ownerId}/${repo}@${repoId}:environment:${name}`;
}
