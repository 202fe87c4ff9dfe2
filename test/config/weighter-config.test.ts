import { ConfigError } from '../../runtime/config/load';
import { loadWeighterConfig, parseWeighterConfig, type WeighterConfig } from '../../runtime/config/weighter-config';

/** The guide's config.json, as it stands there. */
const GUIDE = `{
    "admin": {
        "host": "127.0.0.1",
        "port": 9999
    },
    "servers": [
        {
            "backendName": "rpc-backend",
            "serverName": "quicknode",
            "serverUrl": "https://xxx.quiknode.pro/xxx"
        },
        {
            "backendName": "rpc-backend",
            "serverName": "alchemy",
            "serverUrl": "https://xxx.alchemy.com/xxx"
        }
    ]
}`;

function parse(document: unknown, env: Record<string, string> = {}): WeighterConfig {
  return parseWeighterConfig(typeof document === 'string' ? document : JSON.stringify(document), { env });
}

function problemsOf(document: unknown): readonly string[] {
  try {
    parse(document);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  throw new Error('the configuration was accepted');
}

const server = { backendName: 'rpc-backend', serverName: 'a', serverUrl: 'http://a.example/' };

it('takes the guide’s file as it stands there, with the guide’s limits', () => {
  const config = parse(GUIDE);
  expect(config.admin).toEqual({ host: '127.0.0.1', port: 9999 });
  expect(config.servers?.map(({ serverName }) => serverName)).toEqual(['quicknode', 'alchemy']);
  expect(config).toMatchObject({
    adjustIntervalMs: 5000,
    policy: 'equal',
    maxBlockAgeMs: 150_000,
    maxLatencyMs: 3000,
    listen: { host: '127.0.0.1', port: 9091 },
  });
  expect(Object.isFrozen(config.servers?.[0])).toBe(true);
});

it('needs nothing: the servers are discovered then', () => {
  expect(parse({}).servers).toBeUndefined();
  expect(parse({ admin: { path: '/run/haproxy/admin.sock' } }).admin.path).toBe('/run/haproxy/admin.sock');
});

it('fills in values from outside', () => {
  const file = { admin: { port: '${PORT}' }, servers: [{ ...server, serverUrl: 'https://a.example/${KEY}' }] };
  const config = parse(file, { PORT: '9998', KEY: 'k' });
  expect(config.admin.port).toBe(9998);
  expect(config.servers?.[0]?.serverUrl).toBe('https://a.example/k');
});

it('tells all problems at once, each by path and rule', () => {
  const problems = problemsOf({
    admin: { host: 'h', path: 'relative' },
    servers: [server, { ...server, serverUrl: 'ftp://canary.example/canarykey' }, { backendName: 'x y' }],
    policy: 'fair',
    adjustInterval: 5,
    maxLatencyMs: 0,
    listen: { port: 70_000 },
  });
  const all = problems.join('\n');
  for (const part of [
    'admin.path must be the absolute path',
    'admin.path must be the only key of admin',
    'servers[1].serverName must be unique in its backend; servers[0] has it already',
    'servers[1].serverUrl must be a URL that begins with http:// or https://',
    'servers[2].backendName must be a name',
    'servers[2].serverName must be a name',
    'servers[2].serverUrl must be a URL',
    'policy must be one of equal, proportional, got "fair"',
    'adjustInterval must be a known key (did you mean adjustIntervalMs?)',
    'maxLatencyMs must be a whole number from 1',
    'listen.port must be a whole number from 0 to 65535, got 70000',
  ]) {
    expect(all).toContain(part);
  }
  expect(all).not.toContain('canarykey');
});

it.each([
  ['a key in a wrong scheme', { servers: [{ ...server, serverUrl: 'https:canarykey' }] }],
  ['a URL as a name', { servers: [{ ...server, serverName: 'https://a.example/canarykey' }] }],
  ['a URL as a server', { servers: ['https://a.example/canarykey'] }],
  ['a URL as the servers', { servers: 'https://a.example/canarykey' }],
  ['a URL as a key', { 'https://a.example/canarykey': 1 }],
  ['a URL of a metadata address', { servers: [{ ...server, serverUrl: 'http://169.254.169.254/canarykey' }] }],
  ['a list of URLs', { servers: [{ ...server, serverUrl: ['https://a.example/canarykey'] }] }],
])('shows nothing of %s', (_, document) => {
  const problems = problemsOf(document).join('\n');
  expect(problems).not.toBe('');
  expect(problems).not.toContain('canarykey');
});

it.each(['a;b', 'a b', 'a\nb', 'a/b', ''])('refuses the name %j, which would be a command of its own', (serverName) => {
  expect(problemsOf({ servers: [{ ...server, serverName }] }).join()).toContain('servers[0].serverName must be a name');
});

it('refuses an empty list, a broken text, and a file that is not there', async () => {
  expect(problemsOf({ servers: [] })[0]).toContain('servers must be a list of servers with at least 1');
  expect(problemsOf('{"admin": {')[0]).toMatch(/^line 1, column/);
  await expect(loadWeighterConfig('/nowhere/config.json', {})).rejects.toMatchObject({
    problems: ['the file must be readable, got ENOENT'],
  });
});
