import { readFile } from 'node:fs/promises';
import { type HaproxyConfig, loadHaproxyConfig } from '../../runtime/config/load-haproxy';
import { parseConfig } from '../../runtime/config/load';
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
 * @returns the proxy's exit code, when everything has ended
 * @throws ConfigError where HAProxy cannot be told what to do; what is wrong for the proxy it says itself
 */
export async function runConfig(file: string, check: boolean, onStop: (stop: () => void) => void): Promise<number> {
  const config = check ? undefined : await readForHaproxy(file);
  const behind = config === undefined ? undefined : await startHaproxy(config);
  const proxy = Program.startWith('proxy', file, check);
  onStop(proxy.stop);
  const code = await proxy.exited;
  behind?.stop();
  return code;
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

async function startHaproxy(config: HaproxyConfig): Promise<{ stop: () => void } | undefined> {
  const binary = await findHaproxy();
  if (binary.kind === 'none') {
    process.stdout.write(`${binary.why}: whatever serves the nodes' local ports has to be started elsewhere.\n`);
    return undefined;
  }
  const { adminSocket, pool, stats } = config.haproxy;
  const weighter = Program.start<{ readonly port: number }>('weighter');
  try {
    const haproxy = await LocalHaproxy.start({ path: binary.path, config: renderHaproxy(config), port: pool.port });
    const [, host, port] = /^(.*):(\d+)$/.exec(adminSocket) ?? [];
    const admin = adminSocket.startsWith('/') ? { path: adminSocket } : { host, port: Number(port) };
    const { usual } = PORTS.weighter;
    weighter.configure({ admin, listen: { port: (await isFree(usual)) ? usual : 0 } });
    const listening = await weighter.listening;
    if (listening === undefined) throw new Error('The weighter did not start.');
    const ports = { pool: pool.port, stats: stats.port, socket: adminSocket, weighter: listening.port };
    process.stdout.write(`${describeHaproxy(ports).join('\n')}\n`);
    return {
      stop: () => {
        weighter.stop();
        haproxy.stop();
      },
    };
  } catch (error) {
    weighter.kill();
    throw error;
  }
}
