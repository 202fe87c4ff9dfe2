import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { configReference } from '../../runtime/config/reference';
import { parse } from './parse';

const page = readFileSync(join(__dirname, '../../docs/configuration.md'), 'utf8');

it('docs/configuration.md is what bin/config-reference.ts writes', () => {
  expect(page).toBe(configReference());
});

describe('the examples on the page', () => {
  const examples = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, yaml]) => yaml ?? '');
  const options = {
    env: { PORT: '8545', PROVIDER_KEY: 'k', REDIS_PASSWORD: 'p' },
    readFile: () => {
      throw new Error('only the render command reads the secrets');
    },
  };

  it('are one chain and several chains', () => {
    const chains = examples.map((yaml) => Object.keys(parse(yaml, options).chains));
    expect(chains).toEqual([['mainnet'], ['mainnet', 'polygon']]);
  });
});

describe('the tables', () => {
  /** Every key of a configuration that has all of them. */
  const KEYS = [
    'listen.port',
    'http.cors.origins',
    'limits.perMinute',
    'limits.onRedisFailure',
    'redis.url',
    'chains.<name>.filters.mode',
    'limits.methods.<name>.perMinute',
    'limits.overrides[].cidrs',
    'telemetry.accessLog.sample',
    'chains.<name>.chainId',
    'chains.<name>.health.intervalMs',
    'chains.<name>.failover.budgetPercent',
    'chains.<name>.nodes[].provider.url',
    'chains.<name>.nodes[].provider.caFile',
    'haproxy.pool.port',
    'haproxy.adminSocket',
  ];

  it.each(KEYS)('have a row for %s', (key) => {
    expect(page.split('\n').filter((line) => line.startsWith(`| \`${key}\` `))).toHaveLength(1);
  });

  it('tell type, default, range and meaning of a key', () => {
    const row = page.split('\n').find((line) => line.startsWith('| `chains.<name>.health.rise` ')) ?? '';
    expect(row.split('|').map((cell) => cell.trim())).toEqual([
      '',
      '`chains.<name>.health.rise`',
      'whole number',
      '`2`',
      '1 to 100',
      'Good probes in a row that bring a node back.',
      '',
    ]);
  });

  it('leave no cell of a plain key empty', () => {
    const rows = page.split('\n').filter((line) => /^\| `[a-z]/.test(line) && !line.includes('| mapping '));
    expect(rows.length).toBeGreaterThan(60);
    for (const row of rows)
      expect(
        row
          .slice(1, -1)
          .split('|')
          .map((cell) => cell.trim()),
      ).not.toContain('');
  });
});
