import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { maskConfig } from '../../runtime/config/mask';
import { readCertificates } from '../../runtime/redis/certificates';
import { selfSigned } from '../upstream/certificate';
import { minimal, parse, problemsOf } from './parse';

const redis = (section: Record<string, unknown>) => minimal({ redis: section });

/** What is written, and how its one problem begins and ends. */
const REFUSED: readonly (readonly [section: Record<string, unknown>, path: string, got: string])[] = [
  [{}, 'redis.url', 'got nothing'],
  [{ url: 'http://redis.example' }, 'redis.url', 'got http://redis.example/…'],
  [{ url: 'redis://' }, 'redis.url', 'got (hidden)'],
  [{ url: 'redis://redis.example:0' }, 'redis.url', 'got redis://redis.example:0/…'],
  [{ url: 'redis://redis.example/one' }, 'redis.url', 'got redis://redis.example/…'],
  [{ url: 'redis://redis.example?db=1' }, 'redis.url', 'got redis://redis.example/…'],
  // What stands before an unwritten %2F ends the host too early, and the rest would be shown for it.
  [{ url: 'redis://:can@ary/canary@redis.example:6379' }, 'redis.url', 'got (hidden)'],
  [{ url: 'redis://:can%ary@redis.example' }, 'redis.url', 'got redis://redis.example/…'],
  // A password of digits only is a number to YAML.
  [{ url: 'redis://redis.example', password: 123_456_789 }, 'redis.password', 'got a hidden value that is no text'],
  [{ url: 'redis://redis.example', password: ['canary'] }, 'redis.password', 'got a hidden value that is no text'],
  [{ url: 'redis://redis.example', password: '' }, 'redis.password', 'got (hidden)'],
  [{ url: 'redis://u:canary@redis.example', password: 'canary' }, 'redis.password', 'got both'],
  [{ url: 'redis://u@redis.example', username: 'v' }, 'redis.username', 'got both'],
  [{ url: 'redis://redis.example', caFile: '/ca.pem' }, 'redis.caFile', 'got a URL without TLS'],
  [{ url: 'redis://redis.example', keyPrefix: 'a b' }, 'redis.keyPrefix', 'got "a b"'],
  [{ url: 'redis://redis.example', cluster: true }, 'redis.cluster', 'got "cluster"'],
];

it.each(REFUSED)('%j is refused at %s, %s', (section, path, got) => {
  const problems = problemsOf(redis(section));
  expect(problems).toHaveLength(1);
  expect(problems[0]?.startsWith(`${path} must be `)).toBe(true);
  expect(problems[0]?.endsWith(got)).toBe(true);
  expect(problems.join()).not.toMatch(/canary|123456789/);
});

it('is shown without its secrets', () => {
  const { redis: shown } = maskConfig(
    parse(redis({ url: 'rediss://redis.example:6380/1', username: 'u', password: 'canary' })),
  ) as { redis: unknown };
  expect(shown).toEqual({
    url: 'rediss://redis.example:6380/…',
    username: 'u',
    password: '(hidden)',
    keyPrefix: 'rpc-balancer:',
    connectTimeoutMs: 1000,
  });
  const inUrl = parse(redis({ url: 'redis://u:canary@redis.example' }));
  expect(stringify(maskConfig(inUrl))).not.toContain('canary');
});

describe('a file of certificate authorities', () => {
  const file = join(tmpdir(), `ca-${process.pid}.pem`);
  const { cert } = selfSigned('DNS:redis.example');

  it('is read', () => {
    writeFileSync(file, `# ours\n${cert}`);
    expect(readCertificates(file)).toContain(cert);
  });

  it.each([
    ['a file without any', 'garbage'],
    ['a file without any', cert.slice(0, 100)],
    ['one that cannot be read', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'],
  ])('that holds %s is refused', (got, text) => {
    writeFileSync(file, text);
    expect(() => readCertificates(file)).toThrow(`redis.caFile must be a file of certificates (PEM), got ${got}`);
  });

  it('that is not there is refused', () => {
    expect(() => readCertificates(`${file}.gone`)).toThrow('got ENOENT');
  });
});
