import { stringify } from 'yaml';
import { maskConfig, maskUrl } from '../../runtime/config/mask';
import { chain, minimal, parse, refusalOf, withNode } from './parse';

describe('maskUrl', () => {
  it.each([
    ['https://user:canary@eth.example:8443/v2/canary?key=canary#canary', 'https://eth.example:8443/…'],
    ['wss://eth.example/canary', 'wss://eth.example/…'],
    ['http://127.0.0.1:8545', 'http://127.0.0.1:8545/…'],
    ['https://eth.example/${CANARY}', 'https://eth.example/…'],
    ['http://[::1]:80/canary', 'http://[::1]/…'],
    ['canary', '(hidden)'],
    ['', '(hidden)'],
    ['canary:canary', '(hidden)'],
    ['https:canary', '(hidden)'],
    ['ftp://canary/canary', '(hidden)'],
    ['https://', '(hidden)'],
    ['https://user:canary', '(hidden)'],
    ['${file:/run/canary#canary}', '(hidden)'],
  ])('%s is shown as %s', (url, shown) => {
    expect(maskUrl(url)).toBe(shown);
  });
});

describe('the printed configuration', () => {
  const config = parse(
    {
      listen: { port: '${PORT}' },
      chains: {
        mainnet: chain({
          nodes: [
            { name: '${NODE}', url: 'https://u:canary@eth.example/canary', wsUrl: '${WS}' },
            { name: 'b', localPort: 8001, provider: { url: 'https://p.example/canary/${KEY}' } },
          ],
        }),
      },
    },
    { env: { PORT: '8600', NODE: 'canary', WS: 'wss://ws.example/canary' } },
  );
  const printed = stringify(maskConfig(config));

  it('shows of URLs scheme and host, and of other values from outside what was written', () => {
    expect(maskConfig(config)).toMatchObject({
      listen: { port: '${PORT}', host: '127.0.0.1' },
      chains: {
        mainnet: {
          chainId: 1,
          nodes: [
            { name: '${NODE}', url: 'https://eth.example/…', wsUrl: 'wss://ws.example/…', weight: 1 },
            { name: 'b', localPort: 8001, provider: { url: 'https://p.example/…' } },
          ],
        },
      },
    });
    expect(printed).not.toContain('canary');
    expect(printed).not.toContain('8600');
  });

  it('leaves the configuration itself as it is', () => {
    expect(config.chains['mainnet']?.nodes[0]).toMatchObject({ name: 'canary', wsUrl: 'wss://ws.example/canary' });
  });

  it('shows origins, which are no secrets', () => {
    const origins = ['https://app.example'];
    expect(maskConfig(parse(minimal({ http: { cors: { origins } } })))).toMatchObject({ http: { cors: { origins } } });
  });
});

/** Wrong in every way a secret can be in the wrong place; each must be refused, and none may be told. */
const SPILLS: readonly (readonly [where: string, document: unknown])[] = [
  ['a URL of a wrong scheme', withNode({ url: 'ftp://u:canary@h.example/canary' })],
  ['a URL with a blank', withNode({ url: 'https://u:canary@h.example/canary canary' })],
  ['no URL at all', withNode({ url: 'canary' })],
  ['a list for a URL', withNode({ url: ['canary'] })],
  ['a mapping for a URL', withNode({ url: { canary: 'canary' } })],
  ['a metadata address', withNode({ url: 'http://canary:canary@169.254.169.254/canary' })],
  ['a URL that is a second one too many', withNode({ url: 'http://a.example/canary', localPort: 1, wsUrl: 'canary' })],
  ['a provider that is a text', withNode({ localPort: 1, provider: 'https://p.example/canary' })],
  ['a provider of a wrong scheme', withNode({ localPort: 1, provider: { url: 'canary://canary/canary' } })],
  ['a node that is a text', minimal({ chains: { m: chain({ nodes: ['user:canary@h.example'] }) } })],
  ['nodes that are a text', minimal({ chains: { m: chain({ nodes: 'h.example/canary' }) } })],
  ['a URL for a name', withNode({ name: 'https://h.example/canary', url: 'http://a.example' })],
  ['a URL for a chain name', { chains: { 'https://h.example/canary': chain() }, defaultChain: 'x' }],
  ['a URL for a key', minimal({ 'https://h.example/canary': 1 })],
  ['an unknown key with a secret', withNode({ url: 'http://a.example', apiKey: 'canary' })],
  ['an expansion where a number belongs', minimal({ listen: { port: '${SECRET}' } })],
  ['an expansion where a name belongs', withNode({ name: '${SECRET}!', url: 'http://a.example' })],
  ['an expansion where one of some words belongs', minimal({ telemetry: { logLevel: '${SECRET}' } })],
  ['an expansion for a whole URL', withNode({ url: '${SECRET}' })],
  ['an expansion for a list', minimal({ trustedProxies: '${SECRET}' })],
  ['an expansion in a list', minimal({ trustedProxies: ['${SECRET}'] })],
  [
    'two expanded names that are the same',
    minimal({
      chains: { m: chain({ nodes: ['1', '2'].map((host) => ({ name: '${SECRET}', url: `http://${host}.example` })) }) },
    }),
  ],
  ['an expanded default chain', minimal({ defaultChain: '${SECRET}' })],
  ['a reference that is not closed', withNode({ url: 'https://${HOST/canary?canary' })],
  ['two references, the first not closed', withNode({ url: 'https://${HOST/canary/${SECRET}' })],
  ['a variable that is not set, before a secret', withNode({ url: 'https://${UNSET}/canary' })],
  ['text that is no YAML', 'chains: {m: {url: https://h.example/canary'],
  ['a broken quote', 'chains:\n  m: "canary\n  canary'],
  ['a stray token', 'chains:\n  - canary\n canary: ]canary'],
  ['a tag', 'chains: !canary canary'],
  ['an alias', 'chains: *canary'],
];

describe('problems never tell a secret', () => {
  it.each(SPILLS)('%s', (_where, document) => {
    const error = refusalOf(document, { env: { SECRET: 'canary' } });
    expect(error.problems.length).toBeGreaterThan(0);
    expect([error.message, JSON.stringify(error)].join()).not.toContain('canary');
  });
});
