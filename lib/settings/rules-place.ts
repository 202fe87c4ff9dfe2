import { LOG_DAYS } from '../log-days';
import type { Rule } from './checks';
import * as form from './forms';

/** Where it stands, who pays, who may deploy it. */
export const PLACE_RULES: readonly Rule[] = [
  {
    path: 'name',
    rule: 'lower-case letters, digits and single hyphens between them, at most 12',
    // Of the cache's name too, which takes no hyphen at its end and no two together.
    holds: form.matching(/^(?!.*--)[a-z]([a-z0-9-]{0,10}[a-z0-9])?$/),
  },
  { path: 'account', rule: 'an AWS account id of 12 digits', holds: form.isAccount },
  { path: 'region', rule: 'an AWS region', holds: form.isRegion },
  { path: 'zones', rule: '2 or 3 different availability zones', holds: (value) => form.isUniqueList(value, 2, 3) },
  {
    path: 'zones.*',
    rule: ({ region }) => `a zone of ${region}`,
    beside: ['region'],
    holds: (value, { region }) => isZoneOf(region, value),
  },
  {
    path: 'network.cidr',
    rule: 'a network of /16 to /20, such as 10.40.0.0/16',
    holds: (value) => form.isCidr(value, 16, 20),
  },
  {
    path: 'network.natGateways',
    rule: ({ zones }) => `1, or one per zone (${zones.length})`,
    beside: ['zones'],
    holds: (value, { zones }) => value === 1 || value === zones.length,
  },
  {
    path: 'retention.logDays',
    rule: `one of ${[...LOG_DAYS.keys()].join(', ')}`,
    holds: (value) => typeof value === 'number' && LOG_DAYS.has(value),
  },
  { path: 'retention.bucketDays', rule: 'a whole number of at least 1', holds: form.whole(1) },
  { path: 'operations.alarmEmail', rule: 'a mail address', holds: form.isMail },
  { path: 'operations.budgetUsd', rule: 'a whole number of at least 1', holds: form.whole(1) },
  { path: 'github.owner', rule: 'the owner of a repository on GitHub', holds: form.isGithubName },
  { path: 'github.ownerId', rule: "the owner's numeric id on GitHub, as text", holds: form.isNumericId },
  { path: 'github.repo', rule: 'the name of a repository on GitHub', holds: form.isGithubName },
  { path: 'github.repoId', rule: "the repository's numeric id on GitHub, as text", holds: form.isNumericId },
];

function isZoneOf(region: string, value: unknown): boolean {
  return typeof value === 'string' && value.startsWith(region) && /^[a-z]$/.test(value.slice(region.length));
}
