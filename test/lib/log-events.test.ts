import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LOG_EVENTS } from '../../lib/alarms/log-events';
import { takes } from './filter-pattern';
import { environments, resourcesOf } from './synth';

const ROOT = join(__dirname, '..', '..');

/** As the CloudWatch add-on's Fluent Bit sends it on (`Merge_Log_Key log_processed`). */
function record(line: string, namespace: string): unknown {
  return {
    time: '2026-11-28T00:00:00.000000000Z',
    stream: 'stdout',
    _p: 'F',
    log: line,
    log_processed: JSON.parse(line) as unknown,
    kubernetes: { pod_name: 'rpc-proxy-1', namespace_name: namespace, container_name: 'proxy' },
  };
}

function runtimeSource(): string {
  const folder = join(ROOT, 'runtime');
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(join(folder, file), 'utf8'))
    .join('\n');
}

const program = ['--import', require.resolve('tsx'), join(__dirname, 'log-lines.ts')];
const lines = execFileSync(process.execPath, program, { encoding: 'utf8' }).trim().split('\n');
const filters = environments().flatMap(([, synthesised]) =>
  resourcesOf(synthesised, 'AWS::Logs::MetricFilter').map(({ Properties }) => ({
    name: String(Properties?.['FilterName']),
    pattern: String(Properties?.['FilterPattern']),
    namespace: synthesised.settings.workload.namespace,
  })),
);

describe.each(LOG_EVENTS)('the filter of "$name"', ({ metricName, messages }) => {
  const ofIt = filters.filter(({ name }) => name === metricName);

  it('counts lines that the runtime writes, in all environments', () => {
    expect(ofIt).toHaveLength(environments().length);
    for (const { pattern, namespace } of ofIt) {
      expect(lines.filter((line) => takes(pattern, record(line, namespace))).length).toBeGreaterThan(0);
    }
  });

  it('counts no other lines, and none of other namespaces', () => {
    const others = lines.filter(
      (line) => !messages.some((message) => line.includes(`"msg":"${message.replace(/\*$/, '')}`)),
    );
    expect(others.length).toBeGreaterThan(5);
    for (const { pattern, namespace } of ofIt) {
      expect(others.filter((line) => takes(pattern, record(line, namespace)))).toEqual([]);
      expect(lines.filter((line) => takes(pattern, record(line, 'another')))).toEqual([]);
    }
  });

  it.each(messages)('names a message that stands in the runtime: %s', (message) => {
    expect(runtimeSource()).toContain(`'${message.replace(/\*$/, '')}`);
  });
});

it('a counted line is one alarm', () => {
  expect(
    lines.filter((line) => filters.some(({ pattern, namespace }) => takes(pattern, record(line, namespace)))).length,
  )
    // Refused, not written, refused by HAProxy, elsewhere; without a node, without blocks; without Redis; a defect.
    .toBe(8);
});
