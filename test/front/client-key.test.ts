import fc from 'fast-check';
import { createClientKey } from '../../runtime/front/client-key';

const BALANCER = '10.0.0.7';
const clientKey = createClientKey(['10.0.0.0/8', '2001:db8:aaaa::/48']);
const keyOf = (peer: string, xff?: string | string[]): string => clientKey(peer, xff).key;

describe('a peer that is no proxy of ours', () => {
  const FORGED: (string | string[])[] = [
    '10.0.0.1',
    '1.2.3.4, 5.6.7.8',
    '127.0.0.1',
    '[::1]:80',
    '::ffff:10.0.0.1',
    '10.0.0.1:443, 10.0.0.2',
    ['192.0.2.1', '192.0.2.2'],
    'unknown, "for=1.1.1.1"',
    ',,,',
    '9.9.9.9,'.repeat(2000),
    '',
  ];

  test('is itself, whatever X-Forwarded-For it sends', () => {
    const keys = new Set(FORGED.map((xff) => keyOf('203.0.113.7', xff)));
    expect(keys).toEqual(new Set(['203.0.113.7']));
    expect(clientKey('203.0.113.7', '10.0.0.1').trustedPeer).toBe(false);
  });

  test('is found behind the trusted proxy that appends its address, whatever it sends', () => {
    const appended = FORGED.map((xff) => (typeof xff === 'string' ? `${xff}, 203.0.113.7` : [...xff, '203.0.113.7']));
    expect(new Set(appended.map((xff) => keyOf(BALANCER, xff)))).toEqual(new Set(['203.0.113.7']));
  });

  test('is itself when nobody is trusted', () => {
    expect(createClientKey([])('10.0.0.7', '203.0.113.7').key).toBe('10.0.0.7');
  });
});

describe('X-Forwarded-For of a trusted peer', () => {
  test.each<[string, string | string[] | undefined, string]>([
    ['absent', undefined, BALANCER],
    ['the entry furthest right that is not trusted', '1.1.1.1, 203.0.113.7', '203.0.113.7'],
    ['trusted hops are passed over', '1.1.1.1, 203.0.113.7, 10.9.9.9,10.0.0.8', '203.0.113.7'],
    ['only trusted hops: the one furthest left', '10.1.1.1, 10.2.2.2', '10.1.1.1'],
    ['a port', '203.0.113.7:51234', '203.0.113.7'],
    ['brackets', '[2001:db8:1:2::9]', '2001:db8:1:2::/64'],
    ['brackets and a port', '[2001:db8:1:2::9]:443', '2001:db8:1:2::/64'],
    ['bare IPv6', '2001:DB8:1:2:0:0:0:9', '2001:db8:1:2::/64'],
    ['a zone', 'fe80::1%eth0', 'fe80::/64'],
    ['a zone in brackets with a port', '[fe80::1%eth0]:80', 'fe80::/64'],
    ['IPv4-mapped IPv6 is IPv4', '::ffff:203.0.113.7', '203.0.113.7'],
    ['IPv4-mapped IPv6 in hexadecimal', '[::ffff:cb00:7107]:1', '203.0.113.7'],
    ['a trusted hop as IPv4-mapped IPv6', '203.0.113.7, ::ffff:10.0.0.1', '203.0.113.7'],
    ['a trusted IPv6 hop', '203.0.113.7, 2001:db8:aaaa:1::5', '203.0.113.7'],
    ['many lines are one list', ['1.1.1.1', '203.0.113.7', '10.0.0.9'], '203.0.113.7'],
    ['empty entries are skipped', ' , 203.0.113.7 , ,', '203.0.113.7'],
    ['garbage: the last good hop', '203.0.113.7, nonsense, 10.3.3.3', '10.3.3.3'],
    ['garbage at once: the peer', '203.0.113.7, nonsense', BALANCER],
    ['octal is garbage', '0313.0.0161.7', BALANCER],
    ['a number is garbage', '3405803783', BALANCER],
    ['a shortened address is garbage', '203.7', BALANCER],
    ['an unclosed bracket is garbage', '[2001:db8::1', BALANCER],
    ['a name is garbage', '__proto__', BALANCER],
  ])('%s', (_what, xff, expected) => {
    expect(keyOf(BALANCER, xff)).toBe(expected);
    expect(clientKey(BALANCER, xff).trustedPeer).toBe(true);
  });

  test('is read for 32 hops at most', () => {
    expect(keyOf(BALANCER, `203.0.113.7${', 10.0.0.1'.repeat(31)}`)).toBe('203.0.113.7');
    expect(keyOf(BALANCER, `203.0.113.7${', 10.0.0.1'.repeat(32)}`)).toBe('10.0.0.1');
    expect(keyOf(BALANCER, `203.0.113.7${','.repeat(1e6)}`)).toBe(BALANCER);
    expect(keyOf(BALANCER, `203.0.113.7,${'1'.repeat(1e6)}`)).toBe(BALANCER);
  });
});

describe('a client', () => {
  test('is a /64 in IPv6, and its address stays known', () => {
    const one = clientKey('2001:db8:1:2:3:4:5:6', undefined);
    expect(one).toEqual({
      address: '2001:db8:1:2:3:4:5:6',
      bytes: Uint8Array.from([0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 2]),
      key: '2001:db8:1:2::/64',
      trustedPeer: false,
    });
    expect(keyOf('2001:db8:1:2::')).toBe(one.key);
    expect(keyOf('2001:db8:1:3::')).not.toBe(one.key);
  });

  test('is the four bytes of an IPv4 address, also on a socket of both families', () => {
    const plain = clientKey('203.0.113.7', undefined);
    expect(plain.bytes).toEqual(Uint8Array.from([203, 0, 113, 7]));
    expect(clientKey('::ffff:203.0.113.7', undefined)).toEqual(plain);
  });

  test('without an address is one client for all, and never trusted', () => {
    const everywhere = createClientKey(['0.0.0.0/0', '::/0']);
    expect(everywhere('', '203.0.113.7')).toMatchObject({ key: 'unknown', trustedPeer: false });
    expect(everywhere('not an address', undefined).bytes).toHaveLength(0);
  });

  test('is the same one after thousands of others, with the same trust', () => {
    const first = clientKey(BALANCER, '203.0.113.7');
    for (let i = 0; i < 5000; i++) clientKey(`198.51.${i >> 8}.${i & 255}`, undefined);
    expect(clientKey(BALANCER, '203.0.113.7')).toEqual(first);
    expect(clientKey('203.0.113.7', undefined)).toEqual({ ...first, trustedPeer: false });
  });

  test('any header text is read without an exception', () => {
    const piece = fc.oneof(fc.string(), fc.ipV4(), fc.ipV6(), fc.constantFrom('[', ']', ':', '%', '/', ',', ', '));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const { key, bytes } = clientKey(BALANCER, pieces.join(''));
        expect(bytes).toHaveLength(key.endsWith('/64') ? 8 : 4);
      }),
    );
  });
});

describe('trusted networks', () => {
  test.each([
    ['::ffff:10.0.0.0/104', '10.200.0.1', true],
    ['10.1.2.3', '10.1.2.3', true],
    ['10.1.2.3', '10.1.2.4', false],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['::/0', '10.0.0.1', false],
    ['2001:db8::/33', '2001:db8:7fff::1', true],
    ['2001:db8::/33', '2001:db8:8000::1', false],
  ])('%s and the peer %s: %s', (cidr, peer, trusted) => {
    expect(createClientKey([cidr])(peer, undefined).trustedPeer).toBe(trusted);
  });

  test.each(['', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/-1', '10.0/8', 'alb', '::/129', '10.0.0.0/8/8', 'fe80::%1/64'])(
    'refuses %j',
    (cidr) => {
      expect(() => createClientKey([cidr])).toThrow(/^trustedProxies must hold networks such as .*, got "/);
    },
  );
});
