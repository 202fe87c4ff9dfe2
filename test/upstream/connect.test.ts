import { createServer as createTcpServer, type LookupFunction, type Server, type Socket } from 'node:net';
import tls from 'node:tls';
import { createConnector } from '../../runtime/upstream/connect';
import { NodeError } from '../../runtime/upstream/errors';
import { synBlackHole } from '../support/scripted-black-hole';
import { selfSigned } from './certificate';

/**
 * Defects repaired here: a metadata address was refused only after the connection to it was made; a TLS connection that
 * was closed in its handshake counted as no connection.
 */
type Ended = { readonly socket: Socket } | { readonly error: NodeError };

function dial(url: string, timeoutMs = 1000, lookup?: LookupFunction): Promise<Ended> {
  const { hostname, protocol, port } = new URL(url);
  const connect = createConnector({ node: 'n', timeoutMs, ...(lookup && { lookup }) });
  return new Promise((resolve) => {
    connect({ hostname, protocol, port }, (...[error, socket]) => {
      if (error === null) resolve({ socket });
      else if (error instanceof NodeError) resolve({ error });
      else throw error;
    });
  });
}

async function failure(...args: Parameters<typeof dial>): Promise<NodeError> {
  const ended = await dial(...args);
  if ('error' in ended) return ended.error;
  ended.socket.destroy();
  throw new Error('it connected');
}

const servers: Server[] = [];
async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as { port: number }).port;
}

function tlsServer(altName: Parameters<typeof selfSigned>[0]): tls.Server {
  const server = tls.createServer(selfSigned(altName), (socket) => socket.on('error', () => undefined));
  return server.on('tlsClientError', () => undefined);
}

/** As a resolver that gives these addresses for every name. */
function resolvingTo(...addresses: readonly string[]): LookupFunction {
  return (_, options, callback) => {
    const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    const [first] = found;
    if (options.all === true) callback(null, found);
    else callback(null, first?.address ?? '', first?.family);
  };
}

afterEach(async () => {
  jest.restoreAllMocks();
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

describe('createConnector', () => {
  it('connects, also by name', async () => {
    const port = await listen(createTcpServer((socket) => socket.on('error', () => undefined).resume()));
    for (const ended of [
      await dial(`http://127.0.0.1:${port}`),
      await dial(`http://node.example:${port}`, 1000, resolvingTo('127.0.0.1')),
    ]) {
      if ('error' in ended) throw ended.error;
      ended.socket.destroy();
    }
  });

  it.each(['169.254.169.254', '169.254.170.2', '[fe80::1]', '[fd00:ec2::254]', '[::ffff:169.254.169.254]'])(
    'never dials %s',
    async (address) => {
      expect(await failure(`http://${address}:80`)).toMatchObject({ code: 'FORBIDDEN_ADDRESS', sent: false });
    },
  );

  it.each([
    ['only to a metadata address', ['169.254.169.254']],
    ['to one besides a good one', ['127.0.0.1', '169.254.169.254']],
    ['to IPv4 in IPv6', ['::ffff:169.254.169.254']],
    ['to that of IPv6', ['fd00:ec2::254']],
  ])('never dials a name that resolves %s', async (_, addresses) => {
    let dialled = 0;
    const port = await listen(createTcpServer(() => dialled++));
    for (const scheme of ['http', 'https']) {
      const error = await failure(`${scheme}://node.example:${port}`, 1000, resolvingTo(...addresses));
      expect(error).toMatchObject({ code: 'FORBIDDEN_ADDRESS', sent: false, ejects: true });
      expect(error.message).not.toMatch(/169|fd00/);
    }
    expect(dialled).toBe(0);
  });

  it('tells a name that does not resolve', async () => {
    const unknown: LookupFunction = (_name, _options, callback) =>
      callback(Object.assign(new Error('getaddrinfo ENOTFOUND node.example'), { code: 'ENOTFOUND' }), '');
    expect(await failure('http://node.example', 1000, unknown)).toMatchObject({
      code: 'CONNECT_FAILED',
      message: 'n refused the connection (ENOTFOUND)',
    });
  });

  it('tells a refused connection, and one that is never answered', async () => {
    const port = await listen(createTcpServer());
    await new Promise((resolve) => servers.pop()?.close(resolve));
    expect(await failure(`http://127.0.0.1:${port}`)).toMatchObject({ code: 'CONNECT_FAILED', sent: false });
    const hole = await synBlackHole();
    expect(await failure(hole.url, 100)).toMatchObject({
      code: 'CONNECT_TIMEOUT',
      message: 'n completed no connection within 100 ms',
      sent: false,
    });
    await hole.close();
  });

  it('refuses a certificate that its node signed itself', async () => {
    const port = await listen(tlsServer('IP:127.0.0.1'));
    expect(await failure(`https://127.0.0.1:${port}`)).toMatchObject({
      code: 'TLS_FAILED',
      message: 'n failed the TLS handshake (DEPTH_ZERO_SELF_SIGNED_CERT)',
      sent: false,
    });
  });

  it('takes a certificate of an authority it trusts, and refuses it for another name', async () => {
    const { key, cert } = selfSigned('DNS:node.example');
    const server = tls.createServer({ key, cert }, (socket) => socket.on('error', () => undefined).resume());
    const port = await listen(server.on('tlsClientError', () => undefined));
    const create = tls.createSecureContext.bind(tls);
    jest.spyOn(tls, 'createSecureContext').mockImplementation((options) => create({ ...options, ca: [cert] }));
    const lookup = resolvingTo('127.0.0.1');
    const good = await dial(`https://node.example:${port}`, 1000, lookup);
    if ('error' in good) throw good.error;
    good.socket.destroy();
    for (const url of [`https://other.example:${port}`, `https://127.0.0.1:${port}`]) {
      expect(await failure(url, 1000, lookup)).toMatchObject({
        code: 'TLS_FAILED',
        message: expect.stringContaining('ERR_TLS_CERT_ALTNAME_INVALID') as string,
      });
    }
  });

  it('tells a handshake that is closed, and one that never ends', async () => {
    const closing = await listen(createTcpServer((socket) => socket.once('data', () => socket.destroy())));
    expect(await failure(`https://127.0.0.1:${closing}`)).toMatchObject({ code: 'TLS_FAILED', sent: false });
    const silent = await listen(createTcpServer((socket) => socket.on('error', () => undefined).resume()));
    expect(await failure(`https://127.0.0.1:${silent}`, 50)).toMatchObject({
      code: 'CONNECT_TIMEOUT',
      message: 'n completed no TLS handshake within 200 ms',
    });
  });
});
