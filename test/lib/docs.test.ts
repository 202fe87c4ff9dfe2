import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HAPROXY_IMAGE } from '../../runtime/contract/images';
import { METRICS } from '../../runtime/contract/metrics';

const ROOT = join(__dirname, '..', '..');
const PAGES = ['README.md', ...readdirSync(join(ROOT, 'docs')).map((page) => `docs/${page}`)];

it.each(PAGES)('%s names files and folders that are there', (page) => {
  const text = read(page);
  const named = [...text.matchAll(/`((?:bin|constructs|docs|lib|runtime|test|\.github)\/[\w./-]+)`/g)].map(
    ([, path = '']) => path,
  );
  expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});

it.each(PAGES)('%s has shell that is shell', (page) => {
  for (const [, block = ''] of read(page).matchAll(/^ *```(?:bash|sh)\n([^]*?)^ *```/gm)) {
    expect(spawnSync('bash', ['-n'], { input: block, encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
  }
});

it.each(PAGES)('%s names metrics that there are', (page) => {
  const named = [...read(page).matchAll(/`(rpc_balancer_(?!weighter_)\w+)`/g)].map(([, name = '']) => name);
  const known: readonly string[] = Object.values(METRICS);
  expect(named.filter((name) => !known.includes(name.replace(/_(bucket|sum|count)$/, '')))).toEqual([]);
});

/** Each step of the guide, by a word that stands in it. */
const GUIDE = [
  ...['haproxy.cfg', 'frontend stats', 'stats socket', 'verify none', 'docker run', 'socat', 'HAProxyConnector.ts'],
  ...[
    'RPCProxyWeighter.ts',
    'config.json',
    'rpc-proxy-config-file',
    'replicas: 2',
    'haproxy:2.7.0',
    'your-node-weighter',
  ],
  ...['clusterIP: None', 'http://rpc-proxy.default.svc.cluster.local:8000', '--asg-access', 'create-policy'],
  ...[
    'cluster-autoscaler-policy-staging.json',
    'eksctl create iamserviceaccount',
    'cluster-autoscaler-autodiscover.yaml',
  ],
  ...['kubectl set image', 'kubectl patch', 'kubectl edit', 'associate-iam-oidc-provider', 'iam_policy.json'],
  ...['helm upgrade -i aws-load-balancer-controller', '--set clusterName', 'kubernetes.io/ingress.class: alb'],
  ...['scheme: internet-facing', 'ssl-policy', 'certificate-arn', 'target-type: ip', 'stickiness.enabled=true'],
  ...['idle_timeout.timeout_seconds=3600', 'deletion_protection.enabled=true', 'listen-ports', 'Route 53 records'],
  ...['actions.graph-node-jsonrpc', 'subgraph-api.example.com', 'subgraph-ws.example.com'],
];

it.each(GUIDE)('the guide has a step with "%s", and the page about it a line', (step) => {
  expect(read('docs/from-the-guide.md')).toContain(step);
});

// The digest was never asked for at the registry by us.
it('the first deployment begins with a look for the image of HAProxy that pods ask for', () => {
  expect(read('docs/deploy.md')).toContain(`docker manifest inspect ${HAPROXY_IMAGE}\n`);
});

// With `protected_branches` every branch may deploy as long as none is protected, and AWS does not see the branch.
it('the environments of GitHub are for one branch by its name', () => {
  const page = read('docs/deploy.md');
  expect(page).not.toContain('[protected_branches]=true');
  expect(page).toMatch(/deployment-branch-policies" -f name=main/);
});

// EKS's view policy has neither nodes, nor metrics, nor `exec` in it.
it.each(['docs/deploy.md', 'docs/runbook.md'])('%s takes the role that a command of kubectl needs', (page) => {
  const blocks = [...read(page).matchAll(/^```bash\n([^]*?)^```/gm)].map(([, block = '']) => block);
  let role = '';
  for (const line of blocks.flatMap((block) => block.split('\n'))) {
    role = /update-kubeconfig .*role\/(\S+)/.exec(line)?.[1] ?? role;
    if (!line.startsWith('kubectl ')) continue;
    const isForAdmins = / (exec|top|drain|patch|edit|delete|rollout undo|port-forward) | nodes?\b/.test(line);
    expect({ line, role }).toEqual({
      line,
      role: isForAdmins ? 'rpc-admin' : (expect.stringMatching(/^rpc-/) as string),
    });
  }
});

function read(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8');
}
