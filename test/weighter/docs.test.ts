import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseWeighterConfig, weighterSchema } from '../../runtime/config/weighter-config';
import { createWeighterMetrics } from '../../runtime/telemetry/weighter-metrics';

describe('docs/haproxy.md', () => {
  const page = readFileSync(join(__dirname, '..', '..', 'docs', 'haproxy.md'), 'utf8');
  const rows = page.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));

  it('lists every metric of the weighter with its type and labels, and no other', () => {
    const made = createWeighterMetrics()
      .registry.getMetricsAsArray()
      .filter(({ name }) => name.startsWith('rpc_balancer_'))
      .map((metric) => {
        const { labelNames } = metric as unknown as { labelNames: readonly string[] };
        return [metric.name, metric.constructor.name.toLowerCase(), [...labelNames]];
      });
    const told = rows
      .filter(([, name = '']) => name.startsWith('`rpc_balancer_'))
      .map(([, name = '', type, labels = '']) => [
        name.replaceAll('`', ''),
        type,
        [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label),
      ]);
    expect(told).toEqual(made);
  });

  it('lists every key of the weighter with its default', () => {
    const config: Readonly<Record<string, unknown>> = parseWeighterConfig('{}', { env: {} });
    const from = rows.findIndex(([, key]) => key === 'key');
    const told = rows.slice(from + 2).filter(([, key = '', , meaning], index, all) => {
      const end = all.findIndex((row) => row.length < 3);
      return index < end && key !== '' && meaning !== undefined;
    });
    expect(told.map(([, key = '']) => key.replaceAll('`', ''))).toEqual(Object.keys(weighterSchema.shape));
    for (const [, key = '', shown = ''] of told) {
      const value = config[key.replaceAll('`', '')];
      // What is unset is told in words.
      if (value !== undefined) expect([key, shown]).toEqual([key, `\`${JSON.stringify(value)}\``]);
    }
  });
});
