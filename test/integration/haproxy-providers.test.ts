import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket, WebSocketServer } from 'ws';
import { DnsServer } from '../support/dns-server';
import { RawClient } from '../support/load-raw-client';
import { hang, inTurn, ordinary, resetBeforeResponse, ScriptedNode, status } from '../support/scripted-node';
import { TlsNode } from '../support/tls-node';
import { selfSigned } from '../upstream/certificate';
import { ask, HaproxyBed } from './haproxy-bed';
import { eventually } from '../support/eventually';

/**
 * What HAProxy does behind a local port: it dials a provider, with its key, its TLS and its address. Here stands the
 * proxy's place for whoever asks the port.
 */
let bed: HaproxyBed;
let closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.reverse()) await close();
  closing = [];
});

/** Ends it after the test, in the order opposite to that of the start. */
function keep<T extends { close(): Promise<unknown> }>(opened: T): T {
  closing.push(() => opened.close());
  return opened;
}

async function start(...args: Parameters<typeof HaproxyBed.start>): Promise<void> {
  bed = await HaproxyBed.start(...args);
  closing.push(() => bed.stop());
}

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'providers-'));
  closing.push(() => rm(path, { recursive: true }));
  return path;
}

async function writeCa(certificate: { readonly cert: string }): Promise<string> {
  const file = join(await folder(), 'private ca.pem');
  await writeFile(file, certificate.cert);
  return file;
}

describe('the certificate of a provider', () => {
  const certificate = selfSigned('DNS:localhost');

  it('is accepted from a private authority, of one provider or of all', async () => {
    const node = keep(await TlsNode.start(certificate));
    const caFile = await writeCa(certificate);
    const url = `https://localhost:${node.port}/v2/key`;
    await start({ main: { nodes: [{ name: 'a', url, caFile }] } });
    expect((await ask(bed.localUrl('a'), 'eth_call')).result).toBe('0x539');
    await bed.stop();
    bed = await HaproxyBed.start({ main: { nodes: [{ name: 'a', url }] } }, { haproxy: { caFile } });
    expect((await ask(bed.localUrl('a'), 'eth_call')).result).toBe('0x539');
    expect(new Set(node.paths)).toEqual(new Set(['/v2/key']));
    expect(new Set(node.names)).toEqual(new Set(['localhost']));
  });

  it.each([
    ['self-signed', certificate, false],
    ['of another host', selfSigned('DNS:other.example'), true],
    ['of an address', selfSigned('IP:127.0.0.1'), true],
  ])('is refused when it is %s, and no byte of a request is sent', async (_, shown, trusted) => {
    const node = keep(await TlsNode.start(shown));
    const caFile = trusted ? { caFile: await writeCa(shown) } : {};
    await start({ main: { nodes: [{ name: 'a', url: `https://localhost:${node.port}/v2/key`, ...caFile }] } });
    const { status: code, error, headers } = await ask(bed.localUrl('a'), 'eth_call');
    expect([code, error?.code, headers.get('x-not-sent')]).toEqual([503, -32002, '1']);
    expect(headers.get('x-not-sent-reason')).toMatch(
      /^S(SL handshake failure|erver presented an SSL certificate different) .*certificate verify failed/,
    );
    expect(bed.haproxy.output).toMatch(/ a-frontend a-backend\/a .*certificate verify failed/);
    await bed.haproxy.untilServer('rpc-backend/a', 'DOWN');
    expect([node.paths, node.read]).toEqual([[], '']);
    expect(node.refused).toBeGreaterThan(1);
  });
});

describe('a request to a provider', () => {
  it('keeps what is strange in its path, and has the user as its authorization', async () => {
    const node = keep(await ScriptedNode.start());
    const path = `/v2/it's%20"50%"%25[x]$HOME\${x};a,b(c)\\d/?key=%[env(HOME)]&b='"#`
      .replaceAll('${', '{')
      .slice(0, -1);
    const url = `http://us%65r:pa%3Ass@127.0.0.1:${node.port}${path}`;
    await start({ main: { nodes: [{ name: 'a', url }] } });
    await ask(`${bed.localUrl('a')}/else?mine=1`, 'eth_call');
    const { pathname, search } = new URL(url);
    const [sent] = node.callsOf('eth_call');
    expect(sent?.path).toBe(`${pathname}${search}`);
    expect(sent?.headers['authorization']).toBe(`Basic ${Buffer.from('user:pa:ss').toString('base64')}`);
    expect(sent?.headers['host']).toBe(`127.0.0.1:${node.port}`);
  });

  it('goes to the provider whatever host was asked for', async () => {
    const node = keep(await ScriptedNode.start());
    await start({ main: { nodes: [{ name: 'a', url: `${node.url}/key` }] } });
    const client = new RawClient(bed.localUrl('a'));
    const body = '{"jsonrpc":"2.0","id":1,"method":"eth_call"}';
    client.send(
      `POST http://evil.example/x?y HTTP/1.1\r\nhost: evil.example\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    await client.until((received) => received.endsWith('}'));
    client.close();
    expect(node.callsOf('eth_call').map(({ path, headers }) => [path, headers['host']])).toEqual([
      ['/key', `127.0.0.1:${node.port}`],
    ]);
  });

  it('uses a connection again', async () => {
    const node = keep(await ScriptedNode.start());
    await start({ main: { nodes: [{ name: 'a', url: node.url }] } }, { haproxy: { checkIntervalMs: 60_000 } });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let turn = 0; turn < 2; turn++) await postWith(agent, bed.localUrl('a'));
    // And for somebody else.
    await ask(bed.localUrl('a'), 'eth_call');
    agent.destroy();
    expect(new Set(node.callsOf('eth_call').map(({ socketId }) => socketId)).size).toBe(1);
    expect(node.callsOf('eth_call')).toHaveLength(3);
  });

  it('ends when whoever asked leaves', async () => {
    const node = keep(await ScriptedNode.start());
    node.on('eth_call', hang());
    await start({ main: { nodes: [{ name: 'a', url: node.url }] } }, { haproxy: { checkIntervalMs: 60_000 } });
    const leaving = new AbortController();
    const asked = fetch(bed.localUrl('a'), {
      method: 'POST',
      body: '{"id":1,"method":"eth_call"}',
      signal: leaving.signal,
    });
    await node.received('eth_call');
    const { open } = node.connections;
    leaving.abort();
    await expect(asked).rejects.toThrow();
    for (let waited = 0; node.connections.open === open && waited < 3000; waited += 20) await sleep(20);
    expect(node.connections.open).toBe(open - 1);
  });
});

describe('a provider that fails', () => {
  let node: ScriptedNode;
  beforeEach(async () => {
    node = keep(await ScriptedNode.start());
    await start(
      { main: { failover: { deadlineMs: 1 }, nodes: [{ name: 'a', url: node.url }] } },
      { haproxy: { checkIntervalMs: 60_000 } },
    );
  });

  it('by not being there: it was not sent', async () => {
    await node.refuse();
    // On a connection whose end HAProxy has not seen yet, the first may still be sent.
    let answer = await ask(bed.localUrl('a'), 'eth_call');
    if (answer.status === 502) answer = await ask(bed.localUrl('a'), 'eth_call');
    const { status: code, headers, error } = answer;
    expect([code, headers.get('x-not-sent'), error?.code]).toEqual([503, '1', -32002]);
  });

  it('with an answer that claims so: nothing is claimed', async () => {
    node.on('eth_call', status(503, { 'x-not-sent': 1, 'X-Not-Sent': 1 }));
    const { status: code, headers, text } = await ask(bed.localUrl('a'), 'eth_call');
    expect([code, headers.get('x-not-sent'), text]).toEqual([503, null, '503']);
  });

  it('after it read the request: it may have been sent, and is not again', async () => {
    node.on('eth_call', resetBeforeResponse());
    // HAProxy 2.6 says 502 where 3.0 closes the connection without a word; neither is taken for "not sent".
    const answer = await ask(bed.localUrl('a'), 'eth_call').catch((error: unknown) => String((error as Error).cause));
    if (typeof answer === 'string') expect(answer).toContain('other side closed');
    else expect([answer.status, answer.headers.get('x-not-sent'), answer.error?.code]).toEqual([502, null, -32002]);
    expect(node.callsOf('eth_call')).toHaveLength(1);
  });

  it('by silence: above the deadline, and it may have been sent', async () => {
    node.on('eth_call', hang());
    const startedAt = performance.now();
    const { status: code, headers, error } = await ask(bed.localUrl('a'), 'eth_call');
    expect([code, headers.get('x-not-sent'), error?.code]).toEqual([504, null, -32002]);
    expect(performance.now() - startedAt).toBeGreaterThan(4900);
  }, 15_000);

  it('on a connection used before: never claims that it was not sent', async () => {
    // The provider ends every other connection on the request itself, which is when a stale connection shows.
    node.on('eth_call', inTurn(ordinary(), resetBeforeResponse()));
    const agent = new Agent({ keepAlive: true, maxSockets: 4 });
    const outcomes: string[] = [];
    for (let turn = 0; turn < 40; turn++) {
      outcomes.push(
        await postWith(agent, bed.localUrl('a')).catch((error: unknown) => (error as NodeJS.ErrnoException).code ?? ''),
      );
      if (turn % 2 === 1) node.on('eth_call', inTurn(ordinary(), resetBeforeResponse()));
    }
    agent.destroy();
    expect(node.callsOf('eth_call')).toHaveLength(40);
    expect(outcomes.filter((outcome) => outcome === '200')).toHaveLength(20);
    expect(outcomes.filter((outcome) => !['200', '502', 'ECONNRESET'].includes(outcome))).toEqual([]);
  });
});

describe('WebSockets', () => {
  async function echo(): Promise<{ url: string; paths: string[]; hosts: string[] }> {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    const seen = { url: '', paths: [] as string[], hosts: [] as string[] };
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    seen.url = `ws://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
    server.on('connection', (socket, { url, headers }) => {
      seen.paths.push(url ?? '');
      seen.hosts.push(headers.host ?? '');
      socket.on('message', (data: Buffer) => socket.send(data));
    });
    closing.push(async () => {
      for (const client of server.clients) client.terminate();
      await new Promise((resolve) => server.close(resolve));
    });
    return seen;
  }

  /** @returns what came back. @throws Error when the upgrade was refused. */
  async function say(url: string, message: string): Promise<string> {
    const socket = new WebSocket(url.replace('http', 'ws'), { headers: { cookie: 'canary' } });
    try {
      await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
      const answer = new Promise<Buffer>((resolve) => socket.once('message', resolve));
      socket.send(message);
      return (await answer).toString();
    } finally {
      socket.terminate();
    }
  }

  it('have their own host and path, through the local port and the pool', async () => {
    const node = keep(await ScriptedNode.start());
    const sockets = await echo();
    await start({ main: { nodes: [{ name: 'a', url: `${node.url}/http-key`, wsUrl: `${sockets.url}/ws-key?x=1` }] } });
    expect(await say(bed.localUrl('a'), 'one')).toBe('one');
    expect(await say(bed.url, 'two')).toBe('two');
    expect(await say(`${bed.url}/main`, 'three')).toBe('three');
    expect(sockets.paths).toEqual(['/ws-key?x=1', '/ws-key?x=1', '/ws-key?x=1']);
    expect(new Set(sockets.hosts)).toEqual(new Set([new URL(sockets.url).host]));
    expect((await ask(bed.url, 'eth_call')).status).toBe(200);
    expect(node.callsOf('eth_call').map(({ path }) => path)).toEqual(['/http-key']);
  });

  it('go to the nodes of the pool that take them', async () => {
    const nodes = [keep(await ScriptedNode.start()), keep(await ScriptedNode.start())];
    const sockets = await echo();
    const [without, having] = nodes.map(({ url }) => url);
    await start({
      main: {
        nodes: [
          { name: 'without', url: without ?? '' },
          { name: 'having', url: having ?? '', wsUrl: sockets.url },
        ],
      },
      other: { chainId: 10, nodes: [{ name: 'without', url: without ?? '' }] },
    });
    for (let turn = 0; turn < 4; turn++) expect(await say(bed.url, `${turn}`)).toBe(`${turn}`);
    await expect(say(bed.localUrl('without'), '')).rejects.toThrow('501');
    await expect(say(`${bed.url}/other`, '')).rejects.toThrow('501');
    expect(nodes[0]?.requests.every(({ method }) => method === 'eth_chainId')).toBe(true);
    // A node that is down takes none either: its checks count here too.
    await nodes[1]?.refuse();
    await bed.haproxy.untilServer('rpc-backend-main.ws/having', 'DOWN');
    await expect(say(bed.url, '')).rejects.toThrow('503');
  });
});

describe('the address of a provider', () => {
  let dns: DnsServer;
  let node: ScriptedNode;

  beforeEach(async () => {
    dns = keep(await DnsServer.start());
    node = keep(await ScriptedNode.start());
    await start(
      { main: { nodes: [{ name: 'a', url: `http://provider.eth-rpc-balancer.test:${node.port}` }] } },
      { haproxy: { nameservers: [`127.0.0.1:${dns.port}`] } },
    );
    // Only faster.
    const text = bed.text
      .replace('timeout resolve 5s', 'timeout resolve 500ms')
      .replace('timeout retry 1s', 'timeout retry 200ms');
    expect(text).not.toBe(bed.text);
    await bed.haproxy.reload(text);
  });

  it('need not be known at the start, is followed, and kept when the name server fails', async () => {
    const name = 'provider.eth-rpc-balancer.test';
    await bed.haproxy.untilServer('rpc-backend/a', 'DOWN');
    const unknown = await ask(bed.localUrl('a'), 'eth_call');
    expect([unknown.status, unknown.headers.get('x-not-sent')]).toEqual([503, '1']);

    dns.addresses.set(name, '127.0.0.1');
    await bed.haproxy.untilServer('rpc-backend/a', 'UP');
    expect((await ask(bed.localUrl('a'), 'eth_call')).status).toBe(200);

    // Nobody listens there. Connections that are open stay good, so these are ended.
    dns.addresses.set(name, '127.0.0.2');
    const moved = async (): Promise<boolean> =>
      (await bed.haproxy.command('show servers state')).includes(' 127.0.0.2 ');
    await eventually(moved);
    await node.refuse();
    await node.accept();
    await bed.haproxy.untilServer('rpc-backend/a', 'DOWN');
    dns.addresses.set(name, '127.0.0.1');
    await bed.haproxy.untilServer('rpc-backend/a', 'UP');

    dns.addresses.delete(name);
    await sleep(1500);
    dns.answers = false;
    await sleep(3000);
    expect((await ask(bed.localUrl('a'), 'eth_call')).status).toBe(200);
    expect((await bed.haproxy.stat()).get('a-backend/a')?.['status']).toBe('no check');
  }, 60_000);
});

describe('the key of a provider', () => {
  const CANARIES = ['canary-path', 'canary-query', 'canary-user', 'canary-password', 'canary-ws'];

  it('is in no log, no statistics, no metric and no answer', async () => {
    const node = keep(await ScriptedNode.start());
    const url = node.url.replace('//', '//canary-user:canary-password@');
    const wsUrl = `${node.url.replace('http', 'ws')}/canary-ws`;
    await start({ main: { nodes: [{ name: 'a', url: `${url}/v2/canary-path?key=canary-query`, wsUrl }] } });
    const secrets = [...CANARIES, Buffer.from('canary-user:canary-password').toString('base64')];
    expect(secrets.filter((secret) => !bed.text.includes(secret))).toEqual(['canary-user', 'canary-password']);

    const said: string[] = [];
    const listen = async (url: string, path = ''): Promise<void> => {
      const response = await fetch(url + path);
      said.push(JSON.stringify([...response.headers]), await response.text());
    };
    const askAll = async (): Promise<void> => {
      for (const to of [bed.url, bed.localUrl('a')]) {
        // Where a node breaks off, HAProxy may do so too.
        const reply = await ask(to, 'eth_call').catch(String);
        said.push(typeof reply === 'string' ? reply : `${reply.text} ${JSON.stringify([...reply.headers])}`);
      }
    };
    await askAll();
    node.on('eth_call', status(301, { location: `${url}/v2/canary-path?key=canary-query` }, ''));
    await askAll();
    node.on('eth_call', ({ socket }) => void socket.end('HTTP/1.1 what\r\n\r\n'));
    await askAll();
    node.on('eth_call', resetBeforeResponse());
    await askAll();
    node.on('eth_getLogs', hang());
    const leaving = new AbortController();
    const pending = fetch(bed.localUrl('a'), {
      method: 'POST',
      body: '{"id":1,"method":"eth_getLogs"}',
      signal: leaving.signal,
    });
    await node.received('eth_getLogs');
    for (const command of [
      'show stat',
      'show info',
      'show servers state',
      'show servers conn',
      'show sess',
      'show sess all',
      'show errors',
      'show env',
      'show activity',
    ]) {
      const answer = await bed.haproxy.command(command);
      expect(answer).not.toContain('Unknown command');
      said.push(answer);
    }
    for (const path of ['/', '/;csv', '/;json', '/metrics']) await listen(bed.statsUrl, path);
    leaving.abort();
    await expect(pending).rejects.toThrow();
    await node.refuse();
    await askAll();
    await bed.haproxy.untilServer('rpc-backend/a', 'DOWN');
    said.push(bed.haproxy.output);

    expect(said.join('\n')).toContain('haproxy_server_status');
    expect(said.join('\n')).toContain('a-frontend a-backend/a');
    expect(secrets.filter((secret) => said.join('\n').includes(secret))).toEqual([]);
  });
});

it('the admin socket may be a file for its group only', async () => {
  const node = keep(await ScriptedNode.start());
  const adminSocket = join(await folder(), 'admin.sock');
  await start(
    { main: { nodes: [{ name: 'a', url: node.url }] } },
    { haproxy: { adminSocket, socketGid: process.getgid?.() ?? 0 } },
  );
  expect((await bed.haproxy.stat()).get('rpc-backend/a')?.['weight']).toBe('100');
  const { mode, gid } = await stat(adminSocket);
  expect([mode & 0o777, gid]).toEqual([0o660, process.getgid?.() ?? 0]);
  await bed.haproxy.reload();
  expect((await bed.haproxy.stat()).get('rpc-backend/a')?.['weight']).toBe('100');
});

/** The status, by a client whose connections are its own. */
function postWith(agent: Agent, url: string): Promise<string> {
  const body = '{"jsonrpc":"2.0","id":1,"method":"eth_call","params":[]}';
  return new Promise((resolve, reject) => {
    request(url, { method: 'POST', agent, headers: { 'content-length': body.length } }, (response) => {
      const { statusCode, headers } = response;
      response
        .resume()
        .once('end', () => resolve(`${statusCode}${headers['x-not-sent'] === undefined ? '' : ' not sent'}`));
    })
      .once('error', reject)
      .end(body);
  });
}
