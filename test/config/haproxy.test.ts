import { chain, minimal, parse, problemsOf, withNode } from './parse';

const NODE = 'chains.mainnet.nodes[0]';

describe('the admin socket', () => {
  it.each(['127.0.0.1:9999', '127.8.7.6:1', '[::1]:65535', '/run/haproxy/admin.sock', '/a'])(
    'may be %s',
    (adminSocket) => {
      expect(parse(minimal({ haproxy: { adminSocket } })).haproxy.adminSocket).toBe(adminSocket);
    },
  );

  it.each([
    '0.0.0.0:9999',
    '*:9999',
    ':9999',
    '10.0.0.1:9999',
    '[::]:9999',
    '[::ffff:10.0.0.1]:9999',
    'localhost:9999',
    '127.0.0.1',
    '127.0.0.1:0',
    '127.0.0.1:65536',
    '127.1:9999',
    '::1:9999',
    'run/admin.sock',
    '/run/',
    '/run/a b',
    '/run/$HOME',
    '/run/a@b',
    `/${'a'.repeat(90)}`,
    '',
  ])('may not be %j, which others could reach or HAProxy would not take', (adminSocket) => {
    const [problem, ...others] = problemsOf(minimal({ haproxy: { adminSocket } }));
    expect(problem).toContain('haproxy.adminSocket must be a loopback address and port such as 127.0.0.1:9999, or the');
    expect(others).toEqual([]);
  });

  it('belongs to a group only as a unix socket', () => {
    const adminSocket = '/run/haproxy/admin.sock';
    expect(parse(minimal({ haproxy: { adminSocket, socketGid: 10_001 } })).haproxy.socketGid).toBe(10_001);
    expect(problemsOf(minimal({ haproxy: { socketGid: 10_001 } }))).toEqual([
      'haproxy.socketGid must be used together with the path of a unix socket in haproxy.adminSocket, got no path',
    ]);
  });
});

describe('ports of HAProxy', () => {
  const usesHaproxy = (keys: Readonly<Record<string, unknown>>, localPort = 8001): Record<string, unknown> => ({
    ...withNode({ localPort }),
    ...keys,
  });

  it.each([
    [
      usesHaproxy({ listen: { port: 8000 } }),
      'haproxy.pool.port must be a port of its own (listen.port has it too), got 8000 (the default)',
    ],
    [
      usesHaproxy({ admin: { port: 8404 } }),
      'haproxy.stats.port must be a port of its own (admin.port has it too), got 8404 (the default)',
    ],
    [
      usesHaproxy({ haproxy: { pool: { port: 8404 } } }),
      'haproxy.stats.port must be a port of its own (haproxy.pool.port has it too), got 8404 (the default)',
    ],
    [
      usesHaproxy({ listen: { port: 9999 } }),
      'haproxy.adminSocket must be a port of its own (listen.port has it too), got "127.0.0.1:9999" (the default)',
    ],
    [usesHaproxy({}, 8000), `${NODE}.localPort must be a port of its own (haproxy.pool.port has it too), got 8000`],
    [usesHaproxy({}, 9999), `${NODE}.localPort must be a port of its own (haproxy.adminSocket has it too), got 9999`],
    [
      minimal({ haproxy: { pool: { port: 9090 } } }),
      'haproxy.pool.port must be a port of its own (admin.port has it too), got 9090',
    ],
    [minimal({ haproxy: { pool: { port: 0 } } }), 'haproxy.pool.port must be a whole number from 1 to 65535, got 0'],
  ])('are refused where they are taken: %j', (document, problem) => {
    expect(problemsOf(document)).toEqual([problem]);
  });

  it('count only where HAProxy has something to do', () => {
    expect(parse(minimal({ listen: { port: 8000 }, admin: { port: 9999 } })).listen.port).toBe(8000);
  });

  it('leave a unix socket out', () => {
    const haproxy = { adminSocket: '/run/haproxy/admin.sock' };
    expect(parse(usesHaproxy({ haproxy, listen: { port: 9999 } })).listen.port).toBe(9999);
  });
});

describe('values HAProxy could not use', () => {
  it.each([
    [{ caFile: 'ca.pem' }, 'haproxy.caFile must be the absolute path of a file, got "ca.pem"'],
    [{ caFile: '/etc/ca\n.pem' }, String.raw`haproxy.caFile must be the absolute path of a file, got "/etc/ca\n.pem"`],
    [{ nameservers: [] }, 'haproxy.nameservers must be a list of addresses with at least 1, got an empty list'],
    [
      { nameservers: ['dns.example'] },
      'haproxy.nameservers[0] must be an IP address, with or without a port ([address]:port for IPv6), got "dns.example"',
    ],
    [{ maxConnections: 29 }, 'haproxy.maxConnections must be a whole number from 30 to 1000000, got 29'],
    [{ checkIntervalMs: 99 }, 'haproxy.checkIntervalMs must be a whole number from 100 to 3600000, got 99'],
  ])('%j', (haproxy, problem) => {
    expect(problemsOf(minimal({ haproxy }))).toEqual([problem]);
  });

  it.each(['10.0.0.10', '10.0.0.10:5353', '2001:db8::53', '[2001:db8::53]:5353'])(
    'takes the name server %s',
    (address) => {
      expect(parse(minimal({ haproxy: { nameservers: [address] } })).haproxy.nameservers).toEqual([address]);
    },
  );

  it.each([
    [
      'https://192.0.2.1/canary',
      'a URL with a host name where TLS is spoken, because HAProxy cannot verify the certificate of an address, got https://192.0.2.1/…',
    ],
    [
      'https://[2001:db8::1]:8545/canary',
      'a URL with a host name where TLS is spoken, because HAProxy cannot verify the certificate of an address, got https://[2001:db8::1]:8545/…',
    ],
    [
      'https://p.example/canary#canary',
      'a URL without # (write %23 where it belongs to the key), got https://p.example/…',
    ],
    ["https://p'.example/canary", "a URL whose host is a plain name or an IP address, got https://p'.example/…"],
    ['https://p,x/canary', 'a URL whose host is a plain name or an IP address, got https://p,x/…'],
  ])('refuses the provider %s', (url, rule) => {
    expect(problemsOf(withNode({ localPort: 8001, provider: { url } }))).toEqual([
      `${NODE}.provider.url must be ${rule}`,
    ]);
  });

  it('takes providers as they are, also what only the render command can expand', () => {
    const provider = {
      url: 'https://u:p@p.example:8443/${file:/run/secrets/providers.json#quicknode.key}?k=${KEY}',
      wsUrl: 'ws://[2001:db8::1]:8546/',
      caFile: '${CA_FILE}',
    };
    expect(parse(withNode({ localPort: 8001, provider })).chains['mainnet']?.nodes[0]?.provider).toEqual(provider);
  });
});

it('refuses a relative file of authorities for one provider', () => {
  const document = {
    chains: {
      mainnet: chain({
        nodes: [{ name: 'a', localPort: 8001, provider: { url: 'https://p.example', caFile: 'ca.pem' } }],
      }),
    },
  };
  expect(problemsOf(document)).toEqual([`${NODE}.provider.caFile must be the absolute path of a file, got (hidden)`]);
});
