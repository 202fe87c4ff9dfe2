import { readFile } from 'node:fs/promises';
import { parseAddressPort } from '../../runtime/config/forms';
import { type HaproxyConfig, loadHaproxyConfig } from '../../runtime/config/load-haproxy';
import { ConfigError, parseConfig } from '../../runtime/config/load';
import { renderHaproxy } from '../../runtime/haproxy/render';
import { findHaproxy } from './haproxy-binary';
import { LocalHaproxy } from './haproxy-process';
import { PORTS } from './options';
import { isFree } from './ports';
import { Program } from './program';
import { describeHaproxy } from './summary';

/**
 * Runs a configuration file, with HAProxy and the weighter where its nodes want them.
 *
 * @param onStop is given what stops all of it, before anything is started
 * @returns the proxy's exit code, when everything has ended
 * @throws ConfigError where HAProxy cannot be told what to do; what is wrong for the proxy it says itself
 */
export async function runConfig(file: string, check: boolean, onStop: (stop: () => void) => void): Promise<number> {
  const parts: { stop: () => void }[] = [];
  const stop = new AbortController();
  onStop(() => {
    stop.abort();
    // The proxy comes last, and ends first: its callers are served until then.
    parts.at(-1)?.stop();
  });
  const config = check ? undefined : await readForHaproxy(file);
  try {
    if (config !== undefined) await startHaproxy(config, parts);
    if (stop.signal.aborted) return 0;
    const proxy = Program.startWith('proxy', file, check);
    parts.push(proxy);
    return await proxy.exited;
  } finally {
    for (const part of parts) part.stop();
  }
}

/** Undefined where no node is behind HAProxy, or the proxy will refuse the file anyway. */
async function readForHaproxy(file: string): Promise<HaproxyConfig | undefined> {
  const options = { env: process.env, source: file };
  let text: string;
  try {
    text = await readFile(file, 'utf8');
    const { chains } = parseConfig(text, options);
    const isLocal = Object.values(chains).some(({ nodes }) => nodes.some(({ localPort }) => localPort !== undefined));
    if (!isLocal) return undefined;
  } catch {
    return undefined;
  }
  return loadHaproxyConfig(text, options);
}

async function startHaproxy(config: HaproxyConfig, parts: { stop: () => void }[]): Promise<void> {
  const binary = await findHaproxy();
  if (binary.kind === 'none') {
    process.stdout.write(`${binary.why}: whatever serves the nodes' local ports has to be started elsewhere.\n`);
    return;
  }
  await assertAllFree(config);
  const { adminSocket, pool, stats } = config.haproxy;
  const weighter = Program.start<{ readonly port: number }>('weighter');
  parts.push(weighter);
  parts.push(await LocalHaproxy.start({ path: binary.path, config: renderHaproxy(config), ...pool }));
  const { ip: host, port } = parseAddressPort(adminSocket) ?? {};
  const { usual } = PORTS.weighter;
  weighter.configure({
    admin: adminSocket.startsWith('/') ? { path: adminSocket } : { host, port },
    listen: { port: (await isFree(usual)) ? usual : 0 },
  });
  const listening = await weighter.listening;
  if (listening === undefined) throw new Error('The weighter did not start.');
  const ports = { pool: pool.port, stats: stats.port, socket: adminSocket, weighter: listening.port };
  process.stdout.write(`${describeHaproxy(ports).join('\n')}\n`);
}

/** Else somebody else would be taken for HAProxy. @throws ConfigError */
async function assertAllFree({ haproxy, chains }: HaproxyConfig): Promise<void> {
  const { ip, port } = parseAddressPort(haproxy.adminSocket) ?? {};
  const wanted = [
    { path: 'haproxy.pool.port', ...haproxy.pool },
    { path: 'haproxy.stats.port', ...haproxy.stats },
    ...(port === undefined ? [] : [{ path: 'haproxy.adminSocket', host: ip, port }]),
    ...Object.entries(chains).flatMap(([chain, { nodes }]) =>
      nodes.flatMap(({ localPort }, index) =>
        localPort === undefined
          ? []
          : [{ path: `chains.${chain}.nodes[${index}].localPort`, host: '127.0.0.1', port: localPort }],
      ),
    ),
  ];
  const problems: string[] = [];
  for (const { path, host, port: wantedPort } of wanted) {
    if (!(await isFree(wantedPort, host)))
      problems.push(`${path} must be a port nobody else listens on, got ${wantedPort}`);
  }
  if (problems.length > 0) throw new ConfigError('HAProxy', problems);
}
