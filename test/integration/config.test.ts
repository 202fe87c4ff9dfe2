import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMetrics } from '../../runtime/telemetry/metrics';
import { ProxyProcess } from '../support/proxy-process';
import { ScriptedNode } from '../support/scripted-node';

describe('the proxy as a program', () => {
  it('tells its options, exit codes and signals', async () => {
    const { code, output } = await ProxyProcess.run(['--help']);
    expect(code).toBe(0);
    for (const text of ['--config FILE', '--check', 'SIGTERM', 'Exit codes']) expect(output).toContain(text);
  });

  it.each([
    [[], '--config FILE is missing'],
    [['--confg', 'x'], "Unknown option '--confg'"],
    [['--config', '/nowhere/rpc.yaml'], '/nowhere/rpc.yaml'],
  ])('refuses the command line %j', async (args, reason) => {
    const { code, output } = await ProxyProcess.run(args);
    expect(output).toContain(reason);
    expect(output).not.toMatch(/\n +at /);
    expect(code).toBe(2);
  });

  it('prints a checked configuration whole, without its secrets', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rpc-config-'));
    const file = join(folder, 'rpc.yaml');
    const url = 'https://canaryuser:canarypass@one.example:8443/canarypath?key=canaryquery';
    writeFileSync(
      file,
      `chains:
  main:
    chainId: 1
    nodes:
      - { name: a, url: "${url}", wsUrl: "wss://one.example/canarypath" }
      - { name: b, localPort: 8001, provider: { url: "https://two.example/canarypath" } }
`,
    );
    try {
      const { code, output } = await ProxyProcess.run(['--config', file, '--check']);
      expect(output).toMatch(/^listen:\n +host: 127\.0\.0\.1\n +port: 8545\n/);
      expect(output).toContain('url: https://one.example:8443/…');
      expect(output).toContain('deadlineMs: 30000');
      expect(output).not.toContain('canary');
      expect(code).toBe(0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('tells every problem of a broken configuration, checked or run', async () => {
    const broken = {
      listen: { port: 70_000 },
      http: { maxBatchItem: 5 },
      chains: {
        main: {
          chainId: 'one',
          health: { maxLagBlocks: -3 },
          nodes: [
            { name: 'a', url: 'http://canary.example/canarypath' },
            { name: 'a', url: 'ftp://x/canarypath' },
          ],
        },
      },
    };
    for (const args of [
      ['--config', '-', '--check'],
      ['--config', '-'],
    ]) {
      const { code, output } = await ProxyProcess.run(args, JSON.stringify(broken));
      for (const path of ['listen.port', 'http.maxBatchItem', 'main.chainId', 'maxLagBlocks', 'nodes[1].url']) {
        expect(output).toContain(path);
      }
      expect(output).toMatch(/maxLagBlocks .*got -3/);
      expect(output).not.toContain('canarypath');
      expect(code).toBe(2);
    }
  });

  describe('whose port is taken', () => {
    let server: Server;
    let taken: number;

    beforeAll(async () => {
      server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      taken = (server.address() as AddressInfo).port;
    });
    afterAll(async () => {
      await new Promise((resolve) => server.close(resolve));
    });

    it.each(['listen', 'admin'])('names the key %s.port, and ends', async (key) => {
      const nodes = [{ name: 'a', url: 'http://127.0.0.1:9' }];
      const config = { listen: { port: 0 }, admin: { port: 0 }, [key]: { port: taken } };
      const input = JSON.stringify({ ...config, chains: { main: { chainId: 1, nodes } } });
      const { code, output } = await ProxyProcess.run(['--config', '-'], input);
      expect(output).toContain(`${key}.port: 127.0.0.1:${taken} is taken\n`);
      expect(code).toBe(1);
    });
  });
});

describe('several chains', () => {
  let red: ScriptedNode;
  let blue: ScriptedNode;
  let proxy: ProxyProcess;

  beforeAll(async () => {
    red = await ScriptedNode.start({ chainId: 11, head: 100 });
    blue = await ScriptedNode.start({ chainId: 22, head: 200 });
    const chain = (node: ScriptedNode) => ({ chainId: node.chainId, nodes: [{ name: 'only', url: node.url }] });
    proxy = await ProxyProcess.start({ defaultChain: 'blue', chains: { red: chain(red), blue: chain(blue) } });
    await proxy.until(({ chains }) => chains.every(({ nodes }) => nodes[0]?.health === 'up'));
  });

  afterAll(async () => {
    await proxy.stop();
    await red.close();
    await blue.close();
  });

  it.each([
    ['/', '0x16'],
    ['/red', '0xb'],
    ['/11', '0xb'],
    ['/blue', '0x16'],
    ['/22', '0x16'],
    ['/red/', '0xb'],
    ['/red?key=1', '0xb'],
  ])('%s is the chain with id %s', async (path, chainId) => {
    expect(await proxy.call('eth_chainId', [], path)).toBe(chainId);
  });

  it.each(['/green', '/33', '/Red', '/red/x', '/011', '/__proto__'])('%s is none: 404', async (path) => {
    const response = await proxy.post('{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}', {}, path);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ jsonrpc: '2.0', id: null, error: { code: -32600 } });
  });

  it('keeps the items of a batch on the chain of their path', async () => {
    const batch = [1, 2, 3, 4].map((id) => ({
      jsonrpc: '2.0',
      id,
      method: id % 2 ? 'eth_chainId' : 'eth_blockNumber',
    }));
    const ask = async (path: string) => {
      const answers = (await (await proxy.post(JSON.stringify(batch), {}, path)).json()) as { result: unknown }[];
      return answers.map(({ result }) => result);
    };
    const [ofRed, ofBlue] = await Promise.all([ask('/red'), ask('/22')]);
    expect(ofRed).toEqual(['0xb', '0x64', '0xb', '0x64']);
    expect(ofBlue).toEqual(['0x16', '0xc8', '0x16', '0xc8']);
  });

  it('lists them, with their paths, on the page and in the status', async () => {
    expect((await proxy.status()).chains.map(({ name, paths }) => [name, paths])).toEqual([
      ['red', ['/red', '/11']],
      ['blue', ['/', '/blue', '/22']],
    ]);
    const page = await (await fetch(proxy.url)).text();
    expect(page).toContain('<code>/11</code> red, chain id 11');
  });
});

describe('docs/operating.md', () => {
  const page = readFileSync(join(__dirname, '..', '..', 'docs', 'operating.md'), 'utf8');

  it('lists every metric with its type and labels, and no other', () => {
    const { registry } = createMetrics();
    const made = registry
      .getMetricsAsArray()
      .filter(({ name }) => name.startsWith('rpc_balancer_'))
      .map((metric) => {
        const { labelNames } = metric as unknown as { labelNames: readonly string[] };
        return [metric.name, metric.constructor.name.toLowerCase(), [...labelNames]];
      });
    const told = page
      .split('\n')
      .map((line) => line.split('|').map((cell) => cell.trim()))
      .filter(([, name = '']) => name.startsWith('`rpc_balancer_'))
      .map(([, name = '', type, labels = '']) => [
        name.replaceAll('`', ''),
        type,
        [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label),
      ]);
    expect(told).toEqual(made);
  });
});
