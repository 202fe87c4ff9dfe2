import { ConfigError } from '../runtime/config/load';
import { assertFree } from './local/ports';
import { HELP, OptionsError, PORTS, readOptions, type LocalOptions } from './local/options';
import { Path } from './local/path';
import { runConfig } from './local/run-config';
import { type Served, summary } from './local/summary';
import { learnChain } from './local/upstreams';

/** The whole path on one machine: nodes, HAProxy, the proxy in front, and what to try next. Ctrl-C stops all of it. */
async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(HELP);
    return;
  }
  if (options.config !== undefined) {
    process.exitCode = await runConfig(options.config, options.check, stopOnSignals);
    return;
  }
  await assertFree(options.ports.proxy, `--${PORTS.proxy.option}`);
  await assertFree(options.ports.admin, `--${PORTS.admin.option}`);
  await serve(options);
}

async function serve(options: LocalOptions): Promise<void> {
  const path = new Path(options.haproxy);
  stopOnSignals(path.stop);
  const preparing = options.upstreams.length > 0 ? serveUpstreams(options) : serveDevChain(options);
  const chain = await Promise.race([preparing, path.exited]).catch((error: unknown) => {
    path.kill();
    throw error;
  });
  // Stopped meanwhile; the nodes that were started end with this process.
  if (typeof chain === 'number') process.exit(chain);
  const { served, ports, haproxyPorts } = await path.serve(chain, options.ports);
  if (ports !== undefined) process.stdout.write(summary(ports, served, haproxyPorts));
  const code = await path.exited;
  await chain.close();
  process.exitCode = code;
}

interface ServedChain extends Served {
  readonly name: string;
  readonly allow: readonly string[];
  readonly maxBlockAgeMs?: number;
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
  // Who freezes a node wants to see what happens while still looking.
  const maxBlockAgeMs = Math.max(15_000, 5 * blockTimeSeconds * 1000);
  return { ...(await startDevNodes(blockTimeSeconds)), name: 'dev', allow, maxBlockAgeMs };
}

function stopOnSignals(stop: () => void): void {
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  // Started by another program, such as tsx: when it is gone, nobody is left to stop us.
  if (process.send) process.once('disconnect', stop);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(error instanceof OptionsError || error instanceof ConfigError ? 2 : 1);
});
