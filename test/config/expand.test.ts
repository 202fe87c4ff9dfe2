import { minimal, parse, problemsOf, withNode } from './parse';

const FILES: Readonly<Record<string, string>> = {
  '/run/token': 'from-file\n',
  '/run/windows': 'one\r\ntwo\r\n',
  '/run/keys.json': '{"quick": {"key": "abc", "ports": [1, 8600], "a/b": {"~": "odd"}}, "flag": true, "none": null}',
  '/run/broken.json': '{"canary": ',
};

function readFile(path: string): string {
  const content = FILES[path];
  if (content === undefined) throw Object.assign(new Error(`ENOENT: no such file, canary`), { code: 'ENOENT' });
  return content;
}

const env = { NAME: 'value', EMPTY: '', PORT: '8600', ON: 'true', NESTED: '${NAME}', HEX: '0x10', MANY: '1e3' };
const options = { env, readFile };

function expandedUrl(written: string): string | undefined {
  return parse(withNode({ url: written }), options).chains['mainnet']?.nodes[0]?.url;
}

describe('text values', () => {
  it.each([
    ['http://a.example/${NAME}', 'http://a.example/value'],
    ['http://${NAME}.example/${NAME}${EMPTY}/x', 'http://value.example/value/x'],
    ['http://a.example/${file:/run/token}', 'http://a.example/from-file'],
    ['http://a.example/${file:/run/keys.json#quick.key}', 'http://a.example/abc'],
    ['http://a.example/${file:/run/keys.json#quick.ports.1}', 'http://a.example/8600'],
    ['http://a.example/${file:/run/keys.json#/quick/a~1b/~0}', 'http://a.example/odd'],
    ['http://a.example/${file:/run/keys.json#flag}', 'http://a.example/true'],
    ['http://a.example/$${NAME}', 'http://a.example/${NAME}'],
    ['http://a.example/$$${NAME}', 'http://a.example/$${NAME}'],
    ['http://a.example/$NAME{}', 'http://a.example/$NAME{}'],
    ['http://a.example/${NESTED}', 'http://a.example/${NAME}'],
  ])('%s', (written, expanded) => {
    expect(expandedUrl(written)).toBe(expanded);
  });

  it('are expanded in lists too, and keys are not', () => {
    const config = parse(
      { ...minimal(), trustedProxies: ['${NET}'], limits: { perMinute: 60, cost: { eth_call: '${COST}' } } },
      { env: { NET: '10.0.0.0/8', COST: '3' } },
    );
    expect(config.trustedProxies).toEqual(['10.0.0.0/8']);
    expect(config.limits.cost['eth_call']).toBe(3);
    expect(problemsOf({ ...minimal(), '${NAME}': 1 }, options)).toHaveLength(1);
  });

  it('of a provider stay as written, even when nothing is set', () => {
    const provider = { url: 'https://p.example/${UNSET}', wsUrl: '${file:/missing#x}' };
    expect(parse(withNode({ localPort: 8001, provider })).chains['mainnet']?.nodes[0]?.provider).toEqual(provider);
  });

  it('come from the environment of the process as well', () => {
    expect(
      parse({ ...minimal(), listen: { host: '${HOME_HOST}' } }, { env: { ...process.env, HOME_HOST: '::1' } }).listen
        .host,
    ).toBe('::1');
    expect(problemsOf({ ...minimal(), listen: { host: '${toString}' } }, { env: process.env })).toHaveLength(1);
  });
});

describe('numbers and booleans', () => {
  it('are made of a value that is one reference and nothing else', () => {
    const config = parse(
      { ...minimal(), listen: { port: '${PORT}' }, http: { gzip: '${file:/run/keys.json#flag}' } },
      options,
    );
    expect(config.listen.port).toBe(8600);
    expect(config.http.gzip).toBe(true);
  });

  it.each(['${HEX}', '${MANY}', '${EMPTY}', '${NAME}', '1${EMPTY}', '8600'])('are not made of %s', (port) => {
    const problems = problemsOf({ ...minimal(), listen: { port } }, options);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain('listen.port must be a whole number from 0 to 65535, got ');
  });

  it('stay text where text is wanted', () => {
    const config = parse(withNode({ name: '${PORT}', url: 'http://a.example' }), options);
    expect(config.chains['mainnet']?.nodes[0]?.name).toBe('8600');
  });
});

describe('what cannot be expanded is one problem with its path', () => {
  it.each([
    ['${UNSET}', 'the name of an environment variable that is set'],
    ['${toString}', 'the name of an environment variable that is set'],
    ['${a-b}', 'written ${NAME} or ${file:/path#json.pointer}'],
    ['${}', 'written ${NAME} or ${file:/path#json.pointer}'],
    ['${NAME', 'closed by } after each ${'],
    ['${file:relative}', 'the absolute path of a file'],
    ['${file:/missing}', 'a file that can be read (ENOENT)'],
    ['${file:/run/broken.json#a}', 'a file that holds JSON'],
    ['${file:/run/keys.json#quick.other}', 'a text, number or boolean that is in the file'],
    ['${file:/run/keys.json#quick}', 'a text, number or boolean that is in the file'],
    ['${file:/run/keys.json#none}', 'a text, number or boolean that is in the file'],
    ['${file:/run/keys.json#constructor.name}', 'a text, number or boolean that is in the file'],
    ['${file:/run/keys.json#quick.key.length}', 'a text, number or boolean that is in the file'],
  ])('%s', (reference, rule) => {
    const shown = ['${a-b}', '${}', '${NAME'].includes(reference) ? '${…' : reference;
    for (const written of [reference, `http://a.example/${reference}`]) {
      expect(problemsOf(withNode({ url: written }), options)).toEqual([
        `chains.mainnet.nodes[0].url must be ${rule}, got ${shown}`,
      ]);
    }
  });

  it('and each reference in a text has its own', () => {
    expect(problemsOf(withNode({ url: 'http://${ONE}/${TWO}' }))).toHaveLength(2);
  });
});

it('reads a file once, however often it is named', () => {
  const read = jest.fn(readFile);
  const url = 'http://${file:/run/keys.json#quick.key}.example/${file:/run/keys.json#quick.key}';
  parse(withNode({ url }), { env, readFile: read });
  expect(read).toHaveBeenCalledTimes(1);
});
