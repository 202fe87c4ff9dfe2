import { eventually } from '../support/eventually';
import { RawClient } from '../support/load-raw-client';
import { RedisProcess } from '../support/redis-process';
import { error, result } from '../support/scripted-node';
import { ScriptedSocket } from '../support/scripted-socket';
import { anyAddress, entry, heldAnswers, oneChain, ReloadBed } from './reload-bed';

let bed: ReloadBed;

beforeEach(() => {
  bed = new ReloadBed();
});

afterEach(() => bed.close());

/** Reads that no cache answers. */
async function ask(times: number, path = '/'): Promise<void> {
  for (let i = 0; i < times; i++) await bed.proxy.call('eth_getCode', [anyAddress(), 'latest'], path);
}

const allUp = () => bed.proxy.until(({ chains }) => chains[0]?.nodes.every(({ health }) => health === 'up') === true);

describe('nodes', () => {
  it('come and go by name, and who stays keeps connections and health', async () => {
    const [a, b, c] = [await bed.node('a'), await bed.node('b'), await bed.node('c')];
    await bed.start(oneChain([entry(a), entry(b)]));
    await allUp();
    await ask(10);
    const { since, latencyMs } = await bed.proxy.node('a');
    const { opened } = a.connections;

    const line = await bed.put(oneChain([entry(a), entry(c)]));
    expect(line).toMatchObject({ level: 'info', nodesAdded: ['main/c'], nodesRemoved: ['main/b'] });
    await bed.proxy.untilNode('c', ({ health }) => health === 'up');
    const asked = b.requests.length;
    await ask(20);
    expect(c.callsOf('eth_getCode').length).toBeGreaterThan(0);
    expect(b.requests.length).toBe(asked);
    await eventually(() => b.connections.open === 0);
    expect(a.connections.opened).toBe(opened);
    expect((await bed.proxy.node('a')).since).toBe(since);
    expect(latencyMs).toBeGreaterThan(0);
    const metrics = await bed.proxy.metrics();
    expect(metrics).toContain('node="a"');
    expect(metrics).not.toContain('node="b"');
  });

  it('are not asked for filters by the ids that another of their name gave', async () => {
    const [a, b] = [await bed.node('a'), await bed.node('b')];
    await bed.start(oneChain([entry(a, { name: 'n' })]));
    await allUp();
    const id = await bed.proxy.call('eth_newPendingTransactionFilter');
    await bed.proxy.call('eth_getFilterChanges', [id]);
    expect(a.callsOf('eth_getFilterChanges')).toHaveLength(1);

    await bed.put(oneChain([entry(b, { name: 'n' })]));
    await allUp();
    // It counts its ids from the same one on, so it would tell what somebody else asked it for.
    expect(await bed.proxy.call('eth_getFilterChanges', [id])).toEqual([]);
    expect(b.callsOf('eth_newPendingTransactionFilter')).toHaveLength(1);
    expect(b.callsOf('eth_getFilterChanges')).toEqual([]);
    expect(await bed.proxy.metric('rpc_balancer_filters_lost_total', { kind: 'pending' })).toBe(1);
  });

  it('finish what they were asked before they were removed', async () => {
    const [a, b] = [await bed.node('a'), await bed.node('b')];
    const held = heldAnswers();
    a.on('eth_getCode', held.behaviour);
    await bed.start(oneChain([entry(a)]));
    await allUp();
    const address = anyAddress();
    const early = bed.proxy.call('eth_getCode', [address, 'latest']);
    await a.received('eth_getCode');

    await bed.put(oneChain([entry(b)]));
    await ask(5);
    expect(b.callsOf('eth_getCode')).toHaveLength(5);
    held.release();
    expect(String(await early)).toContain(address.slice(2));
    expect(b.callsOf('eth_getCode')).toHaveLength(5);
    await eventually(() => a.connections.open === 0);
    expect(await bed.proxy.metric('rpc_balancer_exceptions_total')).toBe(0);
  });

  it('take other weights, tiers and bounds as they are', async () => {
    const [a, b] = [await bed.node('a'), await bed.node('b')];
    await bed.start(oneChain([entry(a), entry(b)]));
    await allUp();
    const { since } = await bed.proxy.node('b');
    expect(await bed.put(oneChain([entry(a), entry(b, { tier: 1, weight: 2 })]))).toMatchObject({
      nodesChanged: ['main/b'],
    });
    const asked = b.callsOf('eth_getCode').length;
    await ask(20);
    expect(b.callsOf('eth_getCode')).toHaveLength(asked);
    expect(await bed.proxy.node('b')).toMatchObject({ tier: 1, weight: 2, since });
  });

  it('are others at another address, and probed before they serve', async () => {
    const [a, b, c] = [await bed.node('a'), await bed.node('b'), await bed.node('c', { chainId: 5 })];
    await bed.start(oneChain([entry(a), entry(b)]));
    await allUp();
    expect(await bed.put(oneChain([entry(a), entry(c, { name: 'b' })]))).toMatchObject({ nodesChanged: ['main/b'] });
    await bed.proxy.untilNode('b', ({ reason }) => reason === 'is on chain 5, not on chain 1337');
    await ask(20);
    expect(c.callsOf('eth_getCode')).toHaveLength(0);
    await eventually(() => b.connections.open === 0);
  });

  it('are probed at another pace at once', async () => {
    const a = await bed.node('a');
    const every = (intervalMs: number) => oneChain([entry(a)], {}, { health: { intervalMs } });
    await bed.start(every(60_000));
    await allUp();
    await bed.put(every(50));
    const asked = a.callsOf('eth_getBlockByNumber').length;
    await eventually(() => a.callsOf('eth_getBlockByNumber').length > asked + 5);
  });

  it('that replace all others serve only once one of them can', async () => {
    const [a, b, c] = [await bed.node('a'), await bed.node('b'), await bed.node('c')];
    await bed.start(oneChain([entry(a)]));
    await allUp();
    // Neither is heard of for a while; then one is.
    const held = heldAnswers();
    for (const node of [b, c]) node.on('*', held.behaviour);
    const applied = bed.put(oneChain([entry(b), entry(c)]));
    await b.received('eth_chainId');
    await ask(5);
    expect(a.callsOf('eth_getCode')).toHaveLength(5);
    held.release();
    b.off();
    c.off();
    await applied;
    await ask(5);
    expect(a.callsOf('eth_getCode')).toHaveLength(5);
  });

  // A node that got another key was out until its first probe, and with it the history that it alone keeps.
  it('that alone keep old state go once the new one has answered', async () => {
    const [a, b] = [await bed.node('a'), await bed.node('b')];
    a.on('eth_getBalance', error(-32000, 'missing trie node'));
    const at = (path: string) => oneChain([entry(a), entry(b, { archive: true, url: `${b.url}/${path}` })]);
    await bed.start(at('old-key'));
    await allUp();
    const history = () => bed.proxy.call('eth_getBalance', [anyAddress(), '0x1']);
    await history();

    const held = heldAnswers();
    b.on('eth_chainId', held.behaviour);
    const probed = b.callsOf('eth_chainId').length;
    const applied = bed.put(at('new-key'));
    await eventually(() => b.callsOf('eth_chainId').length > probed);
    for (let i = 0; i < 20; i++) await history();
    held.release();
    await applied;
    for (let i = 0; i < 20; i++) await history();
  });

  // HAProxy listens for a new node a moment after the proxy has heard of it.
  it('that replace all others may begin to listen a little later', async () => {
    const [a, late] = [await bed.node('a'), await bed.node('late')];
    await bed.start(oneChain([entry(a)]));
    await allUp();
    await late.refuse();
    const applied = bed.put(oneChain([{ name: 'late', localPort: late.port }]));
    await eventually(async () => (await bed.proxy.metric('rpc_balancer_node_probes_total', { node: 'late' })) > 4);
    await ask(5);
    expect(a.callsOf('eth_getCode')).toHaveLength(5);
    await late.accept();
    await applied;
    await ask(5);
    expect(late.callsOf('eth_getCode')).toHaveLength(5);
  });

  it('that never answer replace others all the same, and the first that does is enough where none is left', async () => {
    const [a, b] = [await bed.node('a'), await bed.node('b')];
    await bed.start(oneChain([entry(a)]));
    await allUp();
    const dead = { name: 'dead', url: 'http://127.0.0.1:1' };
    await bed.put(oneChain([dead]));
    expect(await bed.proxy.node('dead')).toMatchObject({ health: 'down' });
    await eventually(() => a.connections.open === 0);

    const held = heldAnswers();
    a.on('*', held.behaviour);
    await bed.put(oneChain([entry(a), entry(b)]));
    await ask(1);
    expect(b.callsOf('eth_getCode')).toHaveLength(1);
    held.release();
  });

  it('may be renamed all at once', async () => {
    const [a, b] = [await bed.node('a'), await bed.node('b')];
    await bed.start(oneChain([entry(a), entry(b)]));
    await allUp();
    await bed.put(oneChain([entry(a, { name: 'x' }), entry(b, { name: 'y' })]));
    await ask(5);
    await bed.proxy.until(({ chains }) => chains[0]?.nodes.every(({ health }) => health === 'up') === true);
    expect((await bed.proxy.status()).chains[0]?.nodes.map(({ name }) => name)).toEqual(['x', 'y']);
  });
});

describe('the WebSocket of a node', () => {
  it('stays with a node that stays, moves with its address, and goes with it', async () => {
    const [a, b] = [await bed.node('a'), await bed.node('b')];
    const sockets = [await ScriptedSocket.start(), await ScriptedSocket.start()] as const;
    const follows = async (state: string) =>
      (await bed.proxy.metrics()).includes(`node_socket_connected{chain="main",node="a"} ${state}`);
    try {
      await bed.start(oneChain([entry(a, { wsUrl: sockets[0].url })]));
      await eventually(() => follows('1'));
      await bed.put(oneChain([entry(a, { wsUrl: sockets[0].url, weight: 2 }), entry(b)]));
      await eventually(() => follows('1'));
      expect(sockets[0].upgrades).toHaveLength(1);

      const { since } = await bed.proxy.node('a');
      await bed.put(oneChain([entry(a, { wsUrl: sockets[1].url })]));
      await eventually(() => sockets[1].upgrades.length === 1);
      await eventually(() => follows('1'));
      expect(bed.proxy.logged('node socket lost')).toEqual([]);
      expect((await bed.proxy.node('a')).since).toBe(since);

      await bed.put(oneChain([entry(a)]));
      await eventually(async () => !(await follows('')));
      expect(await bed.proxy.call('eth_chainId')).toBe('0x539');
    } finally {
      await Promise.all(sockets.map((socket) => socket.close()));
    }
  });
});

describe('chains', () => {
  it('are added, served, and removed when their requests are answered', async () => {
    const [red, blue] = [await bed.node('red'), await bed.node('blue', { chainId: 22 })];
    const chainOf = (id: number, node: typeof red) => ({ chainId: id, nodes: [entry(node)] });
    const both = { ...oneChain([entry(red)]), defaultChain: 'main' };
    const withBlue = { ...both, chains: { main: chainOf(1337, red), blue: chainOf(22, blue) } };
    await bed.start(both);
    await allUp();
    expect((await bed.proxy.post('{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}', {}, '/blue')).status).toBe(404);

    expect(await bed.put(withBlue)).toMatchObject({ chainsAdded: ['blue'] });
    expect(await bed.proxy.call('eth_chainId', [], '/blue')).toBe('0x16');
    expect(await bed.proxy.call('eth_chainId', [], '/22')).toBe('0x16');
    const held = heldAnswers();
    blue.on('eth_getCode', held.behaviour);
    const address = anyAddress();
    const early = bed.proxy.call('eth_getCode', [address, 'latest'], '/blue');
    await blue.received('eth_getCode');

    expect(await bed.put(both)).toMatchObject({ chainsRemoved: ['blue'] });
    expect((await bed.proxy.post('{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}', {}, '/blue')).status).toBe(404);
    held.release();
    expect(String(await early)).toContain(address.slice(2));
    await eventually(() => blue.connections.open === 0);
    await eventually(async () => !(await bed.proxy.metrics()).includes('chain="blue"'));
    expect(await bed.proxy.call('eth_chainId')).toBe('0x539');
  });

  it('change their names and their ids, and the one at / changes', async () => {
    const [red, blue] = [await bed.node('red'), await bed.node('blue', { chainId: 22 })];
    const chains = { red: { chainId: 1337, nodes: [entry(red)] }, blue: { chainId: 22, nodes: [entry(blue)] } };
    const { listen, admin } = oneChain([]);
    await bed.start({ listen, admin, chains });
    await allUp();
    expect(await bed.put({ listen, admin, chains, defaultChain: 'blue' })).toMatchObject({
      sections: ['defaultChain'],
    });
    expect(await bed.proxy.call('eth_chainId')).toBe('0x16');

    const { chains: renamed } = { chains: { crimson: chains.red, blue: chains.blue } };
    expect(await bed.put({ listen, admin, chains: renamed, defaultChain: 'blue' })).toMatchObject({
      chainsAdded: ['crimson'],
      chainsRemoved: ['red'],
    });
    expect(await bed.proxy.call('eth_chainId', [], '/crimson')).toBe('0x539');
    expect(await bed.proxy.call('eth_chainId', [], '/1337')).toBe('0x539');

    red.chainId = 33;
    await bed.put({
      listen,
      admin,
      chains: { ...renamed, crimson: { ...chains.red, chainId: 33 } },
      defaultChain: 'blue',
    });
    expect(await bed.proxy.call('eth_chainId', [], '/33')).toBe('0x21');
    await bed.proxy.until(({ ready }) => ready);
    await eventually(async () => {
      const text = await bed.proxy.metrics();
      return text.includes('chain="crimson"') && !text.includes('chain="red"');
    });
  });
});

describe('what faces clients', () => {
  it('changes on connections that stay', async () => {
    const a = await bed.node('a');
    await bed.start(oneChain([entry(a)]));
    await allUp();
    const client = new RawClient(bed.proxy.url);
    const say = async (body: string, headers = ''): Promise<string> => {
      const { length } = client.received;
      client.send(
        `POST / HTTP/1.1\r\nhost: test\r\n${headers}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      );
      await client.until((text, end) => end !== 'open' || text.slice(length).endsWith('}'));
      return client.received.slice(length);
    };
    const chainId = '{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}';
    expect(await say(chainId)).toContain('200 OK');

    const cors = { origins: ['https://app.example'] };
    expect(await bed.put(oneChain([entry(a)], { http: { cors } }))).toMatchObject({ sections: ['http'] });
    expect(await say(chainId, 'origin: https://app.example\r\n')).toContain(
      'access-control-allow-origin: https://app.example',
    );
    await bed.put(oneChain([entry(a)], { http: { maxBodyBytes: 60 } }));
    expect(await say(chainId, 'origin: https://app.example\r\n')).not.toContain('access-control');
    expect(await say(`${chainId}${' '.repeat(100)}`)).toContain('413');

    await bed.put(oneChain([entry(a)], { telemetry: { accessLog: { sample: 1 } } }));
    expect(await say(chainId)).toContain('200 OK');
    await bed.proxy.untilLogged('answered');

    await bed.put(oneChain([entry(a)], { limits: { perMinute: 1, burst: 1 } }));
    expect(await say(chainId)).toContain('200 OK');
    expect(await say(chainId)).toContain('429');

    await bed.put(oneChain([entry(a)], { methods: { deny: ['eth_chainId'] } }));
    expect(await say(chainId)).toContain('-32601');
    expect((await bed.proxy.status()).connections).toBeGreaterThan(0);
    client.close();
  });

  it('is as it was for requests that came before', async () => {
    const a = await bed.node('a');
    const held = heldAnswers();
    a.on('eth_call', held.behaviour);
    await bed.start(oneChain([entry(a)]));
    await allUp();
    const early = bed.proxy.call('eth_call', [{ to: anyAddress(), data: '0x' }, 'latest']);
    await a.received('eth_call');
    await bed.put(oneChain([entry(a)], { methods: { deny: ['eth_call'] } }, { failover: { callTimeoutMs: 1 } }));
    held.release();
    await early;
    await expect(bed.proxy.call('eth_call', [{ to: anyAddress(), data: '0x' }, 'latest'])).rejects.toThrow('-32601');
  });

  it('logs by the new level', async () => {
    const a = await bed.node('a');
    await bed.start(oneChain([entry(a)], { telemetry: { logLevel: 'warn' } }));
    expect(bed.proxy.logged('listening')).toEqual([]);
    await bed.put(oneChain([entry(a)]));
    bed.write(oneChain([entry(a)], { telemetry: { logLevel: 'warn' } }));
    await eventually(async () => (await bed.proxy.metric('rpc_balancer_config_reloads_total')) === 2);
    expect(bed.proxy.logged('configuration applied')).toHaveLength(1);
  });
});

describe('what is kept', () => {
  it('survives: answers, and the connection to Redis', async () => {
    const redis = await RedisProcess.start();
    try {
      const a = await bed.node('a');
      a.on('eth_gasPrice', result('0x1'));
      const config = (perMinute: number, cache = {}, keyPrefix = 'one:') =>
        oneChain([entry(a)], { redis: { url: redis.url, keyPrefix }, limits: { perMinute } }, { cache });
      await bed.start(config(10_000));
      await allUp();
      await bed.proxy.until(({ redis: state }) => state?.up === true);
      const params = [anyAddress(), 'latest'];
      await bed.proxy.call('eth_getCode', params);
      const ids = async (): Promise<string[]> =>
        [...String(await redis.call('CLIENT', 'LIST')).matchAll(/^id=(\d+)/gm)].map(([, id = '']) => id);
      const before = await ids();

      await bed.put(config(20_000));
      await bed.put(config(20_000, { maxBytes: 1_000_000 }));
      await bed.proxy.call('eth_getCode', params);
      expect(a.callsOf('eth_getCode')).toHaveLength(1);
      expect(await ids()).toEqual(before);

      await bed.put(config(20_000, { maxBytes: 0 }, 'two:'));
      await bed.proxy.call('eth_getCode', params);
      expect(a.callsOf('eth_getCode')).toHaveLength(2);
      await bed.proxy.until(({ redis: state }) => state?.up === true);
      expect(await ids()).not.toEqual(before);
    } finally {
      await redis.stop();
    }
  });
});
