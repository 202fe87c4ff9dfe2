import { ConfigError } from '../../runtime/config/load';
import { type HaproxyConfig, type HaproxyParseOptions, loadHaproxyConfig } from '../../runtime/config/load-haproxy';
import { parseSecrets } from '../../runtime/config/secrets-file';
import { chain, withNode } from './parse';

const NODE = 'chains.mainnet.nodes[0]';
const viaHaproxy = (provider: object): Record<string, unknown> => withNode({ localPort: 8001, provider });

function load(document: unknown, options: Partial<HaproxyParseOptions> = {}): HaproxyConfig {
  return loadHaproxyConfig(JSON.stringify(document), { env: {}, ...options });
}

function refusal(act: () => unknown): ConfigError {
  try {
    act();
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

function problemsOf(document: unknown, options: Partial<HaproxyParseOptions> = {}): readonly string[] {
  return refusal(() => load(document, options)).problems;
}

function providerOf(provider: object, options: Partial<HaproxyParseOptions>): unknown {
  return load(viaHaproxy(provider), options).chains['mainnet']?.nodes[0]?.provider;
}

describe('providers', () => {
  it('are expanded from secrets, then the environment, then files', () => {
    const written = {
      url: 'https://${HOST}/${KEY}/${file:/run/keys.json#a.key}',
      wsUrl: 'wss://${HOST}/ws/${KEY}',
      caFile: '${CA_FILE}',
    };
    const options = {
      env: { HOST: 'p.example', KEY: 'of-the-environment', CA_FILE: '/etc/ca.pem' },
      secrets: { KEY: 'secret' },
      readFile: () => '{"a": {"key": "from-file"}}',
    };
    expect(providerOf(written, options)).toEqual({
      url: 'https://p.example/secret/from-file',
      wsUrl: 'wss://p.example/ws/secret',
      caFile: '/etc/ca.pem',
    });
  });

  it.each([
    ['https://p.example/${KEY}', 'a b', 'a URL that begins with http:// or https://, got (hidden)'],
    ['https://p.example/${KEY}', 'a\nserver x', 'a URL that begins with http:// or https://, got (hidden)'],
    [
      'https://p.example/${KEY}',
      'a#b',
      'a URL without # (write %23 where it belongs to the key), got https://p.example/…',
    ],
    [
      'https://p.example/${KEY}',
      '${file:/etc/passwd}',
      'a text without ${ after it was expanded, got https://p.example/…',
    ],
    ['${KEY}', 'canary', 'a URL that begins with http:// or https://, got (hidden)'],
    [
      '${KEY}',
      'https://192.0.2.7/canary',
      'a URL with a host name where TLS is spoken, because HAProxy cannot verify the certificate of an address, got https://192.0.2.7/…',
    ],
    [
      '${KEY}',
      'http://169.254.169.254/canary',
      'an address other than the link-local metadata addresses, got http://169.254.169.254/…',
    ],
    [
      'https://p.example/${OTHER}',
      '',
      'the name of a secret, or of an environment variable, that is set, got ${OTHER}',
    ],
  ])('%s with %j is refused', (url, KEY, problem) => {
    const masked = problem.replace('got (hidden)', url === '${KEY}' ? 'got (hidden)' : 'got https://p.example/…');
    expect(problemsOf(viaHaproxy({ url }), { secrets: { KEY } })).toEqual([`${NODE}.provider.url must be ${masked}`]);
  });

  it('must be there for a local port, and a local port must be somewhere', () => {
    expect(problemsOf(withNode({ localPort: 8001 }))).toEqual([
      `${NODE}.provider must be set for a node with localPort, got nothing`,
    ]);
    expect(problemsOf(withNode({ url: 'http://a.example' }))).toEqual([
      'chains must be given a node with localPort and provider, got none',
    ]);
  });
});

describe('what HAProxy does not need', () => {
  it('is neither expanded nor checked', () => {
    const config = load({
      ...viaHaproxy({ url: 'https://p.example' }),
      redis: { url: '${REDIS_URL}' },
      limits: { perMinute: -1 },
      telemetry: 'none',
      chains: {
        mainnet: chain({
          cache: { maxBytes: '${CACHE}' },
          nodes: [
            { name: 'own', url: '${OWN_URL}', wsUrl: '${OWN_WS}' },
            { name: 'a', localPort: 8001, provider: { url: 'https://p.example' } },
          ],
        }),
      },
    });
    expect(config.chains['mainnet']?.nodes.map(({ name }) => name)).toEqual(['own', 'a']);
  });

  it('does not move the paths of what it does', () => {
    const nodes = [
      { name: 'own', url: '${OWN_URL}' },
      { name: 'a', localPort: 0, provider: { url: 'https://p.example' } },
    ];
    expect(
      problemsOf({ http: { maxBodyBytes: 0 }, haproxy: { port: 1 }, chains: { mainnet: chain({ nodes }) } }),
    ).toEqual([
      'http.maxBodyBytes must be a whole number from 1 to 1073741824, got 0',
      'haproxy.port must be a known key (pool, stats, adminSocket, socketGid, caFile, nameservers, maxConnections, hardStopAfterMs, checkIntervalMs), got "port"',
      'chains.mainnet.nodes[1].localPort must be a whole number from 1 to 65535, got 0',
    ]);
  });
});

describe('problems never tell a secret', () => {
  const secrets = { KEY: 'canary', URL: 'https://u:canary@p.example/canary#canary', BAD: 'canary canary' };
  it.each([
    viaHaproxy({ url: '${KEY}' }),
    viaHaproxy({ url: '${URL}' }),
    viaHaproxy({ url: 'https://p.example/${BAD}' }),
    viaHaproxy({ url: 'https://p.example', wsUrl: '${URL}', caFile: '${KEY}' }),
    viaHaproxy({ url: ['${URL}'] }),
    withNode({ localPort: 8001, provider: '${URL}' }),
    withNode({ localPort: '${KEY}', provider: { url: 'https://p.example' } }),
    { ...viaHaproxy({ url: 'https://p.example' }), haproxy: { caFile: '${KEY}', adminSocket: '${BAD}' } },
  ])('%j', (document) => {
    const error = refusal(() => load(document, { secrets }));
    expect(error.problems.length).toBeGreaterThan(0);
    expect([error.message, JSON.stringify(error)].join()).not.toContain('canary');
  });
});

describe('a file of secrets', () => {
  it('is one JSON object of texts', () => {
    expect(parseSecrets('{"A": "1", "__proto__": "2"}')).toEqual(JSON.parse('{"A": "1", "__proto__": "2"}'));
  });

  it.each([
    ['{"canary": ', ['the file must be JSON']],
    ['["canary"]', ['the file must be a JSON object of texts']],
    ['"canary"', ['the file must be a JSON object of texts']],
    ['{"A": {"canary": "canary"}, "B": 12345, "C": "ok"}', ['A must be a text', 'B must be a text']],
  ])('%s is refused without telling what is in it', (text, problems) => {
    const error = refusal(() => parseSecrets(text, '/run/secrets.json'));
    expect(error.problems).toEqual(problems);
    expect(error.message).toContain('/run/secrets.json cannot be used');
    expect(error.message).not.toMatch(/canary|12345/);
  });
});
