import { startDevNodes } from './local/dev-nodes';
import { HELP, OptionsError, readOptions, type LocalOptions } from './local/options';
import { assertFree } from './local/ports';
import { ProxyProcess } from './local/proxy-process';
import { type Endpoint, summary } from './local/summary';
import { learnChainId } from './local/upstreams';

/** The whole path on one machine: nodes, the proxy in front of them, and what to try next. Ctrl-C stops all of it. */
async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(HELP);
    return;
  }
  if (options.config !== undefined) {
    const proxy = ProxyProcess.start(['--config', options.config, ...(options.check ? ['--check'] : [])]);
    stopOnSignals(() => proxy.stop());
    process.exitCode = await proxy.exited;
    return;
  }
  await assertFree(options.port, '--port');
  await assertFree(options.adminPort, '--admin-port');
  await (options.upstreams.length > 0 ? serveUpstreams(options) : serveDevChain(options));
}

async function serveUpstreams(options: LocalOptions): Promise<void> {
  const chainId = await learnChainId(options.upstreams);
  const nodes = options.upstreams.map((url, index) => ({ name: `upstream-${index + 1}`, url }));
  await serve(options, { chainId, nodes, allow: [] }, [], () => Promise.resolve());
}

async function serveDevChain(options: LocalOptions): Promise<void> {
  const dev = await startDevNodes(options.blockTimeSeconds);
  // What a development chain is for; each of these would be refused on a public one.
  const allow = ['eth_sendTransaction', 'eth_accounts', 'eth_sign*', 'debug_*', 'txpool_*'];
  const { chainId, endpoints, close } = dev;
  await serve(options, { chainId, nodes: endpoints.map(({ name, url }) => ({ name, url })), allow }, endpoints, close);
}

interface Chain {
  readonly chainId: number;
  readonly nodes: readonly { readonly name: string; readonly url: string }[];
  readonly allow: readonly string[];
}

async function serve(
  options: LocalOptions,
  { chainId, nodes, allow }: Chain,
  endpoints: readonly Endpoint[],
  close: () => Promise<void>,
): Promise<void> {
  const config = {
    listen: { port: options.port },
    admin: { port: options.adminPort },
    methods: { allow },
    chains: { [endpoints.length > 0 ? 'dev' : 'upstream']: { chainId, nodes } },
  };
  // Over standard input: URLs that hold keys stand on no disk and in no process list.
  const proxy = ProxyProcess.start(['--config', '-'], JSON.stringify(config));
  stopOnSignals(() => proxy.stop());
  const ports = await proxy.listening;
  if (ports !== undefined) process.stdout.write(summary(ports, chainId, endpoints, nodes));
  const code = await proxy.exited;
  await close();
  process.exitCode = code;
}

function stopOnSignals(stop: () => void): void {
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(error instanceof OptionsError ? 2 : 1);
});
