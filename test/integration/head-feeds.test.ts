import { setTimeout as sleep } from 'node:timers/promises';
import type { AnvilNode } from '../../bin/dev-chain/anvil-node';
import { ChainConductor } from '../support/chain-conductor';
import { runLoad } from '../support/load-client';
import { echoMix } from '../support/load-mix';
import { ProxyProcess } from '../support/proxy-process';
import { ScriptedNode } from '../support/scripted-node';
import { refused, ScriptedSocket, told } from '../support/scripted-socket';
import { eventually } from '../support/eventually';

/** So long that no probe after the first takes part in a test. */
const health = { intervalMs: 60_000 };
/** What is seen between probes is seen at once; a busy machine needs a while for it. */
const SOON_MS = 2000;

let proxy: ProxyProcess;

async function following(node: string): Promise<number> {
  return proxy.metric('rpc_balancer_node_socket_connected', { node });
}

async function untilFollowing(node: string, wanted: 0 | 1, withinMs = SOON_MS): Promise<void> {
  const giveUpAt = performance.now() + withinMs;
  while ((await following(node)) !== wanted) {
    if (performance.now() > giveUpAt)
      throw new Error(`${node} is not at ${wanted} within ${withinMs} ms:\n${proxy.output}`);
    await sleep(20);
  }
}

async function untilHead(number: number, hash?: string): Promise<void> {
  await proxy.until(
    ({ chains }) => chains.some(({ head }) => head?.number === number && (hash ?? head.hash) === head.hash),
    SOON_MS,
  );
}

async function blockNumber(): Promise<number> {
  return Number(await proxy.call('eth_blockNumber'));
}

/** The lines of the log about a node's socket, oldest first. */
function socketLines(node: string): { msg: string; code?: string; reason?: string }[] {
  const lines = proxy.output.split('\n').filter((line) => line.startsWith('{'));
  return lines
    .map((line) => JSON.parse(line) as { msg: string; node?: string })
    .filter((line) => line.node === node && line.msg.startsWith('node socket'));
}

describe('real nodes with a WebSocket, probed once a minute', () => {
  let chain: ChainConductor;
  let nodes: [AnvilNode, AnvilNode];

  beforeEach(async () => {
    chain = await ChainConductor.start({ nodes: 2 });
    nodes = chain.nodes as typeof nodes;
    await chain.mine(5);
    const members = nodes.map(({ name, url, wsUrl }) => ({ name, url, wsUrl }));
    proxy = await ProxyProcess.start({ chains: { dev: { chainId: 31337, health, nodes: members } } });
    for (const { name } of nodes) await untilFollowing(name, 1);
  });

  afterEach(async () => {
    const { code } = await proxy.stop();
    await chain.close();
    expect(code).toBe(0);
  });

  it('raise the head with each block, without a probe, through a reorganisation too', async () => {
    const probes = await proxy.metric('rpc_balancer_node_probes_total');
    const delays: number[] = [];
    for (let i = 0; i < 10; i++) {
      const { number } = await chain.mine();
      const minedAt = performance.now();
      while ((await blockNumber()) < number) expect(performance.now() - minedAt).toBeLessThan(SOON_MS);
      delays.push(performance.now() - minedAt);
      expect(await proxy.call('eth_getBlockByNumber', ['latest', false])).toMatchObject({ hash: chain.block().hash });
    }
    expect(delays.toSorted((a, b) => a - b)[5]).toBeLessThan(100);
    // A minute is not over: whatever was learned came by the sockets.
    expect(await proxy.metric('rpc_balancer_node_probes_total')).toBe(probes);

    await chain.reorg(3);
    await untilHead(chain.height, chain.block().hash);
    expect(await proxy.call('eth_getBlockByNumber', ['latest', false])).toMatchObject({ hash: chain.block().hash });
    const old = `0x${(chain.height - 2).toString(16)}`;
    expect(await proxy.call('eth_getBlockByNumber', [old, false])).toMatchObject({
      hash: chain.block(chain.height - 2).hash,
    });
    await proxy.until(({ chains }) => chains.every((one) => one.nodes.every((node) => node.health === 'up')));
  }, 30_000);

  it('are followed again after they died and came back, and the head goes on', async () => {
    const [a, b] = nodes;
    await Promise.all([a.kill(), b.kill()]);
    await untilFollowing(a.name, 0);
    await untilFollowing(b.name, 0);
    await Promise.all([a.restart(), b.restart()]);
    await chain.settle();
    await untilFollowing(a.name, 1, 5000);
    await untilFollowing(b.name, 1, 5000);
    const { number, hash } = await chain.mine();
    await untilHead(number, hash);
    expect(socketLines(a.name).map(({ msg }) => msg)).toEqual([
      'node socket open',
      'node socket lost',
      'node socket open',
    ]);
  }, 30_000);

  it('that fall silent are noticed within 20 s, while the others raise the head', async () => {
    const [a, b] = nodes;
    a.freeze();
    const frozenAt = performance.now();
    await untilFollowing(a.name, 0, 20_000);
    expect(performance.now() - frozenAt).toBeLessThan(20_000);
    expect(await following(b.name)).toBe(1);
    expect(socketLines(a.name).at(-1)).toMatchObject({ msg: 'node socket lost', code: 'TIMEOUT' });
    // It has no say in health: only probes have.
    expect((await proxy.node(a.name)).health).toBe('up');
    a.thaw();
    await untilFollowing(a.name, 1, 10_000);
    const { number, hash } = await chain.mine();
    await untilHead(number, hash);
  }, 60_000);
});

describe('scripted nodes', () => {
  const NAMES = ['a', 'b', 'c'];
  let nodes: [ScriptedNode, ScriptedNode, ScriptedNode];
  let sockets: [ScriptedSocket, ScriptedSocket, ScriptedSocket];

  beforeEach(async () => {
    const now = (): number => 1_800_000_000_000;
    nodes = (await Promise.all(NAMES.map((name) => ScriptedNode.start({ name, now })))) as typeof nodes;
    sockets = (await Promise.all(NAMES.map(() => ScriptedSocket.start()))) as typeof sockets;
  });

  afterEach(async () => {
    const { code } = await proxy.stop();
    await Promise.all([...nodes, ...sockets].map((one) => one.close()));
    expect(code).toBe(0);
  });

  async function start(wsUrl = ({ url }: ScriptedSocket): string => url, interval = health): Promise<void> {
    const members = nodes.map(({ name, url }, index) => ({ name, url, wsUrl: wsUrl(sockets[index] ?? sockets[0]) }));
    proxy = await ProxyProcess.start({
      telemetry: { logLevel: 'trace' },
      chains: { test: { chainId: 1337, health: interval, nodes: members } },
    });
    await proxy.until(({ chains }) => chains.every((one) => one.nodes.every((node) => node.health !== 'down')));
  }

  function mine(): void {
    for (const node of nodes) node.mine();
  }

  it('of which one alone tells of a head 10 000 blocks up: it is not believed, and the others go on', async () => {
    await start();
    for (const name of NAMES) await untilFollowing(name, 1);
    const [a, b, rogue] = sockets;
    nodes[2].setHead(10_100);
    rogue.tell(nodes[2].chain.block(10_100));
    await proxy.untilNode('c', (node) => node.health === 'lagging');
    expect((await proxy.node('c')).reason).toBe('claims block 10100, 10000 ahead of the other nodes');
    expect(await blockNumber()).toBe(100);
    for (const node of nodes.slice(0, 2)) node.mine();
    a.tell(nodes[0].chain.block(101));
    await untilHead(101);
    b.tell(nodes[1].chain.block(101));
    const before = (await proxy.node('c')).attempts;
    const ledger = await runLoad({ url: proxy.url, clients: 4, total: 100, mix: echoMix });
    expect(ledger.failures()).toEqual([]);
    expect((await proxy.node('c')).attempts).toBe(before);
  });

  it('of which one has a WebSocket of another chain: nothing it tells counts, its requests do', async () => {
    sockets[0].chainId = 5;
    await start();
    await untilFollowing('b', 1);
    await eventually(() => socketLines('a').length > 0);
    expect(socketLines('a')).toMatchObject([
      { msg: 'node socket lost', reason: 'the WebSocket of a is on chain 5, not on chain 1337' },
    ]);
    expect(sockets[0].counts.listening).toBe(0);
    expect((await proxy.node('a')).health).toBe('up');
  });

  it('of which one becomes another chain while it is followed: its first odd block ends that', async () => {
    await start();
    for (const name of NAMES) await untilFollowing(name, 1);
    sockets[0].chainId = 5;
    nodes[0].branchAt(90, 'other');
    nodes[0].mine();
    sockets[0].tell(nodes[0].chain.block(101));
    await untilFollowing('a', 0);
    expect(await blockNumber()).toBe(100);
    expect(socketLines('a').at(-1)).toMatchObject({ reason: 'the WebSocket of a is on chain 5, not on chain 1337' });
    // On the right chain the same is a reorganisation, and told in order whatever comes meanwhile.
    mine();
    for (const index of [1, 2] as const) nodes[index].branchAt(99, 'new');
    for (const number of [99, 100, 101]) {
      sockets[1].tell(nodes[1].chain.block(number));
      sockets[2].tell(nodes[2].chain.block(number));
    }
    await untilHead(101, nodes[1].chain.hash(101));
    expect((await proxy.node('b')).health).toBe('up');
  });

  it('of which one is on another chain by its probes: its WebSocket does not count, whatever it says', async () => {
    nodes[0].chainId = 5;
    const members = nodes.map(({ name, url }, index) => ({ name, url, wsUrl: (sockets[index] ?? sockets[0]).url }));
    proxy = await ProxyProcess.start({ chains: { test: { chainId: 1337, health, nodes: members } } });
    for (const name of NAMES) await untilFollowing(name, 1);
    nodes[0].mine();
    sockets[0].tell(nodes[0].chain.block(101));
    await sleep(100);
    expect(await blockNumber()).toBe(100);
    expect(await proxy.node('a')).toMatchObject({ health: 'down', reason: 'is on chain 5, not on chain 1337' });
  });

  it('of which one is late tells old blocks: nothing goes back', async () => {
    await start();
    for (const name of NAMES) await untilFollowing(name, 1);
    mine();
    mine();
    sockets[0].tell(nodes[0].chain.block(101));
    sockets[0].tell(nodes[0].chain.block(102));
    await untilHead(102);
    sockets[0].tell(nodes[0].chain.block(100));
    sockets[0].tell(nodes[0].chain.block(101));
    await sleep(100);
    expect(await proxy.node('a')).toMatchObject({ head: 102, health: 'up' });
  });

  it('that answer no probe are down, however much their WebSocket tells', async () => {
    await start(undefined, { intervalMs: 100 });
    for (const name of NAMES) await untilFollowing(name, 1);
    nodes[0].on((request) => (request.method.startsWith('eth_') ? (exchange) => exchange.gone() : undefined));
    const telling = setInterval(() => {
      mine();
      for (const [index, socket] of sockets.entries()) socket.tell(nodes[index]?.chain.block(nodes[0].head));
    }, 50);
    try {
      await proxy.untilNode('a', (node) => node.health === 'down');
    } finally {
      clearInterval(telling);
    }
    nodes[0].off();
    await proxy.untilNode('a', (node) => node.health === 'up');
  }, 30_000);

  it('whose WebSockets misbehave in every way serve their requests all the same, and nothing tells a key', async () => {
    const [a, b, c] = sockets;
    a.upgrade = { status: 403 };
    b.upgrade = { status: 307, headers: { location: `${c.url}/canary` } };
    const keyed = ({ port }: ScriptedSocket): string =>
      `ws://canaryuser:canarypass@127.0.0.1:${port}/canarypath?key=canary`;
    await start(keyed);
    await untilFollowing('c', 1);
    const stop = new AbortController();
    const reading = runLoad({ url: proxy.url, clients: 4, durationMs: 30_000, signal: stop.signal, mix: echoMix });
    const misdeeds: ((socket: ScriptedSocket) => void)[] = [
      (socket) => socket.say('{"jsonrpc":"2.0"'),
      (socket) => socket.say('canary'),
      (socket) => socket.say(Buffer.alloc(100, 7)),
      (socket) => socket.say(' '.repeat(2 * 1024 * 1024)),
      (socket) => socket.say(told({ canary: 1 }, null)),
      (socket) => socket.tell(null),
      (socket) => socket.tell({ number: '0x65', hash: 'canary' }),
      (socket) => socket.tell({ number: `0x${'f'.repeat(16)}`, hash: '0x1', parentHash: '0x2', timestamp: '0x0' }),
      (socket) => socket.tell('['.repeat(1000)),
      (socket) => socket.write(Buffer.of(0xff, 0xff, 0xff, 0xff)),
      (socket) => socket.write(Buffer.of(0x81, 126, 0x10, 0x00, 0x7b)),
      (socket) => socket.drop(1011),
      (socket) => socket.drop(4000),
      (socket) => socket.drop(),
    ];
    a.upgrade = b.upgrade = undefined;
    for (const socket of sockets) {
      socket.script = ({ id, method }, connection) => {
        // Whoever is followed misbehaves a moment later; each time in another way.
        const misdeed = misdeeds[connection % misdeeds.length];
        if (method === 'eth_subscribe') setTimeout(() => misdeed?.(socket), 5);
        return connection % 7 === 6 && method === 'eth_chainId' ? refused(id, -32601) : undefined;
      };
    }
    c.drop();
    // The pauses grow to half a minute; as many as come in that time, each node at a misdeed of its own.
    await sleep(4000);
    for (const socket of sockets) socket.script = () => undefined;
    stop.abort();
    const failures = (await reading).failures().flatMap(({ outcomes }) => outcomes.map(({ outcome }) => outcome.kind));
    expect(failures.filter((kind) => kind !== 'clientAbort')).toEqual([]);
    expect(sockets.every(({ counts }) => counts.opened > 2)).toBe(true);
    expect(await blockNumber()).toBe(100);
    expect(socketLines('a')[0]).toMatchObject({ code: 'UNAUTHORIZED', reason: 'a answered 403 and no WebSocket' });
    expect(socketLines('b')[0]).toMatchObject({ code: 'REDIRECT', reason: 'b answered 307 and no WebSocket' });
    expect(c.upgrades.map(({ path }) => path)).not.toContain('/canary');
    expect(c.upgrades[0]?.headers.authorization).toMatch(/^Basic /);
    const status = JSON.stringify(await proxy.status());
    for (const text of [proxy.output, await proxy.metrics(), status]) {
      expect(text).not.toMatch(/canary|Y2FuYXJ5/);
    }
  }, 30_000);
});
