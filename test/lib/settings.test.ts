import { assertSettings, chooseSettings, ENVIRONMENTS, SettingsError } from '../../lib/settings';
import { staging } from '../../lib/settings/staging';
import { changed, REJECTED } from './rejected';
import { synthesise } from './synth';

function problemsOf(act: () => unknown): readonly string[] {
  try {
    act();
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
}

describe('the settings', () => {
  it.each(ENVIRONMENTS)('of $name are right', (settings) => {
    expect(problemsOf(() => assertSettings(settings))).toEqual([]);
  });

  it.each(REJECTED)('are refused with %j', (changes, problem) => {
    expect(problemsOf(() => assertSettings(changed(staging, changes)))).toEqual([problem]);
  });

  it('are refused with all that is wrong at once', () => {
    const all = changed(staging, {
      account: '1',
      'cluster.adminRoleArns': [],
      'nodes.maxPerZone': 0,
      'workload.hosts.0.host': 'rpc.example.org',
      'github.repoId': '',
      'workload.proxy.limits': { perMinute: -1 },
    });
    expect(problemsOf(() => assertSettings(all)).map((problem) => problem.split(' ')[0])).toEqual([
      'staging.account',
      'staging.github.repoId',
      'staging.cluster.adminRoleArns',
      'staging.nodes.maxPerZone',
      'staging.workload.hosts[0].host',
      'staging.workload.proxy.limits.perMinute',
    ]);
  });

  it('are refused where one value is wrong in two ways, once', () => {
    const twice = changed(staging, { protect: true, 'cache.snapshotDays': -1 });
    expect(problemsOf(() => assertSettings(twice))).toEqual([
      'staging.cache.snapshotDays must be a whole number from 0 to 35, got -1',
    ]);
  });

  it.each([undefined, 'production', 7])('are chosen by name, not by %s', (name) => {
    expect(problemsOf(() => chooseSettings(name, ENVIRONMENTS))).toEqual([
      `-c env must be one of staging, prod, got ${JSON.stringify(name)}`,
    ]);
  });

  it('make another environment out of one more object', () => {
    const qa = changed(staging, { name: 'qa', account: '777788889999' });
    const chosen = chooseSettings('qa', [...ENVIRONMENTS, qa]);
    const { stacks } = synthesise(chosen);
    expect([...stacks.values()].map(({ name }) => name).sort()).toEqual([
      'rpc-qa-app',
      'rpc-qa-cache',
      'rpc-qa-cluster',
      'rpc-qa-network',
      'rpc-qa-observability',
    ]);
    // Its hosts are still those of the copied object; nothing else is.
    expect(JSON.stringify([...stacks]).match(/.{20}staging(?!\.?example).{20}/g) ?? []).toEqual([]);
  });
});
