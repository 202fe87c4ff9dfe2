import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PATHS } from '../../runtime/contract/paths';
import { PORTS } from '../../runtime/contract/ports';
import { ENVIRONMENTS } from './environments';
import { containersOf, find, podSpec, synthesise } from './manifests';

const page = readFileSync(join(__dirname, '..', '..', 'docs', 'kubernetes.md'), 'utf8');
const { prod, staging } = ENVIRONMENTS;
const manifests = synthesise(prod);
const spec = podSpec(manifests);
const containers = containersOf(spec);

/** The rows of a table, each by its cells without their quotes, that has these words in its head. */
function table(...head: string[]): string[][] {
  const lines = page.split('\n').map((line) => line.trim());
  const start = lines.findIndex((line) => line.startsWith('|') && head.every((word) => line.includes(word)));
  const end = lines.findIndex((line, i) => i > start && !line.startsWith('|'));
  return lines.slice(start + 2, end).map((line) => {
    const cells = line.split('|').slice(1, -1);
    return cells.map((cell) => cell.trim().replaceAll('`', ''));
  });
}

/** What stands in the page where a pattern has its group, such as each NAME of `-c NAME`; each once. */
function told(pattern: RegExp): string[] {
  const found = [...page.matchAll(pattern)].map(([, name = '']) => name);
  expect(found).not.toEqual([]);
  return [...new Set(found)];
}

/** The page is of the chart: who follows it types its names. */
describe('docs/kubernetes.md', () => {
  it('has the containers in their order, with their users', () => {
    const rows = table('container', 'program', 'user').map(([name, , , user]) => [name, Number(user)]);
    expect(rows).toEqual(containers.map(({ name, securityContext }) => [name, securityContext.runAsUser]));
    expect(page).toContain(`share the group ${String(spec.securityContext['fsGroup'])}`);
  });

  it('has every port by its name', () => {
    const rows = table('port', 'name', 'who may connect').map(([port, name]) => [name, Number(port)]);
    expect(Object.fromEntries(rows)).toEqual(PORTS);
    const declared = containers.flatMap(({ ports = [] }) =>
      ports.map(({ name, containerPort }) => [name, containerPort]),
    );
    expect(Object.fromEntries(declared)).toEqual(PORTS);
  });

  it('has commands with objects, containers, files and ports that there are', () => {
    const { app } = find(manifests, 'Deployment').metadata.labels ?? {};
    const names = containers.map(({ name }) => name);
    expect(told(/kubectl -n (\S+)/g)).toEqual([prod.namespace]);
    for (const name of told(/kubectl .* -c (\S+)/g)) expect(names).toContain(name);
    for (const name of told(/deploy(?:ment)?[/ ](rpc-\S+?)[\s`]/g)) find(manifests, 'Deployment', name);
    for (const name of told(/edit configmap (\S+)/g)) find(manifests, 'ConfigMap', name);
    expect(told(/-l app=(\S+)/g)).toEqual([app]);
    for (const file of told(/--config (\/\S+)/g)) expect(Object.values(PATHS)).toContain(file);
    expect(told(/connect\('(\S+?)'\)/g)).toEqual([PATHS.adminSocket]);
    for (const port of told(/port-forward \S+ (\d+ \d+)/g).flatMap((pair) => pair.split(' '))) {
      expect(Object.values(PORTS)).toContain(Number(port));
    }
    expect(told(/put-secret-value --secret-id (\S+)/g)).toEqual([staging.providerKeysSecret]);
  });

  it('has the address of the guide, and that of the proxy beside it', () => {
    const { metadata, spec: service } = find(manifests, 'Service');
    const { ports } = service as { ports: { port: number }[] };
    const host = `${metadata.name}.${metadata.namespace ?? ''}.svc.cluster.local`;
    expect(told(/(http:\/\/\S+\.svc\.\S+)/g)).toEqual(ports.map(({ port }) => `http://${host}:${port}/`));
  });

  it('has the times and the annotation of the chart', () => {
    expect(page).toContain(`\`terminationGracePeriodSeconds\`: ${spec.terminationGracePeriodSeconds} s unless`);
    const { template } = find(manifests, 'Deployment').spec as {
      template: { metadata: { annotations: Record<string, string> } };
    };
    expect(Object.keys(template.metadata.annotations)).toEqual(told(/annotation\s`(\S+?)`/g));
  });
});
