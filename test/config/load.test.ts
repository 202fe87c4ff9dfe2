import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, loadConfig } from '../../runtime/config/load';
import { nodeUrl } from '../../runtime/config/node-url';
import { parse, problemsOf, refusalOf, withNode } from './parse';

const VALID = 'chains: { mainnet: { chainId: 1, nodes: [{ name: a, url: "http://a.example" }] } }\n';

describe('a file', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'config-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  it('is read with what it refers to', async () => {
    const secret = join(directory, 'secret.json');
    const file = join(directory, 'config.yaml');
    await writeFile(secret, '{"key": "k1"}');
    await writeFile(file, VALID.replace('a.example', `\${HOST}/\${file:${secret}#key}`));
    const config = await loadConfig(file, { HOST: 'b.example' });
    expect(config.chains['mainnet']?.nodes[0]?.url).toBe('http://b.example/k1');
  });

  it('that is not there is a problem like others', async () => {
    const file = join(directory, 'missing.yaml');
    const error: unknown = await loadConfig(file, {}).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConfigError);
    expect(error).toMatchObject({ code: 'CONFIG_INVALID', problems: ['the file must be readable, got ENOENT'] });
  });

  it('that is too large is not read', async () => {
    const file = join(directory, 'config.yaml');
    await writeFile(file, Buffer.alloc(5 << 20));
    await expect(loadConfig(file, {})).rejects.toMatchObject({
      problems: ['the text must have at most 262144 bytes, got 5242880'],
    });
  });

  it('is named by its problems', async () => {
    const file = join(directory, 'config.yaml');
    await writeFile(file, 'listen: { port: -1 }');
    await expect(loadConfig(file, {})).rejects.toThrow(
      `${file} cannot be used (2 problems):\n` +
        '  - listen.port must be a whole number from 0 to 65535, got -1\n' +
        '  - chains must be a mapping, got nothing',
    );
  });
});

describe('text that cannot be read', () => {
  it.each([
    ['a: [1\nb: 2\n', 'line 2, column 1'],
    ['a: 1\n\tb: 2\n', 'line 2, column 1'],
    ['a: "x\n', 'line 2, column 1'],
    ['a: *nowhere\n', 'line 1, column 4'],
    ['a: !secret x\n', 'line 1, column 4'],
    ['a: 1\n---\nb: 2\n', 'line 2, column 1'],
    ['a: b: c\n', 'line 1, column 4'],
  ])('%j is refused with line and column', (text, where) => {
    const problems = problemsOf(text);
    expect(problems[0]).toMatch(new RegExp(`^${where}: [a-z]`));
  });

  // Such a file stopped a proxy for as long as it took to read: 13 s for 1 MB of a text, minutes for some, and one log
  // line of all its problems had 5 MB.
  it.each([
    ['short lines', (i: number) => `key${i}: some text\n`],
    ['one line again and again', () => 'time: now\n'],
    ['a log', () => '{"level":"info"}\n'],
    ['quotes', () => '" '],
    ['bullets', () => '- *nowhere\n'],
  ])('%s of a file that is something else are told of in few words', (_, line) => {
    const lines = Array.from({ length: 10_000 }, (_, i) => line(i)).join('');
    const problems = problemsOf(lines);
    expect(problems.length).toBeLessThanOrEqual(102);
    expect(problems.join('\n')).toMatch(/^(and \d{4,} more problems|.*got \d{4,} more that are not)$/m);
  });

  it('as many aliases as there is room for are read', () => {
    expect(problemsOf(`a: &a 1\nb:\n${'- *a\n'.repeat(50_000)}`)).toEqual([
      'aliases multiply to more than anybody could have meant',
    ]);
  });

  it('too much text is not read', () => {
    const rule = 'the text must have at most 262144 bytes';
    expect(parse(VALID.padEnd(262_144, '\n'))).toEqual(parse(VALID));
    expect(problemsOf(VALID.padEnd(262_145, '\n'))).toEqual([`${rule}, got 262145`]);
    expect(problemsOf(`# ${'é'.repeat(200_000)}`)).toEqual([`${rule}, got 400002`]);
  });

  it('a key that is there twice is told with all other problems', () => {
    expect(problemsOf(`${VALID}listen: { port: 1 }\nlisten:\n  port: -1\n`)).toEqual([
      'line 3, column 1: this key is there twice',
      'listen.port must be a whole number from 0 to 65535, got -1',
    ]);
  });

  it.each([
    ['', 'null'],
    ['# only a comment\n', 'null'],
    ['text', 'a text'],
    ['[]', 'an empty list'],
  ])('%j is no configuration', (text, got) => {
    expect(problemsOf(text)).toEqual([`the configuration must be a mapping, got ${got}`]);
  });

  it('aliases share a value', () => {
    const config = parse(`
chains:
  one: { chainId: 1, health: &health { fall: 7 }, nodes: [{ name: a, url: http://a.example }] }
  two: { chainId: 2, health: *health, nodes: [{ name: a, url: http://b.example }] }
`);
    expect(config.chains['two']?.health.fall).toBe(7);
  });

  it('aliases that never end, or multiply, are refused', () => {
    expect(problemsOf(`${VALID}http: &a { cors: *a }`).join()).toContain(
      'http.cors must be a value that does not hold itself',
    );
    const levels = Array.from({ length: 12 }, (_, i) => `l${i + 1}: &l${i + 1} [${`*l${i},`.repeat(9)}]`);
    expect(problemsOf(['l0: &l0 [x]', ...levels].join('\n'))).toEqual([
      'aliases multiply to more than anybody could have meant',
    ]);
    expect(problemsOf('['.repeat(100_000)).length).toBeGreaterThan(0);
  });
});

it('tells one problem once', () => {
  expect(refusalOf(withNode({ url: '' })).message).toBe(
    'the configuration cannot be used (1 problem):\n' +
      '  - chains.mainnet.nodes[0].url must be a URL that begins with http:// or https://, got (hidden)',
  );
});

describe('nodeUrl', () => {
  it('is the URL as written, or the local port of HAProxy', () => {
    const [direct] = parse(withNode({ url: 'https://u:p@a.example/x?y' })).chains['mainnet']?.nodes ?? [];
    const [local] = parse(withNode({ localPort: 8001 })).chains['mainnet']?.nodes ?? [];
    expect([direct, local].map((node) => node && nodeUrl(node))).toEqual([
      'https://u:p@a.example/x?y',
      'http://127.0.0.1:8001',
    ]);
    expect(() => nodeUrl({ name: 'a', url: undefined, localPort: undefined })).toThrow(TypeError);
  });
});
