import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { ConfigError } from '../../runtime/config/load';
import { loadHaproxyConfig } from '../../runtime/config/load-haproxy';
import { quote, quoteFormat } from '../../runtime/haproxy/quote';
import { renderHaproxy } from '../../runtime/haproxy/render';
import { configFaults } from '../support/haproxy-process';
import { selfSigned } from '../upstream/certificate';
import { scenario, SCENARIOS } from './scenarios';

const GOLDEN = join(__dirname, '..', 'golden', 'haproxy');

describe.each(Object.keys(SCENARIOS))('%s', (name) => {
  const text = renderHaproxy(scenario(name));

  it('is written as in its golden file', () => {
    const file = join(GOLDEN, `${name}.cfg`);
    // UPDATE_GOLDEN=1 npx jest test/haproxy writes the files anew; then look at what git shows.
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, text);
    expect(existsSync(file)).toBe(true);
    expect(text.split('\n')).toEqual(readFileSync(file, 'utf8').split('\n'));
  });

  it('is valid', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ca-'));
    const file = join(folder, 'ca.pem');
    await writeFile(file, selfSigned('DNS:localhost').cert);
    expect(await configFaults(text.replace(/ca-file ('[^']*'|\/\S+)/g, `ca-file ${file}`))).toBe('');
    await rm(folder, { recursive: true });
  });
});

it('renders the same text for the same configuration', () => {
  expect(renderHaproxy(scenario('several-chains'))).toBe(renderHaproxy(scenario('several-chains')));
});

describe('quoting', () => {
  it.each([
    ['plain/path.cfg', 'plain/path.cfg', 'plain/path.cfg'],
    ['', "''", "''"],
    ['a b', "'a b'", "'a b'"],
    ["it's", String.raw`'it'\''s'`, String.raw`'it'\''s'`],
    ['50%[x]', "'50%[x]'", "'50%%[x]'"],
    [String.raw`\x41#"$HOME`, String.raw`'\x41#"$HOME'`, String.raw`'\x41#"$HOME'`],
  ])('%j', (text, asText, asFormat) => {
    expect(quote(text)).toBe(asText);
    expect(quoteFormat(text)).toBe(asFormat);
  });

  it.each(['\n', 'a\r', '\0', '\t', '\x7f'])('refuses %j', (text) => {
    expect(() => quote(text)).toThrow(TypeError);
  });
});

describe('secrets of any text', () => {
  /** What people paste, and what would hurt. */
  const hostile = fc.string({
    unit: fc.oneof(
      fc.constantFrom(...`'"\\#%$[]{}(),;:?&=+ \t\n\r/@!|<>\``.split('')),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
      fc.constantFrom('a', 'K', '7', '\nserver evil 127.0.0.1:1', "' -m reg", '%[env(HOME)]', '${HOME}'),
    ),
    maxLength: 12,
  });
  const PLACES = [
    'https://p.example/v2/${KEY}',
    'https://p.example/?key=${KEY}',
    'https://user:${KEY}@p.example/',
    'https://${KEY}@p.example/',
  ];

  it('give a valid file or a problem, and never another line', async () => {
    const secrets = fc.sample(hostile, { numRuns: 400, seed: 1 });
    const taken = secrets.flatMap((secret, index) => {
      const url = PLACES[index % PLACES.length] ?? '';
      try {
        return [renderOf(url, secret)];
      } catch (error) {
        if (error instanceof ConfigError) return [];
        throw error;
      }
    });
    expect(taken.length).toBeGreaterThan(100);
    for (const { url, shape } of taken) expect([url, shape]).toEqual([url, renderOf(url, 'k').shape]);
    // One file with all of them, so that HAProxy reads it once.
    const nodes = taken.map(({ url, secret }, index) => ({
      name: `n${index}`,
      localPort: 10_001 + index,
      provider: { url: url.replace('${KEY}', `\${K${index}}`), secret },
    }));
    const all = Object.fromEntries(nodes.map(({ provider }, index) => [`K${index}`, provider.secret]));
    const document = {
      chains: {
        main: { chainId: 1, nodes: nodes.map(({ provider: { url }, ...node }) => ({ ...node, provider: { url } })) },
      },
    };
    const text = renderHaproxy(loadHaproxyConfig(JSON.stringify(document), { env: {}, secrets: all }));
    expect(await configFaults(text.replaceAll('init-addr last,libc,none', 'init-addr none'))).toBe('');
  }, 60_000);

  /** The first words of all lines; without that of a user, who may be nobody. */
  function renderOf(url: string, secret: string): { shape: string[]; url: string; secret: string } {
    const document = { chains: { main: { chainId: 1, nodes: [{ name: 'a', localPort: 8001, provider: { url } }] } } };
    const text = renderHaproxy(loadHaproxyConfig(JSON.stringify(document), { env: {}, secrets: { KEY: secret } }));
    const lines = text.split('\n').filter((line) => !line.includes('set-header authorization'));
    return { shape: lines.map((line) => line.trimStart().split(' ').slice(0, 2).join(' ')), url, secret };
  }
});
