import { assertSettings, chooseSettings, ENVIRONMENTS, SettingsError } from '../../lib/settings';
import { example } from './example';
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
    expect(problemsOf(() => assertSettings(changed(example, changes)))).toEqual([problem]);
  });

  it('are refused with all that is wrong at once', () => {
    const all = changed(example, {
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

  // Sections that are not there, texts for numbers, lists with nothing in them: each is told by its path, beside another
  // fault, and none ends in a stack trace, which would hide all others.
  it.each(pathsOf(example).filter((path) => !['name', 'account'].includes(path)))(
    'are refused with anything else at %s',
    (path) => {
      for (const value of [undefined, null, 'x y', -1.5, [null], {}]) {
        const problems = problemsOf(() => assertSettings(changed(example, { account: '1', [path]: value })));
        const told = problems.map((problem) => problem.split(' ')[0]?.replace(/^.*?\./, '') ?? '');
        const at = path.replaceAll(/\.(\d+)/g, '[$1]');
        expect({ value, told }).toMatchObject({ told: expect.arrayContaining(['account']) as string[] });
        // By itself, by what it is in, or by what is missing in it.
        const isTold = told.some((other) => other.startsWith(at) || at.startsWith(other));
        expect({ value, told, isTold }).toMatchObject({ isTold: true });
      }
    },
  );

  it('are refused for the weighter and for the pod at once', () => {
    const both = changed(example, {
      'workload.weighter': { policy: 'random' },
      'workload.sizes': { haproxyMemoryMib: 64 },
    });
    expect(problemsOf(() => assertSettings(both)).map((problem) => problem.split(' ')[0])).toEqual([
      'staging.workload.weighter.policy',
      'staging.workload.sizes.haproxyMemoryMib',
    ]);
  });

  it('are refused where one value is wrong in two ways, once', () => {
    const twice = changed(example, { protect: true, 'cache.snapshotDays': -1 });
    expect(problemsOf(() => assertSettings(twice))).toEqual([
      'staging.cache.snapshotDays must be a whole number from 0 to 35, got -1',
    ]);
  });

  it.each([undefined, 'production', 7])('are chosen by name, not by %s', (name) => {
    expect(problemsOf(() => chooseSettings(name, [example, changed(example, { name: 'prod' })]))).toEqual([
      `-c env must be one of staging, prod, got ${JSON.stringify(name)}`,
    ]);
  });

  it('are not chosen where two are called the same: one of them would never be', () => {
    expect(problemsOf(() => chooseSettings('staging', [example, structuredClone(example)]))).toEqual([
      'names of environments must be different, got staging twice',
    ]);
  });

  it('make another environment out of one more object', () => {
    const qa = changed(example, { name: 'qa', account: '777788889999' });
    const chosen = chooseSettings('qa', [example, qa]);
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

/** Of every section, list and value. */
function pathsOf(value: unknown, at = ''): string[] {
  const here = at === '' ? [] : [at];
  if (typeof value !== 'object' || value === null) return here;
  return [
    ...here,
    ...Object.entries(value).flatMap(([key, child]) => pathsOf(child, at === '' ? key : `${at}.${key}`)),
  ];
}
