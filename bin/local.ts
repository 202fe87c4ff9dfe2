import { HELP, OptionsError, readOptions, type LocalOptions } from './local/options';
import { assertFree } from './local/ports';
import { ProxyProcess } from './local/proxy-process';
import { type Served, summary } from './local/summary';
import { learnChain } from './local/upstreams';

/** The whole path on one machine: nodes, the proxy in front of them, and what to try next. Ctrl-C stops all of it. */
async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(HELP);
    return;
  }
  if (options.config !== undefined) {
    const proxy = ProxyProcess.startWith(options.config, options.check);
    stopOnSignals(proxy.stop);
    process.exitCode = await proxy.exited;
    return;
  }
  await assertFree(options.port, '--port');
  await assertFree(options.adminPort, '--admin-port');
  await serve(options);
}

async function serve(options: LocalOptions): Promise<void> {
  // First of all, because it takes longest to load.
  const proxy = ProxyProcess.start();
  stopOnSignals(proxy.stop);
  const preparing = options.upstreams.length > 0 ? serveUpstreams(options) : serveDevChain(options);
  const chain = await Promise.race([preparing, proxy.exited]).catch((error: unknown) => {
    proxy.kill();
    throw error;
  });
  // Stopped meanwhile; the nodes that were started end with this process.
  if (typeof chain === 'number') process.exit(chain);
  proxy.configure({
    listen: { port: options.port },
    admin: { port: options.adminPort },
    methods: { allow: chain.allow },
    chains: { [chain.name]: { chainId: chain.chainId, nodes: chain.nodes.map(({ name, url }) => ({ name, url })) } },
  });
  const ports = await proxy.listening;
  if (ports !== undefined) process.stdout.write(summary(ports, chain));
  const code = await proxy.exited;
  await chain.close();
  process.exitCode = code;
}

interface ServedChain extends Served {
  readonly name: string;
  readonly allow: readonly string[];
  readonly close: () => Promise<void>;
}

async function serveUpstreams({ upstreams }: LocalOptions): Promise<ServedChain> {
  return { ...(await learnChain(upstreams)), name: 'upstream', allow: [], close: () => Promise.resolve() };
}

async function serveDevChain({ blockTimeSeconds }: LocalOptions): Promise<ServedChain> {
  // Only here: it brings ethers along, which takes a while to load.
  const { startDevNodes } = await import('./local/dev-nodes.js');
  // What a development chain is for; each of these would be refused on a public one.
  const allow = ['eth_sendTransaction', 'eth_accounts', 'eth_sign*', 'debug_*', 'txpool_*'];
  return { ...(await startDevNodes(blockTimeSeconds)), name: 'dev', allow };
}

function stopOnSignals(stop: () => void): void {
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  // Started by another program, such as tsx: when it is gone, nobody is left to stop us.
  if (process.send) process.once('disconnect', stop);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(error instanceof OptionsError ? 2 : 1);
});
