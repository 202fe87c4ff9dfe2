import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { html200, resetBeforeResponse, ScriptedNode, status, truncatedJson } from '../support/scripted-node';
import { freePorts } from '../../bin/local/ports';
import { call, descendants, gone, LocalRun } from './local-run';
import { eventually } from '../support/eventually';

const ALICE = '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266';
const BOB = '0x70997970c51812dc3a010c7d01b50e0d17dc79c8';

afterAll(() => LocalRun.killAll());

describe('npm start', () => {
  let local: LocalRun;

  beforeAll(async () => {
    local = await LocalRun.start('--block-time', '0.25');
  }, 30_000);

  afterAll(async () => {
    const pids = descendants(local.pid).map(({ pid }) => pid);
    expect(await local.stop()).toMatchObject({ code: 0 });
    await gone(pids);
  });

  it('tells what runs where, before anything else', () => {
    expect(local.output).toMatch(/^\s+eth-rpc-balancer serves chain 31337\n/);
    expect(local.nodes).toHaveLength(2);
    expect(local.output).not.toMatch(/\{"level"|=\[/);
  });

  it('prints a curl line that works in a shell as it stands', () => {
    const answer = execFileSync('/bin/sh', ['-c', local.curl], { encoding: 'utf8' });
    expect(JSON.parse(answer)).toMatchObject({ jsonrpc: '2.0', id: 1, result: expect.stringMatching(/^0x/) as string });
  });

  it('serves status and metrics where it says', async () => {
    const { chains } = (await (await fetch(local.statusUrl)).json()) as { chains: { nodes: { health: string }[] }[] };
    expect(chains[0]?.nodes.map(({ health }) => health)).toEqual(['up', 'up']);
    expect(await (await fetch(local.metricsUrl)).text()).toMatch(/^rpc_balancer_chain_head\{chain="dev"\} \d+$/m);
  });

  it('has one chain on both nodes, a block every 0.25 s', async () => {
    const first = Number(await call(local.url, 'eth_blockNumber'));
    await eventually(async () => Number(await call(local.url, 'eth_blockNumber')) >= first + 4);
    const hex = `0x${(first + 2).toString(16)}`;
    const blocks = await Promise.all(local.nodes.map(({ url }) => call(url, 'eth_getBlockByNumber', [hex, false])));
    const hashes = new Set(blocks.map((block) => (block as { hash: string }).hash));
    expect(hashes.size).toBe(1);
  });

  it('mines a transaction on both nodes', async () => {
    const hash = await call(local.url, 'eth_sendTransaction', [{ from: ALICE, to: BOB, value: '0x1' }]);
    for (const { url } of local.nodes) {
      await eventually(async () => (await call(url, 'eth_getTransactionReceipt', [hash])) !== null);
    }
  });

  // A node chooses the nonce of what it signs itself. Spread over nodes that hear of each other a moment later, quick
  // calls of one sender got the same nonce twice, and one of the two transactions was lost.
  it('mines each of 60 transactions sent without a nonce, one right after the other', async () => {
    const hashes = new Set<unknown>();
    for (let index = 0; index < 60; index++) {
      hashes.add(await call(local.url, 'eth_sendTransaction', [{ from: BOB, to: ALICE, value: '0x1' }]));
    }
    expect(hashes.size).toBe(60);
    for (const hash of hashes) {
      await eventually(async () => (await call(local.url, 'eth_getTransactionReceipt', [hash])) !== null);
    }
  }, 30_000);

  it('serves the pool with the same curl line, shows its servers, and the weighter weighs them', async () => {
    const { pool, statistics, weighter } = local.haproxy;
    const answer = execFileSync('/bin/sh', ['-c', local.curl.replace(local.url, pool)], { encoding: 'utf8' });
    expect(JSON.parse(answer)).toMatchObject({ jsonrpc: '2.0', id: 1, result: expect.stringMatching(/^0x/) as string });
    const page = await (await fetch(statistics)).text();
    for (const name of ['node-0', 'node-1']) expect(page).toContain(name);
    await eventually(async () =>
      /weight_set\{backend="rpc-backend",server="node-1"\} 100$/m.test(await (await fetch(weighter)).text()),
    );
  });

  it('lets a weight be set by hand over the admin socket, as the guide does, until the weighter looks again', async () => {
    const { socket } = local.haproxy;
    expect(await command(socket, 'set weight rpc-backend/node-1 0')).toBe('\n');
    expect(await command(socket, 'get weight rpc-backend/node-1')).toMatch(/^0 \(initial 100\)/);
    await local.prints('weighter: rpc-backend/node-1 weighs 100, not 0 any more');
  }, 20_000);

  it('starts HAProxy again when it was killed; the weighter and the proxy go on', async () => {
    const [haproxy] = descendants(local.pid).filter(({ args }) => args.includes('haproxy.cfg'));
    process.kill(haproxy?.pid ?? 0, 'SIGKILL');
    await local.prints('HAProxy was ended (SIGKILL); it is started again.');
    await eventually(async () => (await call(local.url, 'eth_chainId').catch(() => '')) === '0x7a69');
    await local.prints('HAProxy was restarted');
  }, 20_000);

  it('goes on answering when a node is killed, and says what happened', async () => {
    const [first, second] = local.nodes;
    // HAProxy was away a moment ago, and so were both nodes.
    await eventually(async () => {
      const { chains } = (await (await fetch(local.statusUrl)).json()) as LocalStatus;
      return chains.every(({ nodes }) =>
        nodes.every(({ health, ejected }) => health === 'up' && ejected === undefined),
      );
    });
    process.kill(first?.pid ?? 0, 'SIGKILL');
    for (let index = 0; index < 100; index++) {
      expect(await call(local.url, 'eth_getBalance', [BOB, 'latest'])).toMatch(/^0x/);
    }
    await local.prints('dev/node-0 is down: failed 3 times in a row');
    const head = Number(await call(second?.url ?? '', 'eth_blockNumber'));
    await eventually(async () => Number(await call(local.url, 'eth_blockNumber')) >= head + 2);
  }, 20_000);
});

// A process whose reader is gone may hang at its very end, in the attempt to write its last log line: the proxy did, and
// stayed for ever when `npm start` was killed.
describe('the end of npm start', () => {
  it('leaves nothing behind when it is killed', async () => {
    const local = await LocalRun.start();
    const pids = descendants(local.pid).map(({ pid }) => pid);
    expect(pids.length).toBeGreaterThanOrEqual(4);
    local.signal('SIGKILL');
    await gone(pids);
    expect((await local.exited).output).not.toMatch(/Error|EPIPE/);
  });

  it('stops at once, and leaves nothing behind, when it is stopped while it starts', async () => {
    const local = LocalRun.launch('--port', '0', '--admin-port', '0');
    let pids: number[] = [];
    while (pids.length < 2) {
      pids = descendants(local.pid).map(({ pid }) => pid);
      await pause();
    }
    expect((await local.stop()).code).toBe(0);
    await gone(pids);
  });
});

describe('without HAProxy', () => {
  it.each([
    ['where it is not wanted', ['--no-haproxy'], {}, undefined],
    [
      'where there is none',
      [],
      { HAPROXY: '/nowhere/haproxy' },
      'there is no HAProxy at /nowhere/haproxy: the proxy dials the nodes itself',
    ],
  ])(
    '%s it serves all the same',
    async (_, args, env, told) => {
      const local = await LocalRun.startIn(env, ...args);
      expect(await call(local.url, 'eth_chainId')).toBe('0x7a69');
      expect(local.output).not.toContain('Pool');
      if (told !== undefined) expect(local.output).toContain(told);
      expect(await local.stop()).toMatchObject({ code: 0 });
    },
    30_000,
  );
});

describe('the options', () => {
  it('are all told by --help', async () => {
    const { code, output } = await LocalRun.run('--help');
    expect(code).toBe(0);
    for (const option of [
      'upstream',
      'config',
      'check',
      'no-haproxy',
      'port',
      'pool-port',
      'socket-port',
      'block-time',
      'help',
    ]) {
      expect(output).toMatch(new RegExp(`^ +--${option} `, 'm'));
    }
  });

  it.each([
    [['--port', 'abc'], '--port must be a whole number from 0 to 65535, got abc'],
    [['--port', '65536'], '--port must be a whole number from 0 to 65535, got 65536'],
    [['--admin-port', ''], '--admin-port must be a whole number from 0 to 65535, got nothing'],
    [['--port', '8601', '--admin-port', '8601'], '--admin-port must differ from --port, got 8601 twice'],
    [['--block-time', '0'], '--block-time must be a number from 0.1 to 3600, got 0'],
    [['--upstream', 'node.example'], '--upstream must be an http or https URL, got none'],
    [['--upstream', 'ws://node.example/key'], '--upstream must be an http or https URL, got one of ws:'],
    [['--upstream', 'http://node.example', '--block-time', '2'], '--block-time is for the development chain'],
    [['--check'], '--check needs --config FILE'],
    [['--config', 'x.yaml', '--port', '1'], '--port does not go with --config'],
    [['--prot', '1'], "Unknown option '--prot'"],
  ])('%j are refused with a reason', async (args, reason) => {
    const { code, output } = await LocalRun.run(...args);
    expect(output).toContain(reason);
    expect(output).not.toMatch(/\n +at /);
    expect(code).toBe(2);
  });

  it.each(['--port', '--admin-port'])('%s is named when its port is taken', async (option) => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    try {
      const other = option === '--port' ? '--admin-port' : '--port';
      const { code, output } = await LocalRun.run(option, String(port), other, '0');
      expect(output).toBe(`Port ${port} is taken by another program; choose another with ${option} PORT.\n`);
      expect(code).toBe(1);
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });

  describe('--config', () => {
    let folder: string;
    const write = (text: string): string => {
      const file = join(folder, 'rpc.yaml');
      writeFileSync(file, text);
      return file;
    };

    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'rpc-local-'));
    });
    afterAll(() => rmSync(folder, { recursive: true }));

    it('checks a file and prints it without its secrets', async () => {
      const file = write('chains: {main: {chainId: 1, nodes: [{name: a, url: "https://one.example/v2/s3cret"}]}}');
      const { code, output } = await LocalRun.run('--config', file, '--check');
      expect(output).toContain('url: https://one.example/…');
      expect(output).toContain('maxLagBlocks: 3');
      expect(output).not.toContain('s3cret');
      expect(code).toBe(0);
    });

    it('tells all problems of a broken file', async () => {
      const file = write('listen: {port: 99999}\nchains: {main: {chainId: -1, nodes: []}}\nextra: 1\n');
      const { code, output } = await LocalRun.run('--config', file);
      for (const path of ['listen.port', 'chains.main.chainId', 'chains.main.nodes', 'extra']) {
        expect(output).toContain(path);
      }
      expect(code).toBe(2);
    });

    it('runs HAProxy and the weighter too where nodes are behind it, and names what is missing', async () => {
      const node = await ScriptedNode.start({ chainId: 5 });
      const [pool, stats, socket, local1] = await freePorts(4);
      const file = write(
        [
          'listen: {port: 0}',
          'admin: {port: 0}',
          `haproxy: {pool: {port: ${pool}}, stats: {port: ${stats}}, adminSocket: "127.0.0.1:${socket}"}`,
          `chains: {main: {chainId: 5, nodes: [{name: a, localPort: ${local1}, provider: {url: "\${NODE_URL}"}}]}}`,
        ].join('\n'),
      );
      const without = await LocalRun.run('--config', file);
      expect(without.code).toBe(2);
      expect(without.output).toMatch(/chains\.main\.nodes\[0\]\.provider\.url must .*, got \$\{NODE_URL\}/);
      const local = LocalRun.launchIn({ NODE_URL: node.url }, '--config', file);
      await local.prints('listening on 127.0.0.1:');
      const port = /listening on 127\.0\.0\.1:(\d+)/.exec(local.output)?.[1] ?? '';
      for (const url of [`http://127.0.0.1:${port}`, `http://127.0.0.1:${pool}/main`])
        expect(await call(url, 'eth_chainId')).toBe('0x5');
      expect((await local.stop()).code).toBe(0);
      await node.close();
    }, 30_000);

    it('runs a file until it is stopped', async () => {
      const node = await ScriptedNode.start({ chainId: 5 });
      const ports = 'listen: {port: 0}\nadmin: {port: 0}\n';
      const file = write(`${ports}chains: {main: {chainId: 5, nodes: [{name: a, url: "${node.url}"}]}}`);
      const local = LocalRun.launch('--config', file);
      await local.prints('listening on 127.0.0.1:');
      const port = /listening on 127\.0\.0\.1:(\d+)/.exec(local.output)?.[1] ?? '';
      expect(await call(`http://127.0.0.1:${port}`, 'eth_blockNumber')).toBe('0x64');
      expect((await local.stop()).code).toBe(0);
      await node.close();
    });
  });
});

describe('--upstream', () => {
  let one: ScriptedNode;
  let two: ScriptedNode;

  beforeEach(async () => {
    const now = (): number => 1_800_000_000_000;
    one = await ScriptedNode.start({ chainId: 77, now });
    two = await ScriptedNode.start({ chainId: 77, now });
  });
  afterEach(async () => {
    await one.close();
    await two.close();
  });

  it('learns the chain and balances the nodes', async () => {
    const local = await LocalRun.start('--upstream', one.url, '--upstream', two.url);
    expect(local.output).toContain('serves chain 77');
    // At once: one after the other they may all go to the node that was quicker by a little.
    await Promise.all(
      Array.from({ length: 60 }, (_, slot) => call(local.url, 'eth_getStorageAt', [ALICE, toHex(slot), 'latest'])),
    );
    const shares = [one, two].map((node) => node.callsOf('eth_getStorageAt').length);
    expect(shares[0]).toBeGreaterThan(4);
    expect(shares[1]).toBeGreaterThan(4);
    expect((await local.stop()).code).toBe(0);
  });

  it('starts with one of them down, and says so', async () => {
    await two.refuse();
    const local = await LocalRun.start('--upstream', one.url, '--upstream', two.url);
    expect(local.output).toMatch(/upstream-2 {2}127\.0\.0\.1:\d+, could not be asked \(ECONNREFUSED\)/);
    expect(await call(local.url, 'eth_blockNumber')).toBe('0x64');
    expect((await local.stop()).code).toBe(0);
  });

  it('refuses upstreams of different chains', async () => {
    two.chainId = 78;
    const urls = [`${one.url}/s3cret?key=s3cret`, two.url.replace('//', '//user:s3cret@')];
    const { code, output } = await LocalRun.run('--upstream', urls[0] ?? '', '--upstream', urls[1] ?? '');
    expect(output).toContain('The upstreams given with --upstream are of different chains:\n  upstream-1');
    expect(output).toMatch(/upstream-2 {2}127\.0\.0\.1:\d+, chain id 78/);
    expect(output).not.toContain('s3cret');
    expect(code).toBe(1);
  });

  it('refuses upstreams that all do not answer, and says how they failed', async () => {
    await one.refuse();
    two.on('eth_chainId', status(401));
    const { code, output } = await LocalRun.run('--upstream', `${one.url}/s3cret`, '--upstream', `${two.url}/s3cret`);
    expect(output).toMatch(/No upstream .* told its chain id:\n.*ECONNREFUSED.*\n.*HTTP 401/);
    expect(output).not.toContain('s3cret');
    expect(code).toBe(1);
  });

  it('shows the secrets of an upstream nowhere, however the node fails', async () => {
    const url = one.url.replace('//', '//canaryuser:canarypass@') + '/canarypath?key=canaryquery';
    const local = await LocalRun.start('--upstream', url, '--upstream', two.url);
    const seen: string[] = descendants(local.pid).map(({ args }) => args);
    const ask = async (): Promise<void> => {
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_getBalance', params: [ALICE, 'latest'] });
      const response = await fetch(local.url, { method: 'POST', body });
      seen.push(JSON.stringify([...response.headers]), await response.text());
    };
    const request = one.callsOf('eth_chainId')[0];
    expect(request?.path).toBe('/canarypath?key=canaryquery');
    const leaky = `bad key canaryquery at ${url}`;
    for (const fault of [status(401, {}, leaky), status(503), html200(), truncatedJson(), resetBeforeResponse()]) {
      for (const node of [one, two]) node.on('*', fault);
      for (let index = 0; index < 3; index++) await ask();
    }
    for (const node of [one, two]) await node.refuse();
    for (let index = 0; index < 3; index++) await ask();
    await local.prints('is down');
    seen.push(await (await fetch(local.statusUrl)).text(), await (await fetch(local.metricsUrl)).text());
    seen.push((await local.stop()).output);
    expect(seen.join('\n')).toContain('upstream-1');
    expect(seen.filter((text) => /canary(user|pass|path|query)/.test(text))).toEqual([]);
    expect(seen.join('\n')).not.toContain(Buffer.from('canaryuser:canarypass').toString('base64'));
  });
});

interface LocalStatus {
  readonly chains: readonly { readonly nodes: readonly { readonly health: string; readonly ejected?: string }[] }[];
}

/** One command, as `socat` would send it. */
async function command(port: number, line: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(`${line}\n`);
  return text(socket);
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20));
}

function toHex(value: number): string {
  return `0x${value.toString(16)}`;
}
